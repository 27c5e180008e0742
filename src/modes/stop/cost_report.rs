//! What a `stop` cost: the line in the log, the outputs, and a section of the summary.

use std::fmt::Write;
use std::time::Duration;

use crate::modes::stop::bill::{Bill, Bills};
use crate::report::markdown::{self, table};
use crate::report::{mermaid, seconds};

/// What stands for a price or a time that nobody knows.
const UNKNOWN: &str = "unknown";

/// `$0.0123`, or `unknown`.
pub(crate) fn usd(amount: Option<f64>) -> String {
    match amount {
        Some(usd) if usd < 0.0 => format!("-${:.4}", -usd),
        Some(usd) => format!("${usd:.4}"),
        None => UNKNOWN.to_owned(),
    }
}

/// How long an instance ran.
pub(crate) fn ran(bill: &Bill) -> String {
    match bill.ran {
        Some(ran) if ran.is_at_most => format!("at most {}", seconds(ran.duration())),
        Some(ran) => seconds(ran.duration()),
        None => UNKNOWN.to_owned(),
    }
}

/// The outputs of `stop`.
pub(crate) fn outputs(bills: &Bills) -> [(&'static str, String); 4] {
    let number =
        |amount: Option<f64>| amount.map_or_else(|| UNKNOWN.to_owned(), |usd| format!("{usd:.6}"));
    [
        (
            "seconds",
            bills
                .seconds()
                .map_or_else(|| UNKNOWN.to_owned(), |seconds| seconds.to_string()),
        ),
        ("cost-usd", number(bills.cost())),
        ("saved-usd", number(bills.saved())),
        ("interrupted", bills.is_interrupted().to_string()),
    ]
}

/// One line that says it all.
pub(crate) fn line(bills: &Bills) -> String {
    let at_most = if bills.is_at_most() { "at most " } else { "" };
    let time = bills.seconds().map_or_else(
        || UNKNOWN.to_owned(),
        |total| seconds(Duration::from_secs(total)),
    );
    let mut line = format!("ran {at_most}{time}, cost {at_most}{}", usd(bills.cost()));
    if bills.has_less_than_billed() {
        line.push_str(" (EC2 bills at least a minute)");
    }
    if bills.has_spot() {
        let _ = write!(line, "; the same on-demand {}", usd(bills.on_demand()));
    }
    let _ = write!(
        line,
        "; GitHub-hosted {} ({})",
        usd(bills.hosted()),
        hosted_names(bills)
    );
    match bills.saved() {
        Some(saved) if saved < 0.0 => {
            let _ = write!(line, ": {} cheaper", usd(Some(-saved)));
        }
        Some(saved) => {
            let _ = write!(line, ": saved {}", usd(Some(saved)));
        }
        None => {}
    }
    if bills.is_interrupted() {
        line.push_str("; interrupted by EC2");
    }
    if bills.free() > 0 {
        let _ = write!(line, "; not charged: {}", free(bills));
    }
    line
}

/// The sums, what they compare with, and a picture.
pub(crate) fn section(text: &mut String, bills: &Bills) {
    let hosted = hosted_names(bills);
    let at_most = if bills.is_at_most() { "at most; " } else { "" };
    let volumes = volumes(bills);
    let rows = [
        (
            "Instances and volumes",
            bills.cost(),
            format!("{at_most}{volumes}"),
        ),
        (
            "The same on-demand",
            bills.on_demand(),
            bills
                .unpriced()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("GitHub-hosted", bills.hosted(), hosted),
        ("Saved against GitHub-hosted", bills.saved(), String::new()),
    ];
    let cells = rows
        .iter()
        .map(|(what, amount, note)| vec![(*what).to_owned(), usd(*amount), markdown::text(note)]);
    table(text, &["What", "US dollars", "Note"], cells);
    text.push_str(
        "\nEC2 bills at least a minute for each instance. Not counted: traffic, taxes, discounts, and a public IPv4 address \
         ($0.005 an hour).\n\n",
    );
    if bills.free() > 0 {
        let _ = writeln!(text, "Not charged: {}; their volumes are.\n", free(bills));
    }
    let known: Vec<(&str, f64)> = [
        ("this run", bills.cost()),
        ("on-demand", bills.on_demand()),
        ("GitHub-hosted", bills.hosted()),
    ]
    .into_iter()
    .filter_map(|(name, amount)| Some((name, amount?)))
    .collect();
    if known.len() > 1 {
        text.push_str(&mermaid::bars("What it cost", &known));
        text.push('\n');
    }
}

/// What AWS does not charge.
fn free(bills: &Bills) -> String {
    match bills.free() {
        1 => "1 spot instance that AWS reclaimed in its first hour".to_owned(),
        several => format!("{several} spot instances that AWS reclaimed in their first hour"),
    }
}

/// What part of the costs is for volumes, and what is not in it.
fn volumes(bills: &Bills) -> String {
    let mut text = match (bills.volumes(), bills.has_unknown_volume()) {
        (Some(known), false) => format!("{} of it for volumes", usd(Some(known))),
        (Some(known), true) => format!(
            "{} of it for volumes, without those whose price is unknown",
            usd(Some(known))
        ),
        (None, _) => "without volumes, whose price is unknown".to_owned(),
    };
    if bills.has_initialization() {
        text.push_str("; without the initialization rate, whose price is unknown");
    }
    text
}

/// Which of GitHub's runners are the same size, each once.
fn hosted_names(bills: &Bills) -> String {
    let mut names: Vec<&str> = bills
        .0
        .iter()
        .map(|bill| {
            bill.hosted
                .map_or("no runner of the same size", |(hosted, _)| hosted.name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes::stop::bill::Ran;
    use crate::pricing;
    use crate::values::spot::Market;
    use std::time::SystemTime;

    fn bill(seconds: u64, market: Market, compute: Option<f64>) -> Bill {
        let from = SystemTime::UNIX_EPOCH;
        let hosted = "m7i.xlarge".parse().ok();
        Bill {
            market,
            ran: Some(Ran {
                from,
                to: from + Duration::from_secs(seconds),
                is_at_most: false,
            }),
            compute,
            volume: Some(0.01),
            has_initialization: false,
            on_demand: Some(0.5),
            unpriced: None,
            hosted: hosted
                .and_then(|one| pricing::github_hosted(&one))
                .map(|hosted| (hosted, 1.0)),
            is_interrupted: false,
            is_free: false,
        }
    }

    fn unknown() -> Bill {
        Bill {
            ran: None,
            on_demand: None,
            hosted: None,
            ..bill(0, Market::OnDemand, None)
        }
    }

    #[test]
    fn one_line_says_what_is_known() {
        let spot = bill(3_600, Market::Spot, Some(0.2));
        let at_most = Bill {
            ran: spot.ran.map(|ran| Ran {
                is_at_most: true,
                ..ran
            }),
            ..spot.clone()
        };
        let free = Bill {
            is_free: true,
            is_interrupted: true,
            ..bill(600, Market::Spot, Some(0.0))
        };
        let lines: Vec<String> = [
            vec![spot.clone()],
            vec![at_most],
            vec![bill(20, Market::OnDemand, Some(2.0))],
            vec![free.clone()],
            vec![free.clone(), free, spot],
            vec![unknown()],
        ]
        .map(|bills| line(&Bills(bills)))
        .into();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn what_is_unknown_is_an_output_all_the_same() {
        let values = |bills: Vec<Bill>| outputs(&Bills(bills)).map(|(_, value)| value);
        let known = values(vec![bill(60, Market::Spot, Some(0.2))]);
        assert_eq!(known[0], "60");
        assert!(
            known[1].starts_with("0.21") && known[2].starts_with("0.7"),
            "{known:?}"
        );
        assert_eq!(known[3], "false");
        let names = outputs(&Bills::default()).map(|(name, _)| name);
        assert_eq!(names, ["seconds", "cost-usd", "saved-usd", "interrupted"]);
        assert_eq!(
            values(vec![unknown()]),
            ["unknown", "unknown", "unknown", "false"]
        );
    }

    #[test]
    fn amounts_and_times() {
        assert_eq!(usd(Some(0.0)), "$0.0000");
        assert_eq!(usd(Some(-1.25)), "-$1.2500");
        assert_eq!(usd(None), "unknown");
        assert_eq!(ran(&unknown()), "unknown");
    }

    #[test]
    fn the_section_says_what_is_not_in_the_sum() {
        let free = Bill {
            is_free: true,
            ..bill(600, Market::Spot, Some(0.0))
        };
        let unpriced = Bill {
            volume: None,
            has_initialization: true,
            ..bill(600, Market::Spot, Some(0.1))
        };
        let mut text = String::new();
        section(&mut text, &Bills(vec![free, unpriced]));
        section(&mut text, &Bills(vec![unknown()]));
        insta::assert_snapshot!(text);
    }
}
