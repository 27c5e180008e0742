//! `iam:PassRole` and `iam:CreateServiceLinkedRole`, granted more widely than meant.

use super::Lint;
use crate::issue_code::{self, Code};
use crate::pattern::{has_wildcard, matches_ignoring_case, same_name};
use crate::policy::{Effect, Statement};
use crate::position::Span;
use crate::text::IntoList;

struct Family {
    action: &'static str,
    /// Resources that are as good as `*` although they say more.
    broad: &'static [&'static str],
    /// Condition keys that narrow the action enough.
    keys: &'static [&'static str],
    /// Whether a wildcard in such a condition undoes it.
    exact: bool,
    not_action_and_not_resource: Code,
    not_resource: Code,
    star_in_action_and_not_resource: Code,
    star_in_action_and_resource: Code,
    star_in_resource: Code,
    star_in_resource_and_not_action: Code,
}

const PASS_ROLE: Family = Family {
    action: "iam:PassRole",
    broad: &["role/"],
    keys: &["iam:PassedToService", "iam:AssociatedResourceArn"],
    exact: false,
    not_action_and_not_resource: issue_code::PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE,
    not_resource: issue_code::PASS_ROLE_WITH_NOT_RESOURCE,
    star_in_action_and_not_resource: issue_code::PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE,
    star_in_action_and_resource: issue_code::PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE,
    star_in_resource: issue_code::PASS_ROLE_WITH_STAR_IN_RESOURCE,
    star_in_resource_and_not_action: issue_code::PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION,
};

const CREATE_SLR: Family = Family {
    action: "iam:CreateServiceLinkedRole",
    broad: &["role/", "role/aws-service-role/"],
    keys: &["iam:AWSServiceName"],
    exact: true,
    not_action_and_not_resource: issue_code::CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE,
    not_resource: issue_code::CREATE_SLR_WITH_NOT_RESOURCE,
    star_in_action_and_not_resource: issue_code::CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE,
    star_in_action_and_resource: issue_code::CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE,
    star_in_resource: issue_code::CREATE_SLR_WITH_STAR_IN_RESOURCE,
    star_in_resource_and_not_action: issue_code::CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION,
};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    if statement.effect == Some(Effect::Allow) {
        for family in [&PASS_ROLE, &CREATE_SLR] {
            family.check(lint, statement);
        }
    }
}

impl Family {
    fn check(&self, lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
        let (Some(action), Some(resource)) = (&statement.action, &statement.resource) else {
            return;
        };
        let matching = || {
            let fits = |text: &&crate::json::Text<'_>| {
                // Most actions are of other services; look at the letter first.
                matches!(
                    text.value.as_bytes().first(),
                    Some(b'i' | b'I' | b'*' | b'?')
                ) && matches_ignoring_case(&text.value, self.action)
            };
            action.texts().filter(fits)
        };
        let hit = matching().next().is_some();
        if hit == action.negated || self.is_narrowed(statement) {
            return;
        }
        let resources: Vec<Span> = if resource.negated {
            vec![resource.value.span()]
        } else {
            let broad = resource.texts().filter(|text| self.is_broad(&text.value));
            broad.map(|text| text.span).list()
        };
        if resources.is_empty() {
            return;
        }
        if action.negated {
            let code = if resource.negated {
                self.not_action_and_not_resource
            } else {
                self.star_in_resource_and_not_action
            };
            self.report(lint, code, vec![action.value.span()], resources);
            return;
        }
        let split = |wild: bool| -> Vec<Span> {
            let texts = matching().filter(|text| has_wildcard(&text.value) == wild);
            texts.map(|text| text.span).list()
        };
        let codes = if resource.negated {
            [self.not_resource, self.star_in_action_and_not_resource]
        } else {
            [self.star_in_resource, self.star_in_action_and_resource]
        };
        for (code, places) in codes.into_iter().zip([split(false), split(true)]) {
            if !places.is_empty() {
                self.report(lint, code, places, resources.clone());
            }
        }
    }

    fn report(
        &self,
        lint: &mut Lint<'_, '_>,
        code: Code,
        mut places: Vec<Span>,
        resources: Vec<Span>,
    ) {
        places.extend(resources);
        let message = format!(
            "this allows `{}` on roles that you do not think of; name the roles in `Resource`, \
             or add a condition on `{}`",
            self.action, self.keys[0]
        );
        lint.add(code, places, message, None);
    }

    fn is_broad(&self, resource: &str) -> bool {
        let stars = |text: &str| !text.is_empty() && text.bytes().all(|b| b == b'*');
        let name = resource.splitn(6, ':').nth(5).unwrap_or(resource);
        stars(name)
            || self
                .broad
                .iter()
                .any(|head| name.strip_prefix(head).is_some_and(stars))
    }

    fn is_narrowed(&self, statement: &Statement<'_, '_>) -> bool {
        statement.conditions.iter().any(|condition| {
            let operator = condition.operator.filter(|op| !op.negated && !op.if_exists);
            let mut values = condition.value.elements().iter().filter_map(|v| v.as_str());
            operator.is_some()
                && self
                    .keys
                    .iter()
                    .any(|key| same_name(&condition.key.value, key))
                && values.all(|value| value != "*" && !(self.exact && has_wildcard(value)))
        })
    }
}
