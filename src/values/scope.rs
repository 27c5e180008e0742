//! Where runners register: at the repository, at its organization, or at an enterprise.

use std::fmt;

use super::list::closest;
use super::repository::Repository;

/// Where runners register. Whoever may see that place may use them, so that the wider ones are shared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Repository(Repository),
    Organization(String),
    /// An enterprise, by the name in its URL.
    Enterprise(String),
}

/// What a scope may be, for messages.
const ACCEPTED: &str =
    "`repo`, `org` (the organization that owns the repository) or `enterprise/<slug>`";

impl Scope {
    /// Parses the input `scope`; the error says what is accepted.
    pub(crate) fn parse(text: &str, repository: &Repository) -> Result<Self, String> {
        if let Some(slug) = text.strip_prefix("enterprise/") {
            return if is_slug(slug) {
                Ok(Self::Enterprise(slug.to_owned()))
            } else {
                Err("`enterprise/<slug>`, where the slug is the enterprise's name in its URL, https://github.com/enterprises/<slug>".to_owned())
            };
        }
        match text {
            "repo" => Ok(Self::Repository(repository.clone())),
            "org" => Ok(Self::Organization(repository.owner().to_owned())),
            "enterprise" => Err("`enterprise/<slug>`: say which enterprise".to_owned()),
            other => Err(match closest(other, &["repo", "org", "enterprise"]) {
                Some(near) => format!("{ACCEPTED}; did you mean `{near}`?"),
                None => ACCEPTED.to_owned(),
            }),
        }
    }

    /// The first part of the path of every runner endpoint.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Repository(repository) => format!("repos/{repository}"),
            Self::Organization(name) => format!("orgs/{name}"),
            Self::Enterprise(slug) => format!("enterprises/{slug}"),
        }
    }

    /// What stands in the tag of an instance whose runner registered there; nothing at a repository.
    pub(crate) fn tag(&self) -> Option<String> {
        self.is_shared().then(|| self.path())
    }

    /// What that tag says, in a sentence.
    pub(crate) fn described_tag(tag: Option<&str>) -> String {
        tag.map_or_else(
            || "at the repository".to_owned(),
            |tag| format!("at `{tag}`"),
        )
    }

    /// Whether runners of others stand there, too.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self, Self::Repository(_))
    }

    /// What the token must be allowed to do, in the words of GitHub's settings.
    pub(crate) fn permission(&self) -> &'static str {
        match self {
            Self::Repository(_) => "the repository permission `Administration: Read and write`",
            Self::Organization(_) => {
                "the organization permission `Self-hosted runners: Read and write` \
                 (`organization_self_hosted_runners: write`; of a classic token: `admin:org`)"
            }
            Self::Enterprise(_) => {
                "the scope `manage_runners:enterprise` of a classic token (no other kind of token may do this)"
            }
        }
    }
}

/// As it stands in a sentence.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(repository) => write!(f, "`{repository}`"),
            Self::Organization(name) => write!(f, "organization `{name}`"),
            Self::Enterprise(slug) => write!(f, "enterprise `{slug}`"),
        }
    }
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// The group that new runners join.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RunnerGroup {
    /// The one that every repository, organization and enterprise has.
    #[default]
    Default,
    Id(u64),
    Name(String),
}

impl RunnerGroup {
    /// Parses the input `runner-group`, for runners that register at that scope; the error says what is accepted.
    pub(crate) fn parse(text: &str, is_repository: bool) -> Result<Self, String> {
        let group = if text.eq_ignore_ascii_case("default") || text == "1" {
            Self::Default
        } else if let Ok(id) = text.parse() {
            Self::Id(id)
        } else {
            Self::Name(text.to_owned())
        };
        if is_repository && group != Self::Default {
            return Err("`Default`: a repository has no other group; `scope: org` or `scope: enterprise/<slug>` has".to_owned());
        }
        Ok(group)
    }
}

impl fmt::Display for RunnerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn scope(text: &str) -> Result<String, String> {
        let repository = "octo/app".parse()?;
        Scope::parse(text, &repository).map(|scope| scope.path())
    }

    #[test]
    fn scopes() {
        assert_eq!(scope("repo").as_deref(), Ok("repos/octo/app"));
        assert_eq!(scope("org").as_deref(), Ok("orgs/octo"));
        assert_eq!(
            scope("enterprise/acme-inc").as_deref(),
            Ok("enterprises/acme-inc")
        );
        for (text, message) in [
            ("rep", "did you mean `repo`?"),
            ("enterprise", "say which enterprise"),
            ("enterprise/", "`enterprise/<slug>`"),
            ("enterprise/a b", "`enterprise/<slug>`"),
            ("enterprise/a/../b", "`enterprise/<slug>`"),
        ] {
            assert!(scope(text).is_err_and(|e| e.contains(message)), "{text}");
        }
    }

    #[test]
    fn groups() {
        let group = |is_repository: bool, text: &str| RunnerGroup::parse(text, is_repository).ok();
        assert_eq!(group(true, "default"), Some(RunnerGroup::Default));
        assert_eq!(group(false, "1"), Some(RunnerGroup::Default));
        assert_eq!(group(false, "7"), Some(RunnerGroup::Id(7)));
        assert_eq!(
            group(false, "Big ones"),
            Some(RunnerGroup::Name("Big ones".to_owned()))
        );
        assert_eq!(group(true, "Big ones"), None);
    }

    #[test]
    fn each_scope_says_what_it_is_and_what_it_needs() {
        let repository: Repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        for (text, shown, tag, permission) in [
            (
                "repo",
                "`octo/app`",
                None,
                "`Administration: Read and write`",
            ),
            (
                "org",
                "organization `octo`",
                Some("orgs/octo"),
                "`Self-hosted runners: Read and write`",
            ),
            (
                "enterprise/acme",
                "enterprise `acme`",
                Some("enterprises/acme"),
                "`manage_runners:enterprise`",
            ),
        ] {
            let scope = Scope::parse(text, &repository).unwrap_or_else(|e| unreachable!("{e}"));
            assert_eq!(scope.to_string(), shown);
            assert_eq!(
                (scope.tag().as_deref(), scope.is_shared()),
                (tag, tag.is_some())
            );
            assert!(
                scope.permission().contains(permission),
                "{}",
                scope.permission()
            );
        }
        assert_eq!(Scope::described_tag(None), "at the repository");
        assert_eq!(Scope::described_tag(Some("orgs/octo")), "at `orgs/octo`");
    }

    #[test]
    fn groups_are_shown_as_they_were_named() {
        let shown = |text: &str| RunnerGroup::parse(text, false).map(|group| group.to_string());
        for text in ["Default", "7", "Big ones"] {
            assert_eq!(shown(text).as_deref(), Ok(text));
        }
    }
}
