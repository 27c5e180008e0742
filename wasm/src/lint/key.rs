//! Condition keys: do they exist, and do they fit the operator?

use super::Lint;
use super::block::Block;
use crate::data::{self, GLOBAL_KEYS, Key, KeyType};
use crate::fix::{Change, nearest, suggest};
use crate::issue_code;
use crate::json::{Member, Text};
use crate::operator::{Comparison, Family, Qualifier};
use crate::pattern::{has_variable, same_name};
use crate::policy::Effect;
use crate::text;

/// Keys that AWS's tables call single-valued while Access Analyzer lets them be qualified. Nothing else in the tables tells them
/// apart from other keys.
const QUALIFIED_ALL_THE_SAME: [&str; 2] = [
    "codestar-connections:ProviderAction",
    "organizations:ServicePrincipal",
];

pub(super) fn check(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, entry: &Member<'_>) {
    let key = &entry.key;
    if has_variable(&key.value) {
        super::variable::unsupported(lint, key, "a condition key");
        return;
    }
    if let Some(known) = existing(lint, key, entry) {
        fit(lint, block, key, known);
    }
}

// Reports a key that does not exist; gives what is known of one that does.
fn existing(lint: &mut Lint<'_, '_>, key: &Text<'_>, entry: &Member<'_>) -> Option<Key> {
    let Some((prefix, name)) =
        text::cut(&key.value, b':').filter(|(p, n)| !p.is_empty() && !n.is_empty())
    else {
        let message = format!(
            "`{}` is not a condition key; write service and name, as in `ec2:InstanceType`",
            key.value
        );
        lint.report(issue_code::INVALID_CONDITION_KEY_FORMAT, key.span, message);
        return None;
    };
    if lint.is_grammar_alone() {
        return None;
    }
    if same_name(prefix, "aws") && same_name(name, "ARN") {
        old_arn_key(lint, key, entry);
        return None;
    }
    if let Some(known) = data::condition_key(lint.catalog, &key.value) {
        return Some(known);
    }
    let bare = key.value.trim_end_matches('/');
    if data::condition_key(lint.catalog, &format!("{bare}/x")).is_some() {
        let message = format!("`{bare}` needs the tag's key; write `{bare}/KEY`");
        lint.report(issue_code::MISSING_TAG_KEY_IN_CONDITION, key.span, message);
        return None;
    }
    if same_name(prefix, "aws") {
        let mut message = format!("there is no global condition key `{}`", key.value);
        let names = lint
            .may_suggest()
            .then(|| GLOBAL_KEYS.iter().map(|(name, _)| *name));
        let change = names.and_then(|names| nearest(name, names));
        let change = change.filter(|meant| !has_variable(meant));
        let change = change.map(|meant| {
            let whole = format!("aws:{meant}");
            suggest(&mut message, &whole);
            Change::write(&whole, key.span, &whole)
        });
        lint.add_at(
            issue_code::INVALID_GLOBAL_CONDITION_KEY,
            key.span,
            message,
            change,
        );
        return None;
    }
    // An identity provider's keys start with its host name.
    if text::has(prefix, b'.') || text::has(prefix, b'/') || data::is_unlisted(prefix) {
        return None;
    }
    service_key(lint, key, prefix, name);
    None
}

#[inline(never)]
fn service_key(lint: &mut Lint<'_, '_>, key: &Text<'_>, prefix: &str, name: &str) {
    if !data::is_key_prefix(prefix) {
        let mut message = format!(
            "there is no service `{prefix}` for the condition key `{}`",
            key.value
        );
        let meant = nearest(prefix, data::prefixes());
        let change = meant.map(|meant| {
            suggest(&mut message, meant);
            Change::write(meant, key.span, &format!("{meant}:{name}"))
        });
        lint.add_at(issue_code::INVALID_SERVICE, key.span, message, change);
        return;
    }
    let Some(names) = data::key_names(lint.catalog, prefix) else {
        return;
    };
    let mut message = format!("the service `{prefix}` has no condition key `{name}`");
    let meant = nearest(name, names.into_iter().filter(|n| !has_variable(n)));
    let change = meant.map(|meant| {
        let whole = format!("{prefix}:{meant}");
        suggest(&mut message, &whole);
        Change::write(&whole, key.span, &whole)
    });
    lint.add_at(
        issue_code::INVALID_SERVICE_CONDITION_KEY,
        key.span,
        message,
        change,
    );
}

