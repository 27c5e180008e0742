//! The account that runs jobs, and where a runner may already stand.

/// Parses `runner-user`: a Linux account's name, and never root.
pub(crate) fn user(text: &str) -> Result<String, String> {
    let accepted = "a Linux account name such as `runner`: lower-case letters, digits, `_` and `-`, at most 32";
    if text == "root" {
        return Err(format!(
            "{accepted}; never `root`, because jobs run other people's code"
        ));
    }
    let fits = (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(accepted.to_owned())
    }
}

/// Parses `runner-home`: an absolute path on the instance.
pub(crate) fn home(text: &str) -> Result<String, String> {
    let fits = text.starts_with('/')
        && !text.chars().any(char::is_control)
        && !text.split('/').any(|part| part == "..");
    if fits {
        Ok(text.trim_end_matches('/').to_owned()).and_then(|path| {
            if path.is_empty() {
                Err("the folder that holds `run.sh`, not `/`".to_owned())
            } else {
                Ok(path)
            }
        })
    } else {
        Err("an absolute path on the instance, such as `/opt/actions-runner`".to_owned())
    }
}

/// Parses `count`: how many runners to launch.
pub(crate) fn count(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=MOST_RUNNERS).contains(count))
        .ok_or_else(|| format!("a number from 1 to {MOST_RUNNERS}"))
}

/// As many runners as one call launches.
pub(crate) const MOST_RUNNERS: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        assert_eq!(user("runner"), Ok("runner".to_owned()));
        for text in ["", "root", "Runner", "1st", "a b", "x;y", &"a".repeat(33)] {
            assert!(user(text).is_err(), "{text}");
        }
    }

    #[test]
    fn homes() {
        assert_eq!(
            home("/opt/actions-runner/"),
            Ok("/opt/actions-runner".to_owned())
        );
        for text in ["", "/", "opt", "/opt/../etc", "/opt\n"] {
            assert!(home(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count("1000"), Ok(1_000));
        for text in ["0", "1001", "-1", "many", "1.5"] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
