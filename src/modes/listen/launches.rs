//! A set's launches: when they begin, and what each changes in what is known of the set.

use std::time::SystemTime;

use serde_json::{Map, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::fleet::Member;
use super::launching::{Outcome, outcome_of};
use super::set::Set;
use crate::launch::runner::{LaunchedRunner, described};
use crate::platform::executor::spawn;
use crate::report::seconds;

impl Set {
    /// Begins what is to be launched; `true` where more waits for a turn among all sets.
    pub(super) fn launch(&mut self) -> bool {
        let wanted = self.decide().launch;
        for _ in 0..wanted {
            match self.service.turns.clone().try_acquire_owned() {
                Ok(turn) => self.launch_one(turn),
                Err(_) => return true,
            }
        }
        false
    }

    /// Begins one launch, with a turn among those of all sets.
    pub(super) fn launch_one(&mut self, turn: OwnedSemaphorePermit) {
        let avoids_spot = self.on_demand_next > 0;
        self.on_demand_next = self.on_demand_next.saturating_sub(1);
        let launch = self.launching.begin(avoids_spot);
        spawn(&mut self.launches, async move {
            let outcome = launch.await;
            drop(turn);
            outcome
        });
    }

    pub(super) fn launched(&mut self, outcome: Outcome) {
        self.launching.ended(&outcome);
        let set = &self.voice.set;
        for code in &outcome.refusals {
            self.service.metrics.refusal(set, code);
        }
        for left in &outcome.left {
            self.voice.warns(
                "left",
                format_args!("left for its own timers to end: {left}"),
            );
        }
        match outcome.result {
            Ok(runner) => {
                self.service.metrics.launch(set, "launched");
                self.trouble.launched();
                self.log_launch(&runner);
                self.join(self.launching.member(*runner));
            }
            Err(_) if self.stop.is_cancelled() => {}
            Err(failure) => {
                self.service.metrics.launch(set, outcome_of(&failure));
                let pause = self.trouble.failed(Instant::now());
                self.hinder(failure.what.clone());
                self.voice.warns(
                    "launch-failed",
                    format_args!("{}; trying again in {}", failure.briefly(), seconds(pause)),
                );
            }
        }
    }

    fn log_launch(&self, runner: &LaunchedRunner) {
        self.voice.log_with(
            "launched",
            described(runner),
            Map::from_iter([
                ("instance".to_owned(), json!(runner.instance_id.to_string())),
                ("runner".to_owned(), json!(runner.name)),
                ("took_s".to_owned(), json!(runner.launched_in.as_secs_f64())),
            ]),
        );
    }

    fn join(&mut self, member: Member) {
        let runner = member.runner;
        self.fleet.join(member);
        // Its job's messages may have been faster than EC2's answer.
        if let Some(runner) = runner {
            let is_over = self.jobs.is_over_on(runner);
            if is_over || self.jobs.runs_on(runner) {
                self.fleet.started(runner, SystemTime::now());
                self.online(runner);
            }
            if is_over {
                self.fleet.finished(runner);
            }
        }
        self.look_within(self.pause_of_look());
    }
}
