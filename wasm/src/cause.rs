//! What is not granted only because of an error somewhere else.

use crate::lint::Diagnostic;
use crate::policy::Policy;
use crate::position::Span;
use crate::text::{IntoList, Own};
use crate::verdict::{Decision, Permission, Verdict};

/// The findings, by their index, that permissions follow from: one whose change would grant the permission, as `granted` says;
/// one in the statement that decides about it; or the first for which IAM refuses a text without any statement.
pub(crate) fn of(
    granted: Vec<(usize, String)>,
    found: &[Diagnostic],
    verdict: &Verdict,
    policy: &Policy<'_, '_>,
) -> Vec<(usize, String)> {
    // Advice is not a cause: it says how to go on.
    let mut causes = granted
        .into_iter()
        .filter(|(at, _)| *at < found.len())
        .list();
    for permission in &verdict.permissions {
        let is_known = causes
            .iter()
            .any(|(_, action)| *action == permission.action);
        if permission.decision != Decision::Granted
            && !is_known
            && let Some(at) = refusing(found, permission, policy)
        {
            causes.push((at, permission.action.own()));
        }
    }
    causes
}

// The finding without which more would be known of the permission.
fn refusing(
    found: &[Diagnostic],
    permission: &Permission,
    policy: &Policy<'_, '_>,
) -> Option<usize> {
    let refused_in = |span: Option<Span>| {
        let place = |d: &Diagnostic| d.places.first().copied().unwrap_or_default();
        let inside = |d: &Diagnostic| span.is_none_or(|span| span.contains(place(d)));
        found.iter().position(|d| d.refused && inside(d))
    };
    if policy.statements.is_empty() {
        return refused_in(None);
    }
    if permission.decision != Decision::Conditional {
        return None;
    }
    let mut deciding = permission
        .statements
        .iter()
        .filter_map(|at| policy.statements.get(*at));
    let first = deciding.next().filter(|statement| statement.in_doubt)?;
    // A condition of another statement is worth being told.
    if deciding.any(|statement| !statement.in_doubt) {
        return None;
    }
    refused_in(Some(first.value.span()))
}
