//! The answer in one sentence: refused, works, works but too wide, depends, lacks N. Page, terminal, JSON, SARIF and step
//! all say this one.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::issue_code::{FindingType, sprinters};
use crate::text::{IntoList, Join, Own};
use crate::verdict::{Decision, Permission, Verdict};

/// The kinds of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// IAM would not save the text.
    Refused,
    /// A permission is missing or denied.
    Lacks,
    /// No permission is missing or denied, but some depend on what the text cannot tell.
    Depends,
    /// Everything needed is granted, and more than it should be.
    TooWide,
    /// Everything needed is granted.
    Works,
}

impl Kind {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Lacks => "lacks",
            Self::Depends => "depends",
            Self::TooWide => "too-wide",
            Self::Works => "works",
        }
    }
}

/// The answer in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// Its kind.
    pub kind: Kind,
    /// The sentence, without a full stop.
    pub text: String,
}

impl Headline {
    /// `mended` is what a text is worth once that is fixed for which IAM refuses it, as far as that is known.
    pub(crate) fn new(
        verdict: &Verdict,
        mended: Option<&Verdict>,
        findings: &[Finding],
        advice: &[Finding],
    ) -> Self {
        let worth_of = mended.unwrap_or(verdict);
        let (kind, worth) = worth(worth_of, findings, advice);
        if let Some(refused) = verdict.refused {
            let mut text = format!("AWS will not save this: {}", errors(refused.errors));
            let word = if refused.errors == 1 {
                ""
            } else {
                "the first in "
            };
            let _ = write!(text, ", {word}line {}", refused.line);
            // Where nothing could be decided, there is nothing that it would be worth.
            let is_decided = |p: &Permission| p.decision != Decision::Missing;
            if worth_of.permissions.iter().any(is_decided) {
                let it = if refused.errors == 1 {
                    "that is"
                } else {
                    "those are"
                };
                let _ = write!(text, ". Once {it} fixed, {worth}");
            }
            return Self {
                kind: Kind::Refused,
                text,
            };
        }
        let text = format!("{worth}{}", rest(findings));
        Self { kind, text }
    }

    /// Whether Sprinters can work with the policy, as far as its text tells.
    #[must_use]
    pub fn passes(&self) -> bool {
        !matches!(self.kind, Kind::Refused | Kind::Lacks)
    }
}

// What the permissions come to.
fn worth(verdict: &Verdict, findings: &[Finding], advice: &[Finding]) -> (Kind, String) {
    let all = verdict.permissions.len();
    let count = |decision| {
        let same = verdict
            .permissions
            .iter()
            .filter(|p| p.decision == decision);
        same.count()
    };
    let (missing, denied) = (count(Decision::Missing), count(Decision::Denied));
    let conditional = count(Decision::Conditional);
    if missing + denied > 0 {
        let are = |n: usize| if n == 1 { "is" } else { "are" };
        let mut parts = Vec::new();
        for (n, word) in [(missing, "missing"), (denied, "denied")] {
            if n > 0 {
                parts.push(format!("{n} {} {word}", are(n)));
            }
        }
        let text = format!(
            "Sprinters cannot work with this policy: of {all} permissions, {}",
            parts.joined(", ")
        );
        return (Kind::Lacks, text);
    }
    if conditional > 0 {
        let depends = if conditional == 1 {
            "depends"
        } else {
            "depend"
        };
        let text = format!(
            "whether Sprinters can work with this policy depends on conditions: of {all} permissions, {conditional} {depends}"
        );
        return (Kind::Depends, text);
    }
    let can = "Sprinters can work with this policy";
    let has = |code: &str| advice.iter().any(|a| a.issue_code == code);
    if has(sprinters::ADMINISTRATOR_ACCESS.name) {
        return (
            Kind::TooWide,
            format!("{can}, but it is administrator access: it allows every action on everything"),
        );
    }
    let risks = findings.iter().chain(advice);
    let risks = risks.filter(|f| f.finding_type == FindingType::SecurityWarning);
    match risks.count() {
        0 => (Kind::Works, can.own()),
        1 => (
            Kind::TooWide,
            format!("{can}, but it is too wide: 1 security warning"),
        ),
        n => (
            Kind::TooWide,
            format!("{can}, but it is too wide: {n} security warnings"),
        ),
    }
}

// Errors that IAM saves: a part of the policy does not do what it says.
fn rest(findings: &[Finding]) -> String {
    let wrong: Vec<&Finding> = findings
        .iter()
        .filter(|f| f.finding_type == FindingType::Error)
        .list();
    let Some(first) = wrong.first() else {
        return String::new();
    };
    let line = first.locations.first().map_or(1, |l| l.span.start.line);
    let word = if wrong.len() == 1 {
        ""
    } else {
        "the first in "
    };
    format!("; it has {}, {word}line {line}", errors(wrong.len()))
}

fn errors(n: usize) -> String {
    if n == 1 {
        "1 error".own()
    } else {
        format!("{n} errors")
    }
}
