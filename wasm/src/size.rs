//! How large a policy is, as IAM counts: without white space.

use serde::{Deserialize, Serialize};

/// The kind of policy that the text is to become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A managed policy.
    #[default]
    Managed,
    /// An inline policy of a user.
    #[serde(alias = "user")]
    InlineUser,
    /// An inline policy of a role.
    #[serde(alias = "role")]
    InlineRole,
    /// An inline policy of a group.
    #[serde(alias = "group")]
    InlineGroup,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Managed,
        Self::InlineUser,
        Self::InlineRole,
        Self::InlineGroup,
    ];

    /// The most characters without white space that IAM accepts. Inline policies share the
    /// quota with the others of the same user, role or group.
    #[must_use]
    pub fn quota(self) -> usize {
        match self {
            Self::Managed => 6_144,
            Self::InlineUser => 2_048,
            Self::InlineRole => 10_240,
            Self::InlineGroup => 5_120,
        }
    }

    /// The target of that name; `user`, `role` and `group` are short forms.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let same = |target: &Self| {
            let own = target.name();
            own == name || own.strip_prefix("inline-") == Some(name)
        };
        Self::ALL.into_iter().find(same)
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::InlineUser => "inline-user",
            Self::InlineRole => "inline-role",
            Self::InlineGroup => "inline-group",
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Managed => "managed policy",
            Self::InlineUser => "inline policy of a user",
            Self::InlineRole => "inline policy of a role",
            Self::InlineGroup => "inline policy of a group",
        }
    }
}

/// The characters that count.
#[must_use]
pub fn counted(text: &str) -> usize {
    let white = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    // A continuation byte belongs to a character that is counted already.
    text.bytes()
        .filter(|b| !white(b) && b & 0xC0 != 0x80)
        .count()
}
