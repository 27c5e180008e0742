//! The job summary: Markdown that GitHub renders.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::stop::cost_report;
use crate::ec2::Instance;
use crate::launch::plan::Candidate;
use crate::launch::runner::LaunchedRunner;
use crate::launch::spec::StartSpec;
use crate::modes::stop::bill::Bills;
use crate::pricing;
use crate::report::markdown::{cell, code, table};
use crate::report::{Finding, Mark, mermaid, seconds};
use crate::values::region::Region;
use crate::values::runner_id::RunnerId;
use crate::values::spot::Market;

/// A job's summaries may have 1 MiB: with a thousand runners, the first ones have to do.
const MOST_ROWS: usize = 100;

/// Everything that the summary of a `start` tells.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    pub runners: &'a [LaunchedRunner],
    pub online_after: &'a BTreeMap<RunnerId, Duration>,
    pub prepared_in: Duration,
    /// From there until EC2 had launched them all.
    pub launched_in: Duration,
    pub total: Duration,
    pub region: &'a Region,
    pub spec: &'a StartSpec,
}

impl Started<'_> {
    /// What runs where, and how long each phase took.
    pub(crate) fn markdown(&self) -> String {
        let title = match self.runners.len() {
            1 => "runner online".to_owned(),
            several => format!("{several} runners online"),
        };
        let mut text = format!("### Sprinters: {title}\n\n");
        let rows = self.runners.iter().map(|runner| {
            let zone = runner.availability_zone.as_deref().unwrap_or("–");
            let price = self
                .hourly(&runner.candidate)
                .map_or_else(String::new, |price| format!(" (${price:.4}/h)"));
            vec![
                code(&runner.label),
                code(runner.instance_id.as_str()),
                code(runner.candidate.instance_type.as_str()),
                format!("{}{price}", runner.candidate.market),
                code(zone),
            ]
        });
        table(
            &mut text,
            &["Label", "Instance", "Type", "Market", "Zone"],
            rows.take(MOST_ROWS),
        );
        if let Some(more) = self.runners.len().checked_sub(MOST_ROWS + 1) {
            let _ = writeln!(text, "\n… and {} more.", more + 1);
        }
        text.push('\n');
        let mut phases = self.phases();
        text.push_str(&mermaid::gantt(&phases));
        phases.push(("Total", self.total));
        text.push('\n');
        let cells = phases
            .iter()
            .map(|(phase, took)| vec![(*phase).to_owned(), seconds(*took)]);
        table(&mut text, &["Phase", "Took"], cells);
        let _ = writeln!(
            text,
            "\n{} off after one job, after {} without one, and after {} in any case.\n",
            if self.runners.len() == 1 {
                "It powers"
            } else {
                "Each powers"
            },
            self.spec.idle_timeout,
            self.spec.max_lifetime
        );
        text
    }

    /// Dollars per hour, where they are known.
    fn hourly(&self, candidate: &Candidate) -> Option<f64> {
        match candidate.market {
            Market::Spot => candidate.spot_price,
            Market::OnDemand => pricing::on_demand(&candidate.instance_type, self.region),
        }
    }

    /// One after the other. Of several runners, the calls overlap, and the last one counts.
    fn phases(&self) -> Vec<(&'static str, Duration)> {
        let boot = self.online_after.values().max();
        let boot = boot.copied().unwrap_or_default();
        match self.runners {
            [one] => vec![
                ("Plan", self.prepared_in),
                ("JIT config from GitHub", one.minted_in),
                ("RunInstances", one.launched_in),
                ("Boot until online", boot),
            ],
            _ => vec![
                ("Plan", self.prepared_in),
                ("All launched", self.launched_in),
                ("Until the last is online", boot),
            ],
        }
    }
}

