//! From the ladder to a running instance: a runner record, then `RunInstances`, rung by rung.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::boot::RunnerSource;
use crate::boot_volume;
use crate::clients::Clients;
use crate::ec2::{Ec2Error, Launch, Launched, Next, tags};
use crate::failure::{Exit, Failure};
use crate::github::{Download, JitRunner, RunnerId};
use crate::groundwork::Groundwork;
use crate::ledger::{Entry, Ledger};
use crate::plan::Candidate;
use crate::report::{Report, seconds};
use crate::retry::{Backoff, Deadline};
use crate::spec::instance_type::Architecture;
use crate::spec::network::InstanceId;
use crate::spec::run::{LaunchName, letters};
use crate::spec::spot::Market;
use crate::spec::start::StartSpec;
use crate::spec::volume::RootVolume;
use crate::undo;
use crate::user_data;

/// A runner whose instance EC2 has launched.
#[derive(Clone, Debug)]
pub(crate) struct LaunchedRunner {
    pub entry: Entry,
    pub label: String,
    pub name: String,
    pub runner_id: RunnerId,
    pub instance_id: InstanceId,
    pub candidate: Candidate,
    pub root: RootVolume,
    pub availability_zone: Option<String>,
    /// How long GitHub took to create the record.
    pub minted_in: Duration,
    /// How long EC2 took to answer `RunInstances`.
    pub launched_in: Duration,
}

/// What all launches of one call share.
pub(crate) struct Launcher {
    pub clients: Clients,
    pub spec: StartSpec,
    pub groundwork: Groundwork,
    pub ledger: Ledger,
    pub report: Arc<Report>,
    pub deadline: Deadline,
    /// Set when everything is to be undone: nothing new may be made from then on.
    pub closing: AtomicBool,
    pub downloads: [OnceCell<Download>; 2],
    /// The image's real root device, once a launch has shown that the guess was wrong.
    pub root_device: Mutex<Option<String>>,
}

/// Why one rung did not give an instance.
enum Rung {
    /// EC2 refused.
    Refused(Ec2Error),
    /// Something else than the rung is the problem.
    Ended(Failure),
}

impl From<Failure> for Rung {
    fn from(failure: Failure) -> Self {
        Self::Ended(failure)
    }
}

impl Launcher {
    /// Climbs the ladder until an instance is launched.
    pub(crate) async fn launch(
        self: Arc<Self>,
        label: LaunchName,
    ) -> Result<LaunchedRunner, Failure> {
        let mut answers: Vec<(Candidate, Ec2Error)> = Vec::new();
        for candidate in &self.groundwork.ladder {
            if answers
                .iter()
                .any(|(refused, error)| rules_out(refused, error.next(), candidate))
            {
                continue;
            }
            let mut root = boot_volume::for_launch(
                self.spec.root,
                &candidate.instance_type,
                &self.clients.region,
            );
            loop {
                match self.try_candidate(&label, candidate, root).await {
                    Ok(runner) => return Ok(runner),
                    Err(Rung::Ended(failure)) => return Err(failure),
                    Err(Rung::Refused(error)) => match error.next() {
                        Next::BaselineVolume if root.iops.is_some() => {
                            self.report.warning(format_args!(
                                "{error}; trying again with the baseline volume"
                            ));
                            root = RootVolume {
                                gib: root.gib,
                                ..RootVolume::default()
                            };
                        }
                        Next::Final | Next::SameAgain | Next::BaselineVolume => {
                            return Err(self.launch_failure(candidate, &error));
                        }
                        Next::AnotherCandidate | Next::DropSpot | Next::OtherFamilyOrMarket => {
                            let code = error.code().unwrap_or_default();
                            if error.next() == Next::DropSpot {
                                let remedy = error.remedy(&self.clients.region);
                                self.report.warning(format_args!(
                                    "no spot for this account: {error}; {remedy}"
                                ));
                            }
                            self.report.line(format_args!("· {candidate}: {code}"));
                            answers.push((candidate.clone(), error));
                            break;
                        }
                    },
                }
            }
        }
        Err(self.no_capacity(&answers))
    }

    /// One rung: a fresh runner record and a fresh client token, so that no attempt can be confused with another.
    async fn try_candidate(
        &self,
        label: &LaunchName,
        candidate: &Candidate,
        root: RootVolume,
    ) -> Result<LaunchedRunner, Rung> {
        let began = Instant::now();
        // The download's description is needed for the user data, not for the record: ask for both at once.
        let (minted, download) = tokio::join!(
            self.mint(label),
            self.download(candidate.instance_type.architecture())
        );
        let (entry, name, jit) = minted?;
        let minted_in = began.elapsed();
        let user_data = self.user_data(label, &name, &jit, download?)?;
        let began = Instant::now();
        let launched = self
            .run_instance(entry, label, &name, jit.id, candidate, root, &user_data)
            .await;
        match launched {
            Ok(launched) => Ok(LaunchedRunner {
                entry,
                label: label.as_str().to_owned(),
                name,
                runner_id: jit.id,
                instance_id: launched.id,
                candidate: candidate.clone(),
                root,
                availability_zone: launched
                    .availability_zone
                    .or_else(|| candidate.placement.zone().map(ToString::to_string)),
                minted_in,
                launched_in: began.elapsed(),
            }),
            Err(rung) => {
                self.forget_record(entry, jit.id).await;
                Err(rung)
            }
        }
    }

