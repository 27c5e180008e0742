//! The job summary of a `start`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use crate::launch::runner::LaunchedRunner;
use crate::launch::spec::StartSpec;
use crate::pricing::{self, Gp3};
use crate::report::markdown::{MOST_ROWS, block, code, folded, table};
use crate::report::{mermaid, seconds};
use crate::values::candidate::Candidate;
use crate::values::run::WorkflowRun;
use crate::values::runner_id::RunnerId;
use crate::values::spot::Market;

/// Everything that the summary of a `start` tells.
#[derive(Debug)]
pub(crate) struct Started<'a> {
    pub runners: &'a [LaunchedRunner],
    pub online_after: &'a BTreeMap<RunnerId, Duration>,
    pub prepared_in: Duration,
    /// From there until EC2 had launched them all.
    pub launched_in: Duration,
    pub total: Duration,
    pub spec: &'a StartSpec,
    pub run: &'a WorkflowRun,
    /// What the runners boot from.
    pub images: Vec<String>,
    /// What EC2 refused before.
    pub refused: &'a [String],
    /// Spot was wanted first, and refused.
    pub is_fallback: bool,
}

impl Started<'_> {
    /// What runs where, and how long each phase took.
    pub(crate) fn markdown(&self) -> String {
        let title = match self.runners.len() {
            1 => "runner online".to_owned(),
            several => format!("{several} runners online"),
        };
        let mut text = format!("### Sprinters: {title}\n\n");
        self.runners_table(&mut text);
        if self.is_fallback {
            text.push_str("**EC2 refused spot**, so this is on-demand (`spot: auto`).\n\n");
        }
        if !self.refused.is_empty() {
            let refused = block(self.refused.iter().map(String::as_str));
            text.push_str(&folded("What EC2 refused before", &refused));
        }
        let _ = writeln!(
            text,
            "{} Image {}. Attempt {}.\n",
            self.price(),
            self.images.join(" and "),
            self.run.attempt
        );
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

    fn runners_table(&self, text: &mut String) {
        let rows = self.runners.iter().map(|runner| {
            let zone = runner.availability_zone.as_deref().unwrap_or("–");
            let price = Self::hourly(&runner.candidate)
                .map_or_else(String::new, |price| format!(" (${price:.4}/h)"));
            let id = runner.instance_id.as_str();
            vec![
                code(&runner.label),
                match runner.candidate.region.console_url(id) {
                    Some(url) => format!("[{}]({url})", code(id)),
                    None => code(id),
                },
                code(runner.candidate.instance_type.as_str()),
                format!("{}{price}", runner.candidate.market),
                code(zone),
            ]
        });
        table(
            text,
            &["Label", "Instance", "Type", "Market", "Zone"],
            rows.take(MOST_ROWS),
        );
        if let Some(more) = self.runners.len().checked_sub(MOST_ROWS + 1) {
            let _ = writeln!(text, "\n… and {} more.", more + 1);
        }
        text.push('\n');
    }

    /// An hour's price with volumes, and the most that all can cost before their timers end them. Spot never costs more than
    /// on-demand.
    fn price(&self) -> String {
        let volumes: Option<f64> = self.runners.iter().map(Self::volumes).sum();
        let sum = |hourly: &dyn Fn(&Candidate) -> Option<f64>| -> Option<f64> {
            let hourly: Option<f64> = self.runners.iter().map(|one| hourly(&one.candidate)).sum();
            Some(hourly? + volumes.unwrap_or_default())
        };
        let Some(hour) = sum(&Self::hourly) else {
            return "What it costs is not known here.".to_owned();
        };
        let with = match volumes {
            Some(_) => "with volumes",
            None => "without volumes, whose price is unknown",
        };
        let hours = self.spec.max_lifetime.as_duration().as_secs_f64() / 3_600.0;
        match sum(&Self::on_demand) {
            Some(most) => format!(
                "An hour costs ${hour:.4} ({with}); `max-lifetime` ({}) is reached at ${:.2} at most.",
                self.spec.max_lifetime,
                most.max(hour) * hours
            ),
            None => format!("An hour costs ${hour:.4} ({with})."),
        }
    }

    /// Dollars per hour of a runner's volumes.
    fn volumes(runner: &LaunchedRunner) -> Option<f64> {
        Gp3::of(&runner.candidate.region)?.volumes_per_hour(runner.volumes)
    }

    fn on_demand(candidate: &Candidate) -> Option<f64> {
        let zone = candidate.placement.zone();
        pricing::on_demand(&candidate.instance_type, &candidate.region, zone).ok()
    }

    /// Dollars per hour, where they are known.
    fn hourly(candidate: &Candidate) -> Option<f64> {
        match candidate.market {
            Market::Spot => candidate.spot_price,
            Market::OnDemand => Self::on_demand(candidate),
        }
    }

    /// One after the other. What overlaps is one phase: the plan and the record that is minted meanwhile, and of several runners the
    /// calls, of which the last one counts.
    fn phases(&self) -> Vec<(&'static str, Duration)> {
        let boot = self.online_after.values().max();
        let boot = boot.copied().unwrap_or_default();
        match self.runners {
            [one] => vec![
                ("Plan and JIT config", self.prepared_in.max(one.minted_in)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{Inputs, Problems};
    use crate::launch::journal::Journal;
    use crate::launch::plan;
    use crate::values::network::InstanceId;
    use crate::values::per_region::regions;
    use crate::values::scope::Scope;

    fn spec() -> StartSpec {
        let flags = [
            ("instance-type", "m7i.xlarge".to_owned()),
            ("max-lifetime", "2h".to_owned()),
        ];
        let (_, inputs) = Inputs::gather(flags.into(), None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        StartSpec::parse(
            &inputs,
            regions("eu-central-1").ok().as_ref(),
            &mut problems,
        )
        .unwrap_or_else(|| unreachable!("{:?}", problems.into_errors()))
    }

    #[test]
    fn a_start() {
        let spec = spec();
        let region = spec.regions.first_region();
        let candidate = plan::ladder(&spec, &[region], &[]).remove(0);
        let runner = LaunchedRunner {
            entry: Journal::default().asking_for_record("name"),
            label: "sprinters-1234-1-tabcdefwxyz".to_owned(),
            name: "sprinters-1234-1-tabcdefwxyz-0000".to_owned(),
            runner_id: RunnerId(7),
            instance_id: InstanceId::from_ec2("i-0123456789abcdef0"),
            candidate,
            volumes: spec.volumes(region),
            availability_zone: Some("eu-central-1b".to_owned()),
            minted_in: Duration::from_millis(310),
            launched_in: Duration::from_millis(1_240),
        };
        let online_after = BTreeMap::from([(RunnerId(7), Duration::from_millis(18_400))]);
        let run = WorkflowRun {
            repository: "octo/repo".parse().unwrap_or_else(|e| unreachable!("{e}")),
            id: "1234".to_owned(),
            attempt: "2".to_owned(),
            job: "start-runner".to_owned(),
            job_id: None,
            scope: Scope::Enterprise("acme".to_owned()),
        };
        let refused = ["spot m7i.xlarge in eu-central-1a  InsufficientInstanceCapacity".to_owned()];
        let started = Started {
            run: &run,
            images: vec!["`ubuntu-24.04` (`ami-0abc`, x64)".to_owned()],
            refused: &[],
            is_fallback: false,
            runners: std::slice::from_ref(&runner),
            online_after: &online_after,
            prepared_in: Duration::from_millis(90),
            launched_in: Duration::from_millis(1_550),
            total: Duration::from_millis(20_040),
            spec: &spec,
        };
        insta::assert_snapshot!(started.markdown());
        let several = [runner.clone(), runner.clone()];
        insta::assert_snapshot!(
            Started {
                runners: &several,
                refused: &refused,
                is_fallback: true,
                ..started
            }
            .markdown()
        );
    }
}
