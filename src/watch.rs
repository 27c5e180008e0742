//! Waits until every runner is online, looking at both sides: GitHub's record and EC2's instance.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::clients::Clients;
use crate::ec2::{Ec2Error, Instance};
use crate::failure::Failure;
use crate::github::{GithubError, Runner, RunnerId, Status};
use crate::launch::LaunchedRunner;
use crate::report::{Report, seconds};
use crate::retry::{Backoff, Deadline};
use crate::spec::duration::Seconds;
use crate::spec::network::InstanceId;

/// How often EC2 is asked, compared with GitHub: a dead instance is rare, and noticing it a little later costs nothing.
const EC2_EVERY: Duration = Duration::from_secs(5);
/// From this many runners on, one list answers for all.
const LIST_FROM: usize = 4;

/// Looks at runners until all are online.
pub(crate) struct Watch<'a> {
    clients: &'a Clients,
    report: &'a Report,
    began: Instant,
    waiting: BTreeMap<RunnerId, Waiting<'a>>,
    online: BTreeMap<RunnerId, Duration>,
}

/// What is known of a runner that is not online yet.
struct Waiting<'a> {
    runner: &'a LaunchedRunner,
    etag: Option<String>,
    github: String,
    ec2: Option<Instance>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        clients: &'a Clients,
        report: &'a Report,
        runners: &'a [LaunchedRunner],
    ) -> Self {
        let waiting = runners.iter().map(|runner| {
            (
                runner.runner_id,
                Waiting {
                    runner,
                    etag: None,
                    github: "not seen yet".to_owned(),
                    ec2: None,
                },
            )
        });
        Self {
            clients,
            report,
            began: Instant::now(),
            waiting: waiting.collect(),
            online: BTreeMap::new(),
        }
    }

    /// How long after the launch each runner was seen online. Fails at once when an instance dies or a record vanishes.
    pub(crate) async fn until_online(
        mut self,
        deadline: Deadline,
        timeout: Seconds,
    ) -> Result<BTreeMap<RunnerId, Duration>, Failure> {
        let mut next_ec2 = self.began + EC2_EVERY;
        let mut slow_down = Backoff::default();
        loop {
            let mut wait = pause(self.began.elapsed());
            if Instant::now() >= next_ec2 {
                next_ec2 = Instant::now() + EC2_EVERY;
                let (github, ec2) = tokio::join!(self.ask_github(), self.ask_ec2());
                self.note_ec2(ec2)?;
                wait = wait.max(self.note_github(github, &mut slow_down)?);
            } else {
                let github = self.ask_github().await;
                wait = wait.max(self.note_github(github, &mut slow_down)?);
            }
            if self.waiting.is_empty() {
                return Ok(self.online);
            }
            let state = self
                .waiting
                .values()
                .next()
                .map(Waiting::state)
                .unwrap_or_default();
            self.report.progress(format_args!(
                "waiting for {state}  {}",
                seconds(self.began.elapsed())
            ));
            if deadline.sleep(wait).await.is_err() {
                // A last look: the runner may have come online just now.
                tokio::time::sleep_until(deadline.instant()).await;
                let (github, ec2) = tokio::join!(self.ask_github(), self.ask_ec2());
                self.note_github(github, &mut slow_down)?;
                self.note_ec2(ec2)?;
                return if self.waiting.is_empty() {
                    Ok(self.online)
                } else {
                    Err(self.timed_out(timeout))
                };
            }
        }
    }

    /// Few runners are asked for by id, conditionally: an unchanged answer costs no rate limit.
    async fn ask_github(&self) -> Result<Vec<(RunnerId, Status)>, GithubError> {
        let github = &self.clients.github;
        if self.waiting.len() < LIST_FROM {
            let mut seen = Vec::new();
            for (id, waiting) in &self.waiting {
                seen.push((*id, github.runner(*id, waiting.etag.as_deref()).await?));
            }
            return Ok(seen);
        }
        let mut listed: BTreeMap<RunnerId, Runner> = github
            .runners(None)
            .await?
            .into_iter()
            .map(|runner| (runner.id, runner))
            .collect();
        let status = |runner| match runner {
            Some(runner) => Status::Found { runner, etag: None },
            None => Status::Gone,
        };
        Ok(self
            .waiting
            .keys()
            .map(|id| (*id, status(listed.remove(id))))
            .collect())
    }

    /// Takes GitHub's answer in; how long GitHub asked to wait.
    fn note_github(
        &mut self,
        answer: Result<Vec<(RunnerId, Status)>, GithubError>,
        slow_down: &mut Backoff,
    ) -> Result<Duration, Failure> {
        let statuses = match answer {
            Ok(statuses) => statuses,
            Err(error) if error.is_passing() => {
                let wait = slow_down.next(error.wait());
                for waiting in self.waiting.values_mut() {
                    waiting.github = format!("not known ({error})");
                }
                return Ok(wait);
            }
            Err(error) => return Err(self.clients.github_failure(&error)),
        };
        *slow_down = Backoff::default();
        for (id, status) in statuses {
            match status {
                Status::Unchanged => {}
                // Busy means that a job already runs on it: it has been online.
                Status::Found { runner, .. } if runner.is_online() || runner.busy => {
                    self.waiting.remove(&id);
                    self.online.insert(id, self.began.elapsed());
                }
                Status::Found { runner, etag } => {
                    if let Some(waiting) = self.waiting.get_mut(&id) {
                        waiting.etag = etag;
                        waiting.github = runner.status;
                    }
                }
                Status::Gone => return Err(self.vanished(id)),
            }
        }
        Ok(Duration::ZERO)
    }

    async fn ask_ec2(&self) -> Result<Vec<Instance>, Ec2Error> {
        let ids: Vec<String> = self
            .waiting
            .values()
            .map(|waiting| waiting.runner.instance_id.to_string())
            .collect();
        self.clients.ec2.instances(&[("instance-id", &ids)]).await
    }

    /// Takes EC2's answer in. A failed look is none: GitHub's side decides about success.
    fn note_ec2(&mut self, answer: Result<Vec<Instance>, Ec2Error>) -> Result<(), Failure> {
        let mut seen: BTreeMap<InstanceId, Instance> = match answer {
            Ok(instances) => instances
                .into_iter()
                .map(|instance| (instance.id.clone(), instance))
                .collect(),
            Err(error) if error.is_passing() => return Ok(()),
            Err(error) => return Err(self.clients.ec2_failure(&error)),
        };
        for waiting in self.waiting.values_mut() {
            if let Some(instance) = seen.remove(&waiting.runner.instance_id) {
                if !instance.state.can_run() {
                    return Err(died(&instance));
                }
                waiting.ec2 = Some(instance);
            }
        }
        Ok(())
    }

    fn vanished(&self, id: RunnerId) -> Failure {
        let name = self
            .waiting
            .get(&id)
            .map(|waiting| waiting.runner.name.as_str())
            .unwrap_or_default();
        Failure::new(
            format!("the record of runner `{name}` vanished from GitHub before it was seen online"),
            "either someone removed it, or another job with one of its labels took it and is done already: give `labels` only to \
             jobs that may take any runner, and let yours ask for the `label` output",
        )
    }

    fn timed_out(&self, timeout: Seconds) -> Failure {
        let states: Vec<String> = self.waiting.values().map(Waiting::state).collect();
        Failure::new(
            format!("no runner came online within `start-timeout` ({timeout}): {}", states.join("; ")),
            "likely causes: the subnet has no way to GitHub (a public IP address or a NAT gateway, and outbound port 443); the \
             image is for another architecture (x64, arm64) than the instance type, or has no cloud-init; `setup` takes longer than `start-timeout`",
        )
        .and("the instance wrote what it did to its serial console, in lines that begin with `sprinters:`")
    }
}