    /// Creates the runner's record. A name is used once: where an answer was lost, the old name may exist.
    async fn mint(&self, label: &LaunchName) -> Result<(Entry, String, JitRunner), Failure> {
        let mut labels = vec![label.as_str()];
        labels.extend(
            self.spec
                .labels
                .iter()
                .map(crate::spec::label::Label::as_str),
        );
        let mut backoff = Backoff::default();
        loop {
            self.go_on()?;
            let name = label.runner_name();
            let entry = self.ledger.asking_for_record(&name);
            match self.clients.github.create_jit_runner(&name, &labels).await {
                Ok(jit) => {
                    self.report
                        .mask(secrecy::ExposeSecret::expose_secret(&jit.jit_config));
                    self.ledger.record_exists(entry, jit.id);
                    return Ok((entry, name, jit));
                }
                Err(error) => {
                    let is_taken = error.status() == Some(http::StatusCode::CONFLICT);
                    if !error.may_have_acted() {
                        self.ledger.record_gone(entry);
                    }
                    let again = error.is_passing() || is_taken;
                    if !again
                        || self
                            .deadline
                            .sleep(backoff.next(error.wait()))
                            .await
                            .is_err()
                    {
                        return Err(self.clients.github_failure(&error));
                    }
                }
            }
        }
    }

    /// Where the runner program is; `None` where the image has it at a known place.
    async fn download(&self, architecture: Architecture) -> Result<Option<&Download>, Failure> {
        if self.spec.runner_home.is_some() {
            return Ok(None);
        }
        let [x64, arm64] = &self.downloads;
        let cell = match architecture {
            Architecture::X64 => x64,
            Architecture::Arm64 => arm64,
        };
        let download =
            cell.get_or_try_init(|| async {
                let answer = crate::retry::until(self.deadline, || {
                    self.clients.github.runner_download(architecture)
                })
                .await;
                answer.map_err(|error| self.clients.github_failure(&error))?.ok_or_else(|| {
                Failure::new(
                    format!("GitHub offers no runner program for Linux on {architecture}"),
                    "use an image that has the runner, and name its folder with `runner-home`",
                )
            })
            });
        download.await.map(Some)
    }

    fn user_data(
        &self,
        label: &LaunchName,
        name: &str,
        jit: &JitRunner,
        download: Option<&Download>,
    ) -> Result<Vec<u8>, Failure> {
        let spec = &self.spec;
        let runner = match (&spec.runner_home, download) {
            (Some(home), _) => RunnerSource::Home(home),
            (
                None,
                Some(Download {
                    download_url,
                    sha256_checksum: Some(sha256),
                    ..
                }),
            ) => RunnerSource::ImageOrDownload {
                url: download_url,
                sha256,
            },
            (None, _) => {
                return Err(Failure::new(
                    "GitHub gave no checksum for the runner program, and an unchecked program is not run",
                    "use an image that has the runner, and name its folder with `runner-home`",
                ));
            }
        };
        user_data::render(spec, runner, &jit.jit_config, label.as_str(), name)
            .map_err(|error| Failure::new(error.to_string(), "shorten `setup`"))
    }

