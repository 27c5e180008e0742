//! Waits until every runner is online, looking at both sides: GitHub's record and EC2's instance.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::clients::Clients;
use crate::ec2::{DESCRIBE_INSTANCES, Ec2Error, GET_CONSOLE_OUTPUT, Instance};
use crate::error::Failure;
use crate::github::{GithubError, LIST, LOOK, Status};
use crate::launch::runner::LaunchedRunner;
use crate::modes::start::pace::PACE;
use crate::platform::clock::sleep_until;
use crate::report::{Reporter, first_of, seconds};
use crate::retry::{self, Backoff, Deadline};
use crate::values::duration::Seconds;
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

/// When EC2 is asked first: what dies at once (no key for the volume, no capacity after all) has died by then.
const EC2_FIRST: Duration = Duration::from_secs(2);
/// How long the last look may take, after the time is over.
const LAST_LOOK: Duration = Duration::from_millis(800);
/// How long the console of an instance that failed may keep its end waiting.
const CONSOLE: Duration = Duration::from_millis(1_500);
/// By then every record that exists is shown, by its number and in lists.
const RECORD_SHOWN: Duration = Duration::from_secs(5);
/// From this many runners on, one list answers for all.
const LIST_FROM: usize = 4;
/// A list of very many has many pages: the last few of them are cheaper asked for one by one, conditionally.
const FEW_OF: usize = 50;

