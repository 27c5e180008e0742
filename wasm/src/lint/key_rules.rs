//! Keys with rules of their own, from the pages that describe them.

use super::Lint;
use super::value::is_wrong_region;
use super::variable::variables;
use crate::arn::{Arn, is_open};
use crate::data;
use crate::issue_code;
use crate::operator::{Comparison, Family};
use crate::pattern::{find_variable, has_wildcard, matches_ignoring_case, same_name};
use crate::policy::{Condition, Effect, Statement};
use crate::text::{self, Append, IntoList, Join};

/// Keys that the caller sets as it likes.
const CALLER_SET: [&str; 2] = ["aws:Referer", "aws:UserAgent"];
/// Keys whose values are service principals. The last word says whether more than one label
/// may stand before `.amazonaws.com`.
const PRINCIPALS: [(&str, bool); 6] = [
    ("aws:CalledVia", false),
    ("aws:CalledViaFirst", false),
    ("aws:CalledViaLast", false),
    ("aws:PrincipalServiceName", true),
    ("iam:AWSServiceName", true),
    ("iam:PassedToService", true),
];
/// Keys for which the user guide sees no valid use of wildcards.
const SENSITIVE: [&str; 10] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpceAccount",
    "aws:VpceOrgID",
];
/// Keys whose values may have a wildcard behind six characters.
const PREFIXED: [&str; 4] = [
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgPaths",
    "aws:SourceOrgPaths",
    "aws:VpceOrgPaths",
];
/// Keys that only some services send.
const VPCE: [&str; 3] = ["aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"];
/// Prefixes of services that send them, from the keys' descriptions in the user guide; AWS's tables do not have them.
const VPCE_SERVICES: [&str; 26] = [
    "application-signals",
    "applicationinsights",
    "apprunner",
    "athena",
    "cloudhsm",
    "comprehendmedical",
    "config",
    "datasync",
    "discovery",
    "dynamodb",
    "ec2",
    "ecs",
    "elasticfilesystem",
    "events",
    "firehose",
    "kms",
    "lambda",
    "logs",
    "polly",
    "rekognition",
    "s3",
    "scheduler",
    "servicediscovery",
    "sqs",
    "sts",
    "textract",
];
/// Keys that only these actions evaluate.
const ONLY_FOR: [(&str, &[&str]); 3] = [
    ("iam:PassedToService", &["iam:PassRole"]),
    ("iam:AssociatedResourceArn", &["iam:PassRole"]),
    (
        "iam:AWSServiceName",
        &[
            "iam:CreateServiceLinkedRole",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
            "iam:DeleteServiceLinkedRole",
            "iam:GetServiceLinkedRoleDeletionStatus",
            "iam:AttachRolePolicy",
            "iam:PutRolePolicy",
            "iam:DetachRolePolicy",
            "iam:DeleteRolePolicy",
        ],
    ),
];
/// Keys whose values only a second action lets one set.
const NEEDS: [(&str, &str); 2] = [
    ("sts:SourceIdentity", "sts:SetSourceIdentity"),
    ("sts:TransitiveTagKeys", "sts:TagSession"),
];

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    for condition in &statement.conditions {
        let key = condition.key.value.as_ref();
        if !matches!(
            key.as_bytes().first(),
            Some(b'a' | b'A' | b'i' | b'I' | b's' | b'S' | b'd' | b'D' | b'e' | b'E' | b'k' | b'K')
        ) {
            continue;
        }
        // None of them is of a tag.
        if text::has(key, b'/') {
            continue;
        }
        one(lint, statement, condition);
    }
}

#[inline(never)]
fn one(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>, condition: &Condition<'_, '_>) {
    let is = |name: &str| same_name(&condition.key.value, name);
    values(lint, condition, &is);
    related(lint, statement, condition, &is);
    actions(lint, statement, condition, &is);
}

