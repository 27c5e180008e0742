//! From a runner group's name to its number, before anything is launched.

use crate::clients::Clients;
use crate::error::Failure;
use crate::github::{DEFAULT_GROUP, GROUPS, Group};
use crate::retry::{self, Deadline};
use crate::values::list::closest;
use crate::values::scope::{RunnerGroup, Scope};

/// The group's number. A group that this repository may not use is not a group to join: its runners would never get the job.
pub(crate) async fn resolve(
    clients: &Clients,
    group: &RunnerGroup,
    deadline: Deadline,
) -> Result<u64, Failure> {
    let name = match group {
        RunnerGroup::Default => return Ok(DEFAULT_GROUP),
        RunnerGroup::Id(id) => return Ok(*id),
        RunnerGroup::Name(name) => name,
    };
    let repository = &clients.run.repository;
    let user = match &clients.run.scope {
        Scope::Enterprise(_) => ("organization", repository.owner()),
        Scope::Organization(_) | Scope::Repository(_) => ("repository", repository.name()),
    };
    let visible = listed(clients, Some(user), deadline).await?;
    if let Some(id) = find(&visible, name) {
        return Ok(id);
    }
    let all = listed(clients, None, deadline).await?;
    Err(unusable(name, user, &all, &clients.run.scope))
}

async fn listed(
    clients: &Clients,
    visible_to: Option<(&str, &str)>,
    deadline: Deadline,
) -> Result<Vec<Group>, Failure> {
    retry::until(GROUPS, deadline, || {
        clients.github.runner_groups(visible_to)
    })
    .await
    .map_err(|error| clients.github_failure(&error))
}

/// The very name, else the only one that differs in case alone.
fn find(groups: &[Group], name: &str) -> Option<u64> {
    let exact = groups.iter().find(|group| group.name == name);
    let mut alike = groups
        .iter()
        .filter(|group| group.name.eq_ignore_ascii_case(name));
    let found = exact.or_else(|| match (alike.next(), alike.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    });
    found.map(|group| group.id)
}

fn unusable(name: &str, (kind, user): (&str, &str), all: &[Group], scope: &Scope) -> Failure {
    if find(all, name).is_some() {
        return Failure::new(
            format!("the runner group `{name}` of {scope} is closed to the {kind} `{user}`"),
            format!(
                "in the group's settings, give the {kind} access, or name another `runner-group`"
            ),
        );
    }
    let names: Vec<&str> = all.iter().map(|group| group.name.as_str()).collect();
    let near =
        closest(name, &names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Failure::new(
        format!("{scope} has no runner group `{name}`{near}"),
        format!("it has: `{}`", names.join("`, `")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<Group> {
        let all = (1..).zip(names.iter().map(ToString::to_string));
        all.map(|(id, name)| Group { id, name }).collect()
    }

    #[test]
    fn names_are_found_whatever_their_case_but_never_guessed() {
        let all = groups(&["Default", "gpu", "GPU", "Large ones"]);
        assert_eq!(find(&all, "GPU"), Some(3));
        assert_eq!(find(&all, "large ONES"), Some(4));
        assert_eq!(find(&all, "Gpu"), None);
    }

    #[test]
    fn what_is_wrong_with_a_group() {
        let scope = Scope::Organization("octo".to_owned());
        let all = groups(&["Default", "Large"]);
        let closed = unusable("Large", ("repository", "app"), &all, &scope);
        assert_eq!(
            closed.what,
            "the runner group `Large` of organization `octo` is closed to the repository `app`"
        );
        let unknown = unusable("Lage", ("repository", "app"), &all, &scope);
        assert_eq!(
            unknown.what,
            "organization `octo` has no runner group `Lage`; did you mean `Large`?"
        );
    }
}