/// Looks at runners until all are online.
pub(crate) struct Watch<'a> {
    clients: &'a Clients,
    report: &'a Reporter,
    began: Instant,
    waiting: Vec<Waiting<'a>>,
    online: BTreeMap<RunnerId, Duration>,
    /// All of them: one that is online already can still die.
    instances: Vec<InstanceId>,
    /// Why EC2's side is not known; reported once.
    ec2_error: Option<Ec2Error>,
    /// The instance whose console may tell what went wrong.
    failed_instance: Option<InstanceId>,
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
        report: &'a Reporter,
        runners: &'a [LaunchedRunner],
    ) -> Self {
        let waiting = runners.iter().map(|runner| Waiting {
            runner,
            etag: None,
            github: "not seen yet".to_owned(),
            ec2: None,
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_by_key(|waiting| waiting.runner.runner_id);
        Self {
            clients,
            report,
            began: Instant::now(),
            waiting,
            online: BTreeMap::new(),
            instances: runners
                .iter()
                .map(|runner| runner.instance_id.clone())
                .collect(),
            ec2_error: None,
            failed_instance: None,
        }
    }

    /// How long after the launch each runner was seen online. Fails at once when an instance dies or a record vanishes.
    pub(crate) async fn until_online(
        mut self,
        deadline: Deadline,
        timeout: Seconds,
    ) -> Result<BTreeMap<RunnerId, Duration>, Failure> {
        match self.look_until_online(deadline, timeout).await {
            Ok(()) => Ok(self.online),
            Err(failure) => Err(self.with_console(failure).await),
        }
    }

    async fn look_until_online(
        &mut self,
        deadline: Deadline,
        timeout: Seconds,
    ) -> Result<(), Failure> {
        let mut next_ec2 = self.began + EC2_FIRST;
        let mut slow_down = Backoff::default();
        loop {
            let elapsed = self.began.elapsed();
            let mut wait = PACE.github(elapsed).max(pause_of(self.waiting.len()));
            let before = self.online.len();
            if Instant::now() >= next_ec2 {
                next_ec2 = Instant::now() + PACE.ec2();
                let (github, ec2) = tokio::join!(self.ask_github(deadline), self.ask_ec2(deadline));
                self.note_ec2(ec2)?;
                wait = wait.max(self.note_github(github, &mut slow_down)?);
            } else {
                let github = self.ask_github(deadline).await;
                wait = wait.max(self.note_github(github, &mut slow_down)?);
            }
            if self.waiting.is_empty() {
                return self.all_online(before, deadline).await;
            }
            self.log_progress();
            if deadline.sleep(wait).await.is_err() {
                // A last look: the runner may have come online just now.
                sleep_until(deadline.instant()).await;
                let last = Deadline::after(LAST_LOOK);
                let (github, ec2) = tokio::join!(self.ask_github(last), self.ask_ec2(last));
                self.note_ec2(ec2)?;
                self.note_github(github, &mut slow_down)?;
                return if self.waiting.is_empty() {
                    Ok(())
                } else {
                    Err(self.timed_out(timeout))
                };
            }
        }
    }

    /// Where some were online before others, their instances are looked at once more: all must live now.
    async fn all_online(&mut self, before: usize, deadline: Deadline) -> Result<(), Failure> {
        if before > 0 {
            let ec2 = self.ask_ec2(deadline).await;
            self.note_ec2(ec2)?;
        }
        Ok(())
    }

    /// What the instance said last, for who has the permission. Without it, nothing is said of it.
    async fn with_console(&self, failure: Failure) -> Failure {
        let Some(instance) = &self.failed_instance else {
            return failure;
        };
        let ec2 = self.clients.ec2.of(instance.region());
        let tail = ec2.console_tail(instance);
        let soon = Deadline::after(CONSOLE);
        match retry::attempt(GET_CONSOLE_OUTPUT, soon, tail).await {
            Ok(lines) if !lines.is_empty() => failure.and(format!(
                "the console of `{instance}` says:\n    {}",
                lines.join("\n    ")
            )),
            _ => failure,
        }
    }

    fn log_progress(&self) {
        let Some(first) = self.waiting.first() else {
            return;
        };
        let all = self.online.len() + self.waiting.len();
        self.report.progress(format_args!(
            "{} of {all} online · {} · {}",
            self.online.len(),
            first.briefly(),
            seconds(self.began.elapsed())
        ));
    }

    /// Few runners are asked for by id, conditionally: an unchanged answer costs no rate limit.
    async fn ask_github(&self, deadline: Deadline) -> Result<Vec<(RunnerId, Status)>, GithubError> {
        let github = &self.clients.github;
        if self.waiting.len() < LIST_FROM.max(self.instances.len() / FEW_OF) {
            let mut seen = Vec::new();
            for waiting in &self.waiting {
                let id = waiting.runner.runner_id;
                let look = github.runner(id, waiting.etag.as_deref());
                let status = match retry::attempt(LOOK, deadline, look).await? {
                    Status::Gone => self.look_again(waiting.runner, deadline).await?,
                    status => status,
                };
                seen.push((id, status));
            }
            return Ok(seen);
        }
        let list = retry::attempt(LIST, deadline, github.runners(None)).await?;
        let mut listed = list.runners;
        let mut seen = Vec::new();
        for waiting in &self.waiting {
            let id = waiting.runner.runner_id;
            let place = listed.iter().position(|runner| runner.id == id);
            let status = match place.map(|place| listed.swap_remove(place)) {
                Some(runner) => Status::Found { runner, etag: None },
                None => self.look_again(waiting.runner, deadline).await?,
            };
            seen.push((id, status));
        }
        Ok(seen)
    }

    /// A record that one answer misses may be on another page, or on another of GitHub's servers: only two misses are one.
    async fn look_again(
        &self,
        runner: &LaunchedRunner,
        deadline: Deadline,
    ) -> Result<Status, GithubError> {
        let look = self.clients.github.runners(Some(&runner.name));
        let list = retry::attempt(LIST, deadline, look).await?;
        let is_whole = list.is_whole;
        let mut listed = list.runners.into_iter();
        let found = listed.find(|listed| listed.id == runner.runner_id);
        Ok(match found {
            Some(runner) => Status::Found { runner, etag: None },
            None if is_whole => Status::Gone,
            None => Status::Unchanged,
        })
    }

    /// Takes GitHub's answer in; how long GitHub asked to wait.
    fn note_github(
        &mut self,
        answer: Result<Vec<(RunnerId, Status)>, GithubError>,
        slow_down: &mut Backoff,
    ) -> Result<Duration, Failure> {
        let statuses = match answer {
            Ok(statuses) => statuses,
            Err(error) if error.is_transient() => {
                let wait = slow_down.next(error.wait);
                for waiting in &mut self.waiting {
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
                    self.waiting
                        .retain(|waiting| waiting.runner.runner_id != id);
                    self.online.insert(id, self.began.elapsed());
                }
                Status::Found { runner, etag } => {
                    let mut waiting = self.waiting.iter_mut();
                    if let Some(waiting) = waiting.find(|one| one.runner.runner_id == id) {
                        waiting.etag = etag;
                        waiting.github = runner.status;
                    }
                }
                // Of a record that was made just now, not all of GitHub knows yet.
                Status::Gone if self.began.elapsed() < RECORD_SHOWN => {}
                Status::Gone => return Err(self.vanished(id)),
            }
        }
        Ok(Duration::ZERO)
    }

    async fn ask_ec2(&self, deadline: Deadline) -> Result<Vec<Instance>, Ec2Error> {
        let look = self.clients.ec2.by_id(&self.instances);
        retry::attempt(DESCRIBE_INSTANCES, deadline, look).await
    }

    /// Takes EC2's answer in. A failed poll does not count: GitHub's side decides about success. Not even one that is refused for
    /// good ends the start, because what could not be described could hardly be terminated.
    fn note_ec2(&mut self, answer: Result<Vec<Instance>, Ec2Error>) -> Result<(), Failure> {
        let instances = match answer {
            Ok(instances) => instances,
            Err(error) => {
                if !error.is_transient() && self.ec2_error.is_none() {
                    let remedy = error.remedy(&self.clients.region);
                    self.report.warning(format_args!(
                        "the instance cannot be watched: {error}; {remedy}"
                    ));
                }
                self.ec2_error = Some(error);
                return Ok(());
            }
        };
        self.ec2_error = None;
        if let Some(dead) = instances.iter().find(|one| !one.state.can_run()) {
            self.failed_instance = Some(dead.id.clone());
            return Err(died(dead));
        }
        for instance in instances {
            let mut waiting = self.waiting.iter_mut();
            if let Some(waiting) = waiting.find(|one| one.runner.instance_id == instance.id) {
                waiting.ec2 = Some(instance);
            }
        }
        Ok(())
    }

    fn vanished(&self, id: RunnerId) -> Failure {
        let name = self
            .waiting
            .iter()
            .find(|waiting| waiting.runner.runner_id == id)
            .map(|waiting| waiting.runner.name.as_str())
            .unwrap_or_default();
        Failure::new(
            format!("the record of runner `{name}` vanished from GitHub before it was seen online"),
            "either someone removed it, or another job with one of its labels took it and is done already: give `labels` only to \
             jobs that may take any runner, and let yours ask for the `label` output",
        )
    }

    fn timed_out(&mut self, timeout: Seconds) -> Failure {
        let first = self.waiting.first();
        self.failed_instance = first.map(|waiting| waiting.runner.instance_id.clone());
        let states: Vec<String> = self.waiting.iter().map(Waiting::state).collect();
        let who = if self.online.is_empty() {
            "no runner came online".to_owned()
        } else {
            let all = self.online.len() + self.waiting.len();
            format!(
                "not all runners came online ({} of {all})",
                self.online.len()
            )
        };
        let failure = Failure::new(
            format!("{who} within `start-timeout` ({timeout}): {}", first_of(&states, "; ")),
            "likely causes: the subnet has no way to GitHub (a public IP address or a NAT gateway, and outbound port 443); the \
             image is for another architecture (x64, arm64) than the instance type, or has no cloud-init; `setup` takes longer \
             than `start-timeout`",
        )
        .and("the instance wrote what it did to its serial console, in lines that begin with `sprinters:`");
        match &self.ec2_error {
            Some(error) => failure.and(format!("EC2 could not be asked: {error}")),
            None => failure,
        }
    }
}

impl Waiting<'_> {
    /// For a line of a terminal, which has no room for names and reasons.
    fn briefly(&self) -> String {
        let github = self.github.split(" (").next().unwrap_or_default();
        let ec2 = self
            .ec2
            .as_ref()
            .map_or("not seen yet", |known| known.state.name());
        format!("GitHub: {github} · EC2: {ec2}")
    }

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

/// Every hundred runners are a page of their own, and a request: however many there are, GitHub is asked about twice a second.
fn pause_of(runners: usize) -> Duration {
    Duration::from_millis(500) * u32::try_from(runners / 100).unwrap_or(u32::MAX)
}

fn died(instance: &Instance) -> Failure {
    let reason = instance
        .state_reason
        .as_deref()
        .unwrap_or("EC2 gives no reason");
    let help = if reason.contains("SpotInstance") {
        "AWS reclaimed the spot instance: run the job again, or use `spot: auto`, more instance types or more zones"
    } else if reason.contains("InstanceInitiatedShutdown") {
        "the instance powered itself off: `setup` failed, the runner program could not be downloaded or did not match its \
         checksum, or the runner was refused by GitHub; it wrote which to its serial console, in a line that begins with \
         `sprinters:`"
    } else if reason.contains("Client.InternalError") || reason.contains("Client.InvalidKMSKey") {
        "most often the key of the volume's encryption: its key policy must let these credentials (and EC2) use it, or the \
         account's default EBS key must be another; it must be enabled and not about to be deleted"
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