fn values(lint: &mut Lint<'_, '_>, condition: &Condition<'_, '_>, is: &dyn Fn(&str) -> bool) {
    let Some(operator) = condition.operator.filter(|op| op.family != Family::Null) else {
        return;
    };
    let principal = PRINCIPALS.iter().find(|(name, _)| is(name));
    let sensitive = SENSITIVE.iter().any(|name| is(name));
    let prefixed = PREFIXED.iter().any(|name| is(name));
    let like = operator.comparison == Comparison::Like;
    for text in condition
        .value
        .elements()
        .iter()
        .filter_map(|v| v.as_text())
    {
        let value = text.value.as_ref();
        let key = condition.key.value.as_ref();
        if is("aws:RequestedRegion") || is("ec2:Region") {
            if operator.family == Family::String && is_wrong_region(value) {
                let message = format!("AWS has no region `{value}`; write one such as `us-east-1`");
                lint.report(issue_code::INVALID_REGION, text.span, message);
            }
        } else if is("aws:SourceVpc") && !is_open(value) && !is_id(value, "vpc-") {
            let message =
                format!("`{value}` is no VPC; write `vpc-` and 8 or 17 letters and digits");
            lint.report(issue_code::INVALID_VPC_FORMAT, text.span, message);
        } else if is("aws:SourceVpce") && !is_open(value) && !is_id(value, "vpce-") {
            let message = format!(
                "`{value}` is no VPC endpoint; write `vpce-` and 8 or 17 letters and digits"
            );
            lint.report(issue_code::INVALID_VPCE_FORMAT, text.span, message);
        } else if is("s3:x-amz-server-side-encryption-aws-kms-key-id") && !is_open(value) {
            let whole = Arn::parse(value)
                .is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("key/"));
            if !whole {
                let message = format!(
                    "`{value}` is not an ARN of a KMS key; write `arn:aws:kms:REGION:ACCOUNT:key/ID`"
                );
                lint.report(issue_code::INVALID_KMS_KEY_VALUE, text.span, message);
            }
        } else if let Some((_, labels)) = principal
            && operator.family == Family::String
            && !is_principal(value, *labels)
        {
            let message = format!(
                "`{value}` is not a service principal here; write `service.amazonaws.com` in small letters"
            );
            lint.report(
                issue_code::INVALID_SERVICE_PRINCIPAL_FORMAT,
                text.span,
                message,
            );
        }
        if !like {
            continue;
        }
        let trusted = |name: &str| SENSITIVE.iter().any(|key| same_name(key, name));
        let loose =
            variables(value).any(|v| !trusted(v.name) && !matches!(v.name, "*" | "?" | "$"));
        let wild = has_wildcard(&without_variables(value));
        if sensitive && loose {
            let message = format!(
                "`{key}` guards accounts and networks; write the value itself, not a variable"
            );
            lint.report(
                issue_code::VARIABLE_USAGE_TOO_PERMISSIVE,
                text.span,
                message,
            );
        } else if sensitive && wild && value.bytes().any(|b| b != b'*') {
            let message = format!(
                "`{key}` guards accounts and networks; write the value itself, without wildcards"
            );
            lint.report(
                issue_code::WILDCARD_USAGE_TOO_PERMISSIVE,
                text.span,
                message,
            );
        } else if prefixed && text::literal_length(value) < value.len().min(6) && value != "*" {
            let message = format!(
                "a wildcard in `{key}` stands behind at least 6 characters; name the organization"
            );
            lint.report(
                issue_code::WILDCARD_USAGE_TOO_PERMISSIVE,
                text.span,
                message,
            );
        } else if prefixed && find_variable(value).is_some_and(|at| at < 6) {
            let message = format!(
                "a variable in `{key}` stands behind at least 6 characters; name the organization"
            );
            lint.report(
                issue_code::VARIABLE_USAGE_TOO_PERMISSIVE,
                text.span,
                message,
            );
        }
    }
}

fn without_variables(text: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    for variable in variables(text) {
        out.append(&text[from..variable.start]);
        from = variable.end;
    }
    out.append(&text[from..]);
    out
}

fn is_id(value: &str, head: &str) -> bool {
    value.strip_prefix(head).is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn is_principal(value: &str, labels: bool) -> bool {
    if is_open(value) {
        return true;
    }
    let name = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"]
        .iter()
        .find_map(|end| value.strip_suffix(end));
    name.is_some_and(|name| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let label = |l: &str| !l.is_empty() && l.bytes().all(plain);
        name.split('.').all(label) && (labels || !text::has(name, b'.'))
    })
}