// `aws:ARN` has two successors; which one is meant shows in the values.
#[inline(never)]
fn old_arn_key(lint: &mut Lint<'_, '_>, key: &Text<'_>, entry: &Member<'_>) {
    let principal = |text: &str| text::contains(text, ":iam:") || text::contains(text, ":sts:");
    let values = entry.value.elements();
    if values.iter().any(|v| v.as_str().is_some_and(principal)) {
        let message = "`aws:ARN` is an old name; write `aws:PrincipalArn`";
        let change = Change::new("Write aws:PrincipalArn", key.span, "\"aws:PrincipalArn\"");
        lint.report_fix(
            issue_code::DEPRECATED_GLOBAL_CONDITION_KEY,
            key.span,
            message,
            change,
        );
    } else {
        let message = "`aws:ARN` is not supported; write `aws:PrincipalArn` for the caller or \
                       `aws:SourceArn` for the resource that calls";
        lint.report(
            issue_code::UNSUPPORTED_GLOBAL_CONDITION_KEY,
            key.span,
            message,
        );
    }
}

fn fit(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, key: &Text<'_>, known: Key) {
    let Some(operator) = block.operator.filter(|op| op.family != Family::Null) else {
        return;
    };
    if known.multivalued && operator.qualifier.is_none() {
        let message = format!(
            "a request can have several values of `{}`; put `ForAllValues:` or `ForAnyValue:` \
             before `{}`",
            key.value, block.name.value
        );
        let change = block.renamed(&format!("ForAnyValue:{}", block.name.value));
        lint.add_at(issue_code::MISSING_QUALIFIER, key.span, message, change);
    }
    let only_all = operator.qualifier == Some(Qualifier::ForAllValues);
    let excused = QUALIFIED_ALL_THE_SAME
        .iter()
        .any(|k| same_name(k, &key.value));
    if only_all && !known.multivalued && !excused && block.effect == Some(Effect::Allow) {
        let message = format!(
            "`{}` has one value at most, and `ForAllValues` is true where it is absent; remove \
             `ForAllValues:`",
            key.value
        );
        let plain = text::cut(&block.name.value, b':').map_or("", |(_, base)| base);
        let change = block.renamed(plain);
        lint.add_at(
            issue_code::FORALLVALUES_WITH_SINGLE_VALUED_KEY,
            key.span,
            message,
            change,
        );
    }
    operator_type(lint, block, key, known.kind);
}

fn operator_type(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, key: &Text<'_>, kind: KeyType) {
    let Some(operator) = block.operator else {
        return;
    };
    let wanted = match kind {
        // Strings are compared with every operator in practice; ARNs are strings too.
        KeyType::String => return,
        KeyType::Arn if operator.family == Family::String => {
            if operator.comparison == Comparison::Like {
                let base = if operator.negated {
                    "ArnNotLike"
                } else {
                    "ArnLike"
                };
                let name = block.with_base(base);
                let message = format!(
                    "`{}` is an ARN and `{}` lets `*` cross its parts; use `{name}`",
                    key.value, block.name.value
                );
                let code = issue_code::STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS;
                lint.add_at(code, key.span, message, block.renamed(&name));
            }
            return;
        }
        KeyType::Arn => Family::Arn,
        KeyType::Numeric => Family::Numeric,
        KeyType::Bool => Family::Bool,
        KeyType::Date if operator.family == Family::Numeric => return,
        KeyType::Date => Family::Date,
        KeyType::IpAddress => Family::IpAddress,
    };
    if operator.family == wanted {
        return;
    }
    let message = format!(
        "`{}` is compared as {}; use an operator of that kind instead of `{}`",
        key.value,
        wanted.name(),
        block.name.value
    );
    let base = match (wanted, operator.negated) {
        (Family::Bool, false) => Some("Bool"),
        (Family::IpAddress, false) => Some("IpAddress"),
        (Family::IpAddress, true) => Some("NotIpAddress"),
        _ => None,
    };
    let change = base.and_then(|base| block.renamed(&block.with_base(base)));
    lint.add_at(issue_code::TYPE_MISMATCH, key.span, message, change);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Catalog;

    // Where the reference calls them multivalued, the list has done its service.
    #[test]
    fn what_may_be_qualified_all_the_same_is_single_valued_by_the_tables() {
        let catalog = Catalog::new(include_str!("../../data/actions.txt").into());
        for key in QUALIFIED_ALL_THE_SAME {
            let known = data::condition_key(Some(&catalog), key);
            assert_eq!(known.map(|key| key.multivalued), Some(false), "{key}");
        }
    }
}
