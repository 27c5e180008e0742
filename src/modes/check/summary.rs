//! The job summary of a `check`.

use crate::report::markdown::{self, table};
use crate::report::{CheckResult, CheckStatus};

/// What `check` found.
pub(crate) fn checked(findings: &[CheckResult]) -> String {
    let mut text = String::from("### Sprinters: set-up check\n\n");
    let rows = findings.iter().map(|finding| {
        let mark = match finding.mark {
            CheckStatus::Done => "✅",
            CheckStatus::Missing => "❌",
            CheckStatus::Unknown => "❔",
            CheckStatus::Unanswered => "⚠️",
        };
        vec![
            mark.to_owned(),
            markdown::text(&finding.subject),
            markdown::text(finding.remedy.as_deref().unwrap_or_default()),
        ]
    });
    table(&mut text, &["", "Checked", "What to do"], rows);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check() {
        let findings = [
            CheckResult {
                mark: CheckStatus::Done,
                subject: "ec2:RunInstances".to_owned(),
                remedy: None,
            },
            CheckResult {
                mark: CheckStatus::Missing,
                subject: "ec2:CreateTags".to_owned(),
                remedy: Some("refused; add a `statement` | with <b>\nmarks".to_owned()),
            },
            CheckResult {
                mark: CheckStatus::Unknown,
                subject: "ec2:ModifyVolume".to_owned(),
                remedy: Some("scoped".to_owned()),
            },
        ];
        insta::assert_snapshot!(checked(&findings));
    }
}
