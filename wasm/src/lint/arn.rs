//! `Resource` and `NotResource`: are the ARNs whole, and do their parts fit the service?

use std::borrow::Cow;

use super::Lint;
use crate::arn::{Arn, fields, is_open};
use crate::data::{self, ArnShape, Presence, TypePattern};
use crate::fix::{Change, nearest, suggest};
use crate::issue_code;
use crate::json::{Text, quoted};
use crate::pattern::{has_variable, has_wildcard, same_name};
use crate::policy::Statement;
use crate::region::{self, PARTITIONS, partition_named};
use crate::text::{self, Append, Join, Own};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    let Some(element) = &statement.resource else {
        return;
    };
    for text in element.texts() {
        if lint.is_full() {
            return;
        }
        if text.value.bytes().all(|b| b == b'*') && !text.value.is_empty() {
            continue;
        }
        if !lint.is_grammar_alone() {
            super::variable::check(lint, text);
        }
        one(lint, text);
    }
}

#[inline(never)]
fn one(lint: &mut Lint<'_, '_>, text: &Text<'_>) {
    // A variable at the start may stand for the beginning of the ARN.
    if text.value.starts_with("${") {
        return;
    }
    if !text.value.starts_with("arn:") {
        let message = if text.value.is_empty() {
            "the resource is empty; write `*` or an ARN".own()
        } else {
            format!(
                "the resource `{}` is neither `*` nor an ARN; begin it with `arn:`",
                text.value
            )
        };
        let rest = text.value.get(..4).filter(|head| same_name(head, "arn:"));
        let change = if rest.is_some() {
            let whole = format!("arn:{}", &text.value[4..]);
            Some(Change::new(
                "Write arn: in small letters",
                text.span,
                quoted(&whole),
            ))
        } else if fields(&text.value).len() == 6 {
            None
        } else {
            let head = text::cut(&text.value, b':').map(|(head, _)| head);
            head.is_some_and(|head| partition_named(head).is_some())
                .then(|| format!("arn:{}", text.value))
                .map(|whole| Change::new("Put arn: in front", text.span, quoted(&whole)))
        };
        lint.add_at(issue_code::INVALID_ARN_PREFIX, text.span, message, change);
        return;
    }
    let Some(arn) = Arn::parse(&text.value) else {
        let mut message = format!(
            "the ARN `{}` has fewer than 6 fields; write `arn:partition:service:region:account:resource`",
            text.value
        );
        if text.value.ends_with('*') {
            message.append(
                ": IAM saves it and lets the `*` stand for all that is left, Access Analyzer calls it an error",
            );
            lint.report(issue_code::MISSING_ARN_FIELD, text.span, message);
        } else {
            lint.add_refused(issue_code::MISSING_ARN_FIELD, text.span, message, None);
        }
        return;
    };
    partition(lint, text, &arn);
    if service(lint, text, &arn) && !lint.is_grammar_alone() {
        let shape = data::arn_shape(arn.service);
        region(lint, text, &arn, shape);
        account(lint, text, &arn, shape);
        resource(lint, text, &arn);
    }
}

fn partition(lint: &mut Lint<'_, '_>, text: &Text<'_>, arn: &Arn<'_>) {
    if partition_named(arn.partition).is_some() || is_open(arn.partition) {
        return;
    }
    let message = format!(
        "there is no partition `{}`; write one of {}",
        arn.partition,
        PARTITIONS.map(|p| format!("`{}`", p.name)).joined(", ")
    );
    let meant = match arn.partition {
        "" => Some("aws"),
        other => nearest(other, PARTITIONS.iter().map(|p| p.name)),
    };
    let change = meant.map(|meant| {
        // Behind `arn:`, the partition and its colon.
        let rest = text
            .value
            .get(arn.partition.len() + 5..)
            .unwrap_or_default();
        let whole = format!("arn:{meant}:{rest}");
        Change::write(meant, text.span, &whole)
    });
    lint.add_at(issue_code::INVALID_PARTITION, text.span, message, change);
}