/// What `stop` ended, and what it cost.
pub(crate) fn stopped(
    instances: &[Instance],
    bills: &Bills,
    records: usize,
    took: Duration,
) -> String {
    let mut text = String::from("### Sprinters: stopped\n\n");
    if instances.is_empty() {
        text.push_str("There was nothing to stop.\n\n");
        return text;
    }
    let rows = instances.iter().zip(&bills.0).map(|(instance, bill)| {
        let was = if instance.state.is_alive() {
            "terminated now"
        } else {
            "had ended already"
        };
        vec![
            code(instance.id.as_str()),
            code(&instance.instance_type),
            bill.market.to_string(),
            cost_report::ran(bill),
            cost_report::usd(bill.compute),
            was.to_owned(),
        ]
    });
    table(
        &mut text,
        &[
            "Instance",
            "Type",
            "Market",
            "Ran",
            "Cost without volume",
            "Stop",
        ],
        rows.take(MOST_ROWS),
    );
    if let Some(more) = instances.len().checked_sub(MOST_ROWS + 1) {
        let _ = writeln!(text, "\n… and {} more.", more + 1);
    }
    text.push('\n');
    cost_report::section(&mut text, bills);
    let _ = writeln!(
        text,
        "Runner records deleted: {records}. Took {}.\n",
        seconds(took)
    );
    text
}

/// What `sweep` ended.
pub(crate) fn swept(terminated: usize, deleted: usize, spared: usize) -> String {
    format!(
        "### Sprinters: swept\n\nInstances terminated: {terminated}. Runner records deleted: {deleted}. Busy, spared: {spared}.\n\n"
    )
}

/// Whether a run was run again, and why.
pub(crate) fn rerun(is_rerun: bool, why: &str, url: &str, lost: &[[&str; 3]]) -> String {
    let title = if is_rerun {
        "run again"
    } else {
        "nothing to rerun"
    };
    // The URL is GitHub's own, but an answer is an answer.
    let url: String = url.chars().filter(|c| !"()<> \n".contains(*c)).collect();
    let mut text = format!(
        "### Sprinters: {title}\n\n[The run]({url}): {}.\n\n",
        cell(why)
    );
    if !lost.is_empty() {
        let rows = lost
            .iter()
            .map(|[job, instance, reason]| vec![code(job), code(instance), cell(reason)]);
        table(
            &mut text,
            &["Job", "Instance", "Taken back"],
            rows.take(MOST_ROWS),
        );
        text.push('\n');
    }
    text
}