fn related(
    lint: &mut Lint<'_, '_>,
    statement: &Statement<'_, '_>,
    condition: &Condition<'_, '_>,
    is: &dyn Fn(&str) -> bool,
) {
    let key = condition.key.value.as_ref();
    let place = condition.key.span;
    let beside = |names: &[&str]| {
        let found = |c: &Condition<'_, '_>| names.iter().any(|n| same_name(&c.key.value, n));
        statement.conditions.iter().any(found)
    };
    if is("aws:VpcSourceIp") && !beside(&["aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn"]) {
        let message =
            format!("private addresses repeat in every VPC; put `aws:SourceVpc` beside `{key}`");
        lint.report(issue_code::MISSING_PAIRED_CONDITION_KEYS, place, message);
    }
    if CALLER_SET.iter().any(|name| is(name)) {
        let message = format!("the caller can send any `{key}`; do not guard access with it");
        lint.report(issue_code::UNTRUSTWORTHY_CONDITION_KEY, place, message);
    }
    if VPCE.iter().any(|name| is(name)) && !only_vpce_services(statement) {
        let message = format!("only some services send `{key}`; name actions of those alone");
        lint.report(
            issue_code::USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES,
            place,
            message,
        );
    }
    let allow = statement.effect == Some(Effect::Allow);
    if is("dynamodb:Attributes") && allow && !selects_attributes(statement) {
        let message = "a read without a projection returns all attributes; add \
                       `\"dynamodb:Select\": \"SPECIFIC_ATTRIBUTES\"`";
        lint.report(
            issue_code::DYNAMODB_ATTRIBUTES_WITHOUT_SELECT,
            place,
            message,
        );
    }
    let string = condition.operator.filter(|op| op.family == Family::String);
    if is("s3:prefix") && string.is_some_and(|op| op.negated == allow) && statement.effect.is_some()
    {
        let message = "a shorter prefix lists the same objects and passes this condition; allow \
                       with `StringLike`, or deny with `StringNotLike`";
        lint.report(issue_code::S3_PREFIX_IN_NEGATIVE_CONTEXT, place, message);
    }
}

fn only_vpce_services(statement: &Statement<'_, '_>) -> bool {
    statement.action.as_ref().is_some_and(|action| {
        let known = |prefix: &str| VPCE_SERVICES.iter().any(|s| same_name(s, prefix));
        !action.negated
            && action
                .texts()
                .all(|t| text::cut(&t.value, b':').is_some_and(|(prefix, _)| known(prefix)))
    })
}

fn selects_attributes(statement: &Statement<'_, '_>) -> bool {
    statement.conditions.iter().any(|c| {
        let mut values = c.value.elements().iter();
        same_name(&c.key.value, "dynamodb:Select")
            && c.operator
                .is_some_and(|op| op.family == Family::String && !op.negated)
            && values.all(|v| v.as_str() == Some("SPECIFIC_ATTRIBUTES"))
    })
}

fn actions(
    lint: &mut Lint<'_, '_>,
    statement: &Statement<'_, '_>,
    condition: &Condition<'_, '_>,
    is: &dyn Fn(&str) -> bool,
) {
    let Some(action) = statement.action.as_ref().filter(|action| !action.negated) else {
        return;
    };
    let key = condition.key.value.as_ref();
    if let Some((_, only)) = ONLY_FOR.iter().find(|(name, _)| is(name)) {
        // Access Analyzer leaves actions with wildcards out of this check.
        let other = action.texts().filter(|text| {
            let known = |name: &&str| same_name(name, &text.value);
            let real =
                text::cut(&text.value, b':').is_some_and(|(prefix, _)| data::is_prefix(prefix));
            real && !has_wildcard(&text.value) && !only.iter().any(known)
        });
        let others: Vec<_> = other.list();
        if !others.is_empty() {
            let names: Vec<_> = others.iter().map(|t| format!("`{}`", t.value)).list();
            let message = format!(
                "requests of {} carry no `{key}`; move them to a statement without this condition",
                names.joined(", ")
            );
            let mut places: Vec<_> = others.iter().map(|t| t.span).list();
            places.push(condition.value.span());
            lint.add(
                issue_code::UNSUPPORTED_ACTION_FOR_CONDITION_KEY,
                places,
                message,
                None,
            );
        }
    }
    let needed = NEEDS
        .iter()
        .find(|(name, _)| is(name))
        .map(|(_, needed)| *needed);
    let needed = needed.filter(|needed| {
        let fits = |name: &str| {
            action
                .texts()
                .any(|t| matches_ignoring_case(&t.value, name))
        };
        statement.effect == Some(Effect::Allow) && fits("sts:AssumeRole") && !fits(needed)
    });
    if let Some(needed) = needed {
        let message = format!("`{key}` can only be set with `{needed}`; add that action");
        let places = vec![action.value.span(), condition.key.span];
        lint.add(
            issue_code::MISSING_ACTION_FOR_CONDITION_KEY,
            places,
            message,
            None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_send_the_keys_are_written_as_actions_begin() {
        assert!(VPCE_SERVICES.is_sorted());
        for service in VPCE_SERVICES {
            assert!(data::is_prefix(service), "{service}");
            assert!(!data::is_unlisted(service), "{service}");
        }
    }
}