// True if the service is one whose ARNs can be looked at further.
fn service(lint: &mut Lint<'_, '_>, text: &Text<'_>, arn: &Arn<'_>) -> bool {
    let name = arn.service;
    if has_wildcard(name) {
        let message = format!(
            "the service in `{}` has a wildcard, which IAM refuses in an ARN and Access Analyzer only advises against; \
             name the service",
            text.value
        );
        let code = issue_code::WILDCARD_IN_SERVICE_NAME;
        lint.add_refused(code, text.span, message, None);
        return false;
    }
    if has_variable(name) {
        return false;
    }
    let small = !name.bytes().any(|b| b.is_ascii_uppercase());
    let lower = if small {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_ascii_lowercase())
    };
    if !data::is_arn_service(&lower) {
        let mut message = format!("there is no service `{name}` in the ARN `{}`", text.value);
        let meant = nearest(name, data::prefixes());
        let change = meant.filter(|_| !name.is_empty()).map(|meant| {
            suggest(&mut message, meant);
            respelled(text, arn, meant)
        });
        lint.add_refused(issue_code::INVALID_SERVICE, text.span, message, change);
        return false;
    }
    if !small {
        let message =
            format!("the service `{name}` in an ARN stands in small letters; write `{lower}`");
        let change = respelled(text, arn, &lower);
        lint.report_fix(
            issue_code::INVALID_ARN_SERVICE_CASE,
            text.span,
            message,
            change,
        );
        return false;
    }
    true
}

fn respelled(text: &Text<'_>, arn: &Arn<'_>, service: &str) -> Change {
    let start = format!("arn:{}:", arn.partition);
    let rest = text
        .value
        .get(start.len() + arn.service.len()..)
        .unwrap_or_default();
    let whole = format!("{start}{service}{rest}");
    Change::write(service, text.span, &whole)
}

fn with(arn: &Arn<'_>, region: &str, account: &str) -> String {
    format!(
        "arn:{}:{}:{region}:{account}:{}",
        arn.partition, arn.service, arn.resource
    )
}

fn region(lint: &mut Lint<'_, '_>, text: &Text<'_>, arn: &Arn<'_>, shape: Option<ArnShape>) {
    let presence = shape.map(|shape| shape.region);
    let name = arn.region;
    if name.is_empty() {
        // A wildcard in the resource may be meant for another type than the ones we know.
        if presence == Some(Presence::Always) && !is_wild(arn.resource) {
            let message = format!("ARNs of `{}` name a region; add it, or `*`", arn.service);
            let whole = with(arn, "*", arn.account);
            let change = Change::new("Any region", text.span, quoted(&whole));
            lint.report_fix(issue_code::MISSING_ARN_REGION, text.span, message, change);
        }
        return;
    }
    if presence == Some(Presence::Never) && name.bytes().any(|b| b != b'*') {
        let message = format!("ARNs of `{}` name no region; leave it empty", arn.service);
        let change = Change::new(
            "Without region",
            text.span,
            quoted(&with(arn, "", arn.account)),
        );
        lint.report_fix(
            issue_code::ARN_REGION_NOT_ALLOWED,
            text.span,
            message,
            change,
        );
    } else if !region::is_region(name) && !is_open(name) {
        let mut message = format!("AWS has no region `{name}`");
        let change = nearest(name, region::REGIONS.iter().copied()).map(|meant| {
            suggest(&mut message, meant);
            let whole = with(arn, meant, arn.account);
            Change::write(meant, text.span, &whole)
        });
        lint.add_at(issue_code::INVALID_ARN_REGION, text.span, message, change);
    }
}

