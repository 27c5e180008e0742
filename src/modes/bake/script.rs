//! The user data of an instance that becomes an image: it installs the runner, Docker and what `setup` brings, cleans up and
//! powers off, which stops it.

use std::time::Duration;

use crate::boot::quote::quote;
use crate::boot::{UserData, UserDataError};

/// The part that is the same for every image.
const BODY: &str = include_str!("bake.sh");

/// What the instance says where it fails; why follows.
pub(crate) const FAILED: &str = "bake: FAILED: ";

/// What goes into an image.
#[derive(Debug)]
pub(crate) struct BakeScript<'a> {
    /// The runner program, and its checksum.
    pub url: &'a str,
    pub sha256: &'a str,
    /// The account that jobs run as.
    pub user: &'a str,
    pub setup: Option<&'a str>,
    /// When the instance powers off although it is not done.
    pub give_up_after: Duration,
}

impl BakeScript<'_> {
    fn render(&self) -> String {
        let mut script = String::from(
            "#!/bin/sh\n# Sprinters: this instance becomes an image of a runner, and then stops.\n",
        );
        for (name, value) in [
            ("url", self.url),
            ("sha256", &self.sha256.to_ascii_lowercase()),
            ("user", self.user),
            ("give_up_after", &self.give_up_after.as_secs().to_string()),
            ("setup", self.setup.unwrap_or_default()),
        ] {
            script.push_str(name);
            script.push('=');
            script.push_str(&quote(value));
            script.push('\n');
        }
        script.push_str(BODY);
        script
    }

    pub(crate) fn user_data(&self) -> Result<UserData, UserDataError> {
        UserData::pack(&self.render(), &[("setup", self.setup)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: BakeScript<'static> = BakeScript {
        url: "https://example.com/runner.tar.gz",
        sha256: "ABCDEF",
        user: "runner",
        setup: Some("echo it's mine"),
        give_up_after: Duration::from_mins(40),
    };

    #[test]
    fn values_come_first_and_the_body_last() {
        let script = SCRIPT.render();
        assert!(script.starts_with("#!/bin/sh\n"));
        for line in [
            "sha256='abcdef'",
            "give_up_after='2400'",
            r"setup='echo it'\''s mine'",
        ] {
            assert!(script.lines().any(|other| other == line), "{line}");
        }
        assert!(script.ends_with("poweroff\n"));
        let failed = format!("sprinters: {FAILED}");
        assert!(failed.contains("bake: FAILED: ") && BODY.contains("FAILED: $*"));
    }

    #[test]
    fn what_no_script_can_hold_is_refused() {
        let nul = BakeScript {
            setup: Some("a\0b"),
            ..SCRIPT
        };
        assert_eq!(nul.user_data().err(), Some(UserDataError::Nul("setup")));
        let packed = SCRIPT.user_data().expect("it fits");
        assert!(packed.expose().len() < 3_000);
    }
}