impl Waiting<'_> {
    fn state(&self) -> String {
        let instance = &self.runner.instance_id;
        let ec2 = match &self.ec2 {
            None => format!("EC2 has not described `{instance}` yet"),
            Some(known) => match &known.state_reason {
                None => format!("EC2 says `{instance}` is {}", known.state.name()),
                Some(reason) => {
                    format!("EC2 says `{instance}` is {} ({reason})", known.state.name())
                }
            },
        };
        format!(
            "runner `{}`: GitHub says {}, {ec2}",
            self.runner.name, self.github
        )
    }
}

/// How long to wait before the next look. Most runners come online between 15 and 60 seconds after the launch; later than
/// that, a second more or less matters less and less.
fn pause(elapsed: Duration) -> Duration {
    match elapsed.as_secs() {
        0..90 => Duration::from_secs(1),
        90..180 => Duration::from_secs(2),
        _ => Duration::from_secs(4),
    }
}

fn died(instance: &Instance) -> Failure {
    let reason = instance
        .state_reason
        .as_deref()
        .unwrap_or("EC2 gives no reason");
    let help = if reason.contains("SpotInstance") {
        "AWS took the spot instance back: run the job again, or use `spot: auto`, more instance types or more zones"
    } else if reason.contains("InstanceInitiatedShutdown") {
        "the instance powered itself off: `setup` failed, the runner program could not be downloaded or did not match its \
         checksum, or the runner was refused by GitHub; it wrote which to its serial console, in a line that begins with \
         `sprinters:`"
    } else if reason.contains("Client.InternalError") {
        "most often the account's default EBS key: the caller may not use this KMS key"
    } else if reason.contains("VolumeLimitExceeded") {
        "the account's EBS quota is used up: delete volumes, or ask for a higher quota"
    } else if reason.contains("UserInitiatedShutdown") {
        "someone, or a `stop` of this run, terminated it while it started"
    } else {
        "run the job again; if it happens often, use other instance types or zones"
    };
    Failure::new(
        format!(
            "instance `{}` is {} before its runner came online: {reason}",
            instance.id,
            instance.state.name()
        ),
        help,
    )
}