fn account(lint: &mut Lint<'_, '_>, text: &Text<'_>, arn: &Arn<'_>, shape: Option<ArnShape>) {
    let presence = shape.map(|shape| shape.account);
    let name = arn.account;
    if name.is_empty() {
        if needs_account(arn, presence) && !is_wild(arn.resource) {
            let message = format!(
                "ARNs of `{}` name an account; add its 12 digits, or `*`",
                arn.service
            );
            let change = Change::new(
                "Any account",
                text.span,
                quoted(&with(arn, arn.region, "*")),
            );
            lint.report_fix(issue_code::MISSING_ARN_ACCOUNT, text.span, message, change);
        }
        return;
    }
    if is_open(name) || name == "aws" || name == "aws-marketplace" {
        return;
    }
    if presence == Some(Presence::Never) {
        let message = format!("ARNs of `{}` name no account; leave it empty", arn.service);
        let change = Change::new(
            "Without account",
            text.span,
            quoted(&with(arn, arn.region, "")),
        );
        lint.report_fix(
            issue_code::ARN_ACCOUNT_NOT_ALLOWED,
            text.span,
            message,
            change,
        );
    } else if name.len() != 12 || !text::is_digits(name) {
        let message = format!("`{name}` is not an account id; write its 12 digits");
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'-' || b == b' ');
        let change = (digits.len() == 12 && plain).then(|| {
            let whole = with(arn, arn.region, &digits);
            Change::write(&digits, text.span, &whole)
        });
        lint.add_at(issue_code::INVALID_ARN_ACCOUNT, text.span, message, change);
    }
}

/// Services that have public resources, whose ARNs name no account, although the tables have one in the ARNs of every type.
const PUBLIC: [&str; 3] = ["kms", "resource-explorer-2", "ssm"];

fn needs_account(arn: &Arn<'_>, presence: Option<Presence>) -> bool {
    if PUBLIC.contains(&arn.service) {
        return false;
    }
    let Some(service) = data::service(arn.service) else {
        return presence == Some(Presence::Always);
    };
    // Each type by itself: an image names no account, an instance does.
    let given = super::variable::opened(arn.resource);
    let mut fitting = service
        .types
        .iter()
        .filter(|t| t.service == arn.service && t.fits(&given))
        .peekable();
    fitting.peek().is_some() && fitting.all(|t| t.has_account)
}

// Only a wildcard: any type may be meant.
fn is_wild(resource: &str) -> bool {
    resource.starts_with('*') || resource.starts_with("${")
}

// Only the embedded services are known so well that "no such type" is sure.
fn resource(lint: &mut Lint<'_, '_>, text: &Text<'_>, arn: &Arn<'_>) {
    let Some(service) = data::service(arn.service) else {
        return;
    };
    let given = super::variable::opened(arn.resource);
    // Other types exist whose ARNs only other services' tables name, and root and aliases.
    let also = match arn.service {
        "iam" => ["root", "sts-", "delegation"]
            .iter()
            .any(|head| given.starts_with(head)),
        _ => false,
    };
    let head = text::cut(&given, b'/').map_or(&*given, |(head, _)| head);
    let fits = |t: &TypePattern| t.service == arn.service && t.fits(&given);
    // Most ARNs begin with the very name of their type.
    let named = service.types.iter().find(|t| t.name == head);
    let known = named.is_some_and(fits) || service.types.iter().any(fits);
    if !known && !also {
        let mut message = format!("`{}` is not a resource of `{}`", arn.resource, arn.service);
        let head = text::cut(arn.resource, b'/').map_or(arn.resource, |(head, _)| head);
        let types = service.types.iter().filter(|t| t.service == arn.service);
        let heads = types.filter_map(|t| text::cut(&t.resource, b'/').map(|(head, _)| head));
        let change = nearest(head, heads)
            .filter(|meant| *meant != head)
            .map(|meant| {
                suggest(&mut message, &format!("{meant}/…"));
                let resource = format!("{meant}{}", &arn.resource[head.len()..]);
                let whole = with(
                    &Arn {
                        resource: &resource,
                        ..*arn
                    },
                    arn.region,
                    arn.account,
                );
                Change::write(meant, text.span, &whole)
            });
        if change.is_none() {
            message.append(&format!(
                "; write a type and a name, such as `{}`",
                example(arn.service)
            ));
        }
        lint.add_at(issue_code::INVALID_ARN_RESOURCE, text.span, message, change);
    }
}

fn example(service: &str) -> &'static str {
    match service {
        "ec2" => "instance/*",
        "ssm" => "parameter/*",
        _ => "role/*",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Where a table tells it by itself, the list has done its service.
    #[test]
    fn public_resources_are_of_services_whose_tables_have_an_account_in_every_arn() {
        for service in PUBLIC {
            let shape = data::arn_shape(service).map(|shape| shape.account);
            assert_eq!(shape, Some(Presence::Always), "{service}");
        }
    }
}