    /// `RunInstances`, and once more where the image's root device turns out to have another name: only a mapping under
    /// the right name makes the root volume encrypted, of the wanted size, and gone with the instance.
    #[expect(
        clippy::too_many_arguments,
        reason = "one launch is described by just these"
    )]
    async fn run_instance(
        &self,
        entry: Entry,
        label: &LaunchName,
        name: &str,
        runner_id: RunnerId,
        candidate: &Candidate,
        root: RootVolume,
        user_data: &[u8],
    ) -> Result<Launched, Rung> {
        let run = &self.clients.run;
        let expires = SystemTime::now()
            + self.spec.max_lifetime.as_duration()
            + self.spec.start_timeout.as_duration();
        let tags = tags::for_launch(
            run,
            name,
            label.as_str(),
            runner_id,
            expires,
            root,
            &self.spec.tags,
        );
        let image = self
            .groundwork
            .image(candidate.instance_type.architecture());
        loop {
            let root_device = self.root_device();
            let launch = Launch {
                candidate,
                image_id: image,
                root_device: &root_device,
                root,
                security_groups: &self.spec.security_groups,
                instance_profile: self.spec.instance_profile.as_ref(),
                tags: &tags,
                user_data,
                client_token: &format!("{name}-{}", letters(8)),
            };
            let launched = self.run_with_retries(entry, &launch).await?;
            match &launched.root_device {
                Some(real) if *real != root_device => {
                    self.report.line(format_args!(
                        "· the image calls its root device {real}, not {root_device}: launching again with that"
                    ));
                    undo::terminate(&self.clients.ec2, &[launched.id], self.deadline)
                        .await
                        .map_err(Rung::Refused)?;
                    self.ledger.no_instance(entry);
                    if !self.learn_root_device(real) {
                        return Err(Failure::new(
                            format!("EC2 names the root device `{real}` after it was told `{root_device}`"),
                            "name another image",
                        )
                        .into());
                    }
                }
                _ => return Ok(launched),
            }
        }
    }

    /// The same call until EC2 says something definite. The client token makes it one launch at most.
    async fn run_with_retries(&self, entry: Entry, launch: &Launch<'_>) -> Result<Launched, Rung> {
        let mut backoff = Backoff::default();
        let mut may_exist = false;
        loop {
            self.go_on()?;
            self.ledger.asking_for_instance(entry, launch.client_token);
            match self.clients.ec2.run_instance(launch).await {
                Ok(launched) => {
                    self.ledger.instance_exists(entry, &launched.id);
                    return Ok(launched);
                }
                Err(error) => {
                    may_exist |= error.may_have_acted();
                    if !may_exist {
                        self.ledger.no_instance(entry);
                    }
                    let again = error.next() == Next::SameAgain;
                    if !again || self.deadline.sleep(backoff.next(None)).await.is_err() {
                        return Err(Rung::Refused(error));
                    }
                }
            }
        }
    }

    /// Deletes the record of a rung that gave nothing. What fails here stays in the ledger, for the undo.
    async fn forget_record(&self, entry: Entry, id: RunnerId) {
        let soon = self.deadline.within(Duration::from_secs(2));
        if undo::delete_record(&self.clients.github, id, soon)
            .await
            .is_ok()
        {
            self.ledger.record_gone(entry);
        }
    }

    /// Nothing new once everything is being undone, or when the time is over.
    fn go_on(&self) -> Result<(), Failure> {
        if self.closing.load(Ordering::SeqCst) {
            Err(Failure::new(
                "the launch was given up",
                "see the error above",
            ))
        } else if self.deadline.is_over() {
            Err(Failure::new(
                format!(
                    "the runner was not launched within `start-timeout` ({})",
                    self.spec.start_timeout
                ),
                "run the job again, or set a longer `start-timeout`",
            ))
        } else {
            Ok(())
        }
    }

    fn root_device(&self) -> String {
        let known = self
            .root_device
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .clone()
            .unwrap_or_else(|| self.spec.image.root_device().to_owned())
    }

    /// Remembers the real name; `false` if it was already used and did not help.
    fn learn_root_device(&self, real: &str) -> bool {
        let mut known = self
            .root_device
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .replace(real.to_owned())
            .is_none_or(|before| before != real)
    }

    fn launch_failure(&self, candidate: &Candidate, error: &Ec2Error) -> Failure {
        let image = self
            .groundwork
            .image(candidate.instance_type.architecture());
        self.clients.ec2_failure(error).and(format!(
            "it was the launch of {candidate} from image `{image}`"
        ))
    }

    fn no_capacity(&self, answers: &[(Candidate, Ec2Error)]) -> Failure {
        let region = &self.clients.region;
        let mut failure = Failure {
            exit: Exit::NoCapacity,
            what: format!("no capacity for any candidate in `{region}`"),
            help: answers
                .iter()
                .map(|(candidate, error)| {
                    format!("{candidate}: {}", error.code().unwrap_or("no answer"))
                })
                .collect(),
        };
        if let Some((_, last)) = answers.last() {
            failure.help.push(last.remedy(region));
        }
        failure
    }
}

/// Whether an answer to one rung speaks for another as well.
fn rules_out(refused: &Candidate, next: Next, other: &Candidate) -> bool {
    match next {
        Next::DropSpot => other.market == Market::Spot,
        Next::OtherFamilyOrMarket => {
            other.market == refused.market
                && other.instance_type.family() == refused.instance_type.family()
        }
        _ => false,
    }
}

/// How a launch reads in the log.
pub(crate) fn described(runner: &LaunchedRunner) -> String {
    let LaunchedRunner {
        candidate,
        availability_zone,
        instance_id,
        minted_in,
        ..
    } = runner;
    let zone = availability_zone.as_deref().unwrap_or("an unnamed zone");
    format!(
        "launched `{instance_id}`: {} {} in {zone} (JIT config {})",
        candidate.market,
        candidate.instance_type,
        seconds(*minted_in)
    )
}