/// What `check` found.
pub(crate) fn checked(findings: &[Finding]) -> String {
    let mut text = String::from("### Sprinters: set-up check\n\n");
    let rows = findings.iter().map(|finding| {
        let mark = match finding.mark {
            Mark::Done => "✅",
            Mark::Missing => "❌",
            Mark::Unknown => "❔",
        };
        vec![
            mark.to_owned(),
            cell(&finding.subject),
            cell(finding.remedy.as_deref().unwrap_or_default()),
        ]
    });
    table(&mut text, &["", "Checked", "What to do"], rows);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{SpotPriceSince, State, Usage, tags};
    use crate::inputs::{Inputs, Problems};
    use crate::launch::journal::Ledger;
    use crate::launch::plan;
    use crate::launch::runner::LaunchedRunner;
    use crate::modes::stop::bill::Bill;
    use crate::values::network::InstanceId;
    use crate::values::region::Zone;
    use std::time::SystemTime;

    fn spec() -> StartSpec {
        let flags = [
            ("instance-type", "m7i.xlarge".to_owned()),
            ("max-lifetime", "2h".to_owned()),
        ];
        let (_, inputs) = Inputs::gather(flags.into(), None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        StartSpec::parse(&inputs, None, &mut problems)
            .unwrap_or_else(|| unreachable!("{:?}", problems.into_errors()))
    }

    #[test]
    fn a_start() {
        let spec = spec();
        let candidate = plan::ladder(&spec, &[]).remove(0);
        let runner = LaunchedRunner {
            entry: Ledger::default().asking_for_record("name"),
            label: "sprinters-1234-1-tabcdefwxyz".to_owned(),
            name: "sprinters-1234-1-tabcdefwxyz-0000".to_owned(),
            runner_id: RunnerId(7),
            instance_id: InstanceId::from_ec2("i-0123456789abcdef0"),
            candidate,
            volumes: spec.volumes(),
            availability_zone: Some("eu-central-1b".to_owned()),
            minted_in: Duration::from_millis(310),
            launched_in: Duration::from_millis(1_240),
        };
        let online_after = BTreeMap::from([(RunnerId(7), Duration::from_millis(18_400))]);
        let region = "eu-central-1"
            .parse()
            .unwrap_or_else(|e| unreachable!("{e}"));
        let started = Started {
            runners: std::slice::from_ref(&runner),
            online_after: &online_after,
            prepared_in: Duration::from_millis(90),
            launched_in: Duration::from_millis(1_550),
            total: Duration::from_millis(20_040),
            region: &region,
            spec: &spec,
        };
        insta::assert_snapshot!(started.markdown());
        let several = [runner.clone(), runner.clone()];
        insta::assert_snapshot!(
            Started {
                runners: &several,
                ..started
            }
            .markdown()
        );
    }

    #[test]
    fn a_stop() {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let after = |seconds| began + Duration::from_secs(seconds);
        let zone = "us-east-1b".parse().ok();
        let instance = |id: &str, state, market, ended| Instance {
            id: InstanceId::from_ec2(id),
            state,
            state_reason: None,
            instance_type: "m7i.xlarge".to_owned(),
            usage: Usage {
                launched: Some(began),
                ended,
                market,
                zone: zone.clone(),
                root_volume_id: None,
            },
            tags: [(tags::ROOT.to_owned(), "gp3/3000/125,30GiB".to_owned())].into(),
        };
        let history: Vec<SpotPriceSince> = zone
            .iter()
            .map(|zone: &Zone| SpotPriceSince {
                instance_type: "m7i.xlarge".to_owned(),
                zone: zone.clone(),
                usd_per_hour: 0.08,
                since: began,
            })
            .collect();
        let instances = [
            instance("i-0a", State::Running, Market::Spot, None),
            instance(
                "i-0b",
                State::Terminated,
                Market::OnDemand,
                Some(after(600)),
            ),
        ];
        let stop = |region: &str| {
            let bill = |instance| {
                let region = region.parse().unwrap_or_else(|e| unreachable!("{e}"));
                Bill::of(instance, &region, &history, after(1_205))
            };
            let bills = Bills(instances.iter().map(bill).collect());
            stopped(&instances, &bills, 1, Duration::from_millis(420))
        };
        insta::assert_snapshot!(stop("us-east-1"));
        insta::assert_snapshot!("a_stop_where_prices_are_unknown", stop("eu-north-1"));
        let nothing = stopped(&[], &Bills::default(), 0, Duration::ZERO);
        insta::assert_snapshot!("a_stop_of_nothing", nothing);
    }

    #[test]
    fn a_rerun() {
        let reason = "Server.SpotInstanceTermination: Spot instance termination";
        let why = "attempt 2 begins: job `start | runner` and every job that needs it";
        let url = "https://github.com/o/r/actions/runs/7";
        let lost = ["build", "i-0123456789abcdef0", reason];
        insta::assert_snapshot!(rerun(true, why, url, &[lost]));
        let left = rerun(false, "attempt 1 succeeded", url, &[]);
        insta::assert_snapshot!("nothing_to_rerun", left);
    }

    #[test]
    fn a_check() {
        let findings = [
            Finding {
                mark: Mark::Done,
                subject: "ec2:RunInstances".to_owned(),
                remedy: None,
            },
            Finding {
                mark: Mark::Missing,
                subject: "ec2:CreateTags".to_owned(),
                remedy: Some("refused; add a statement | with <b>\nmarks".to_owned()),
            },
            Finding {
                mark: Mark::Unknown,
                subject: "ec2:ModifyVolume".to_owned(),
                remedy: Some("scoped".to_owned()),
            },
        ];
        insta::assert_snapshot!(checked(&findings));
    }
}
