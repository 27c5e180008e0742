//! Runs from which GitHub withholds the repository's secrets, so that an empty one is not a mistake.
//!
//! <https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets>,
//! <https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions>

use std::fmt;

use crate::inputs::Inputs;

/// Why a run has no secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    Fork,
    Dependabot,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fork => "a run of a fork does not get the repository's secrets",
            Self::Dependabot => "a run of Dependabot does not get the repository's secrets",
        })
    }
}

/// Why this run lacks a secret that the inputs need; `None` where none is lacking, or where an empty one is a mistake.
/// `event` is the content of the file that `GITHUB_EVENT_PATH` names.
pub(crate) fn withheld(
    inputs: &Inputs,
    environment: impl Fn(&str) -> Option<String>,
    event: Option<&str>,
) -> Option<Withheld> {
    if !is_lacking(inputs, &environment) {
        return None;
    }
    if environment("GITHUB_ACTOR").as_deref() == Some("dependabot[bot]") {
        return Some(Withheld::Dependabot);
    }
    let event: serde_json::Value = serde_json::from_str(event?).ok()?;
    // `pull_request_target` and others run with the base repository's secrets, so they are not among these.
    let is_of_a_pull_request = matches!(
        environment("GITHUB_EVENT_NAME")?.as_str(),
        "pull_request" | "pull_request_review" | "pull_request_review_comment"
    );
    let is_fork = (is_of_a_pull_request && is_from_elsewhere(&event)) || is_in_a_fork(&event);
    is_fork.then_some(Withheld::Fork)
}

/// Whether a part of what signs in is missing. Credentials in the environment are not the inputs' matter.
fn is_lacking(inputs: &Inputs, environment: impl Fn(&str) -> Option<String>) -> bool {
    let has = |name| inputs.get(name).is_some();
    let github = has("github-token") || (has("github-app-id") && has("github-app-private-key"));
    let role = has("aws-role-arn") && environment("ACTIONS_ID_TOKEN_REQUEST_URL").is_none();
    let half_a_key = has("aws-access-key-id") != has("aws-secret-access-key");
    !github || role || half_a_key
}

/// Whether a pull request's commits are of another repository; of one that was deleted, GitHub tells nothing.
fn is_from_elsewhere(event: &serde_json::Value) -> bool {
    let repository = |side: &str| event.pointer(&format!("/pull_request/{side}/repo/full_name"));
    event.get("pull_request").is_some() && repository("head") != repository("base")
}

/// Whether the workflow runs in somebody's fork itself, which has no secrets until its owner stores some.
fn is_in_a_fork(event: &serde_json::Value) -> bool {
    let is_fork = event.pointer("/repository/fork");
    is_fork.and_then(serde_json::Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORK: &str = r#"{"pull_request": {
        "head": {"repo": {"full_name": "stranger/app"}}, "base": {"repo": {"full_name": "octo/app"}}}}"#;
    const BRANCH: &str = r#"{"pull_request": {
        "head": {"repo": {"full_name": "octo/app"}}, "base": {"repo": {"full_name": "octo/app"}}}}"#;
    const DELETED: &str = r#"{"pull_request": {
        "head": {"repo": null}, "base": {"repo": {"full_name": "octo/app"}}}}"#;

    fn of(
        inputs: &[(&'static str, &str)],
        name: &str,
        actor: &str,
        event: &str,
    ) -> Option<Withheld> {
        let flags = inputs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let (_, inputs) = Inputs::gather(flags.collect(), None, |_| None).unwrap_or_default();
        let environment = |variable: &str| match variable {
            "GITHUB_EVENT_NAME" => Some(name.to_owned()),
            "GITHUB_ACTOR" => Some(actor.to_owned()),
            _ => None,
        };
        withheld(&inputs, environment, Some(event))
    }

    #[test]
    fn forks_and_dependabot_get_none() {
        let none = |name, actor, event| of(&[], name, actor, event);
        assert_eq!(none("pull_request", "x", FORK), Some(Withheld::Fork));
        assert_eq!(none("pull_request", "x", DELETED), Some(Withheld::Fork));
        assert_eq!(
            none("push", "x", r#"{"repository": {"fork": true}}"#),
            Some(Withheld::Fork)
        );
        assert_eq!(
            none("push", "dependabot[bot]", "{}"),
            Some(Withheld::Dependabot)
        );
    }

    #[test]
    fn elsewhere_an_empty_secret_is_a_mistake() {
        let none = |name, event| of(&[], name, "x", event);
        assert_eq!(none("pull_request", BRANCH), None);
        assert_eq!(none("pull_request_target", FORK), None);
        assert_eq!(none("push", r#"{"repository": {"fork": false}}"#), None);
        assert_eq!(none("push", "not JSON"), None);
    }

    #[test]
    fn whoever_has_them_all_lacks_nothing() {
        let key = [("aws-access-key-id", "A"), ("aws-secret-access-key", "s")];
        let token = ("github-token", "t");
        let fork = |inputs: &[_]| of(inputs, "pull_request", "x", FORK);
        assert_eq!(fork(&[key[0], key[1], token]), None);
        assert_eq!(fork(&[token]), None, "the environment may have AWS's");
        assert_eq!(fork(&[key[0], token]), Some(Withheld::Fork));
        let role = ("aws-role-arn", "arn:aws:iam::111122223333:role/r");
        assert_eq!(fork(&[role, token]), Some(Withheld::Fork));
    }
}
