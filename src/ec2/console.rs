//! `GetConsoleOutput`: what an instance wrote to its serial console. Not one of the six permissions: asked for where it may help,
//! and never required.

use anstream::adapter::strip_str;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Ec2, Ec2Error};
use crate::values::network::InstanceId;

pub(crate) const GET_CONSOLE_OUTPUT: &str = "ec2:GetConsoleOutput";

/// So many lines tell why a boot failed.
const MOST_LINES: usize = 12;
/// Of a line that has no end.
const MOST_CHARACTERS: usize = 200;
/// What the boot script begins its lines with.
const OURS: &str = "sprinters: ";

impl Ec2 {
    /// The last that an instance said: the boot script's own lines where there are any, else whatever was last.
    pub(crate) async fn console_tail(
        &self,
        instance: &InstanceId,
    ) -> Result<Vec<String>, Ec2Error> {
        let ask = |latest: bool| {
            self.client
                .get_console_output()
                .instance_id(instance.as_str())
                .set_latest(latest.then_some(true))
                .send()
        };
        let answer = match ask(true).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let error = Ec2Error::from_sdk(GET_CONSOLE_OUTPUT, &error);
                // Only Nitro knows the latest; elsewhere the console is kept from time to time.
                if error.code() != Some("UnsupportedOperation") {
                    return Err(error);
                }
                ask(false).await
            }
        }
        .map_err(|error| Ec2Error::from_sdk(GET_CONSOLE_OUTPUT, &error))?;
        let encoded: String = answer
            .output()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        Ok(tail(&String::from_utf8_lossy(&bytes)))
    }
}

/// The lines worth telling, without what a terminal would take for a command.
fn tail(console: &str) -> Vec<String> {
    let lines: Vec<String> = console
        .split(['\n', '\r'])
        .map(readable)
        .filter(|line| !line.is_empty())
        .collect();
    let ours: Vec<&String> = lines.iter().filter(|line| line.starts_with(OURS)).collect();
    let tail_lines = if ours.is_empty() {
        lines.iter().collect()
    } else {
        ours
    };
    let skipped = tail_lines.len().saturating_sub(MOST_LINES);
    tail_lines.into_iter().skip(skipped).cloned().collect()
}

/// Without colours and other control sequences.
fn readable(line: &str) -> String {
    let text = strip_str(line).to_string();
    let printed = text.trim().chars().filter(|c| !c.is_control());
    printed.take(MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_lines_say_it_all() {
        let console = "[    0.1] Linux\r\nsprinters: preparing\r\n\u{1b}[32mOK\u{1b}[0m Started\r\nsprinters: error: no\r\n";
        assert_eq!(
            tail(console),
            ["sprinters: preparing", "sprinters: error: no"]
        );
    }

    #[test]
    fn without_them_the_last_words() {
        let console = (0..40).fold(String::new(), |console, n| {
            console + &format!("\u{1b}[0;1;31mline {n}\u{1b}[0m\n\n")
        });
        let tail_lines = tail(&console);
        assert_eq!(
            (tail_lines.len(), tail_lines.first().map(String::as_str)),
            (MOST_LINES, Some("line 28"))
        );
        assert!(tail(" \n\r\n").is_empty());
        assert_eq!(
            tail(&"x".repeat(9_000)).first().map(String::len),
            Some(MOST_CHARACTERS)
        );
    }
}
