//! One candidate of the ladder: a runner record, then `RunInstances`.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use crate::boot::{RunnerSource, UserData};
use crate::ec2::{Launch, Launched, Next, PowerOff, RUN_INSTANCES};
use crate::error::Failure;
use crate::github::{Download, JitRunner};
use crate::launch::context::Launcher;
use crate::launch::error::LaunchError;
use crate::launch::journal::AttemptId;
use crate::launch::mint::{Minted, Records};
use crate::launch::prepare::BootImage;
use crate::launch::runner::LaunchedRunner;
use crate::launch::user_data;
use crate::retry::{self, Backoff, Decision, decide};
use crate::teardown::{self, Record};
use crate::values::base36::letters;
use crate::values::candidate::Candidate;
use crate::values::image::Image;
use crate::values::instance_type::Architecture;
use crate::values::network::InstanceId;
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;
use crate::values::volume::Volumes;

impl Launcher {
    /// One candidate: a fresh runner record and a fresh client token, so that no attempt can be confused with another.
    pub(crate) async fn try_candidate(
        &self,
        records: &mut Records<'_>,
        candidate: &Candidate,
        volumes: Volumes,
    ) -> Result<LaunchedRunner, LaunchError> {
        let label = records.label();
        // The download's description is needed for the user data, not for the record: ask for both at once.
        let (minted, download) = tokio::join!(
            records.take(self),
            self.download(candidate.instance_type.architecture())
        );
        let Minted {
            entry,
            name,
            jit,
            took,
        } = minted?;
        let user_data = self.user_data(label, &name, &jit, download?)?;
        let began = Instant::now();
        let launched = self
            .run_instance(entry, label, &name, jit.id, candidate, volumes, &user_data)
            .await;
        match launched {
            Ok(launched) => Ok(LaunchedRunner {
                entry,
                label: label.as_str().to_owned(),
                name,
                runner_id: jit.id,
                instance_id: launched.id,
                candidate: candidate.clone(),
                volumes,
                availability_zone: launched
                    .availability_zone
                    .or_else(|| candidate.placement.zone().map(ToString::to_string)),
                minted_in: took,
                launched_in: began.elapsed(),
            }),
            Err(error) => {
                self.forget_record(entry, Record { id: jit.id, name }).await;
                Err(error)
            }
        }
    }

    /// Nothing new once everything is being undone, or when the time is over: then what failed last is the reason.
    pub(super) fn go_on(&self, last: impl FnOnce() -> Option<Failure>) -> Result<(), LaunchError> {
        if self.cancellation.is_cancelled() {
            return Err(Self::given_up().into());
        }
        if !self.deadlines.launch_by().is_over() {
            return Ok(());
        }
        Err(last().map_or(LaunchError::DeadlineExceeded, LaunchError::Fatal))
    }

    /// Where the runner program is; `None` where the image has it at a known place.
    async fn download(&self, architecture: Architecture) -> Result<Option<&Download>, Failure> {
        if self.spec.runner_home.is_some() {
            return Ok(None);
        }
        let by = self.deadlines.launch_by();
        let looked_up = self.lookups.download(&self.clients, architecture, by);
        let download = tokio::select! {
            download = looked_up => download?,
            () = self.cancellation.cancelled() => return Err(Self::given_up()),
        };
        Ok(Some(download))
    }

    fn user_data(
        &self,
        label: &LaunchName,
        name: &str,
        jit: &JitRunner,
        download: Option<&Download>,
    ) -> Result<UserData, Failure> {
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
    /// the right name makes the root volume encrypted, of the wanted size, and gone with the instance. Without a size, EC2
    /// refuses a wrong name before it launches anything, so that the usual names are tried one after the other.
    #[expect(
        clippy::too_many_arguments,
        reason = "one launch is described by just these"
    )]
    async fn run_instance(
        &self,
        entry: AttemptId,
        label: &LaunchName,
        name: &str,
        runner_id: RunnerId,
        candidate: &Candidate,
        volumes: Volumes,
        user_data: &UserData,
    ) -> Result<Launched, LaunchError> {
        let tags = self.known(&self.registrar).await?.tags(
            &self.clients,
            &self.spec,
            label,
            (name, runner_id),
            volumes,
        );
        let image = self.known(&self.prepared).await?.image(candidate);
        let region = self.spec.regions.of(&candidate.region);
        let mut refused = Vec::new();
        loop {
            let Some(root_device) = self.root_device(image, &region.image, &refused) else {
                return Err(no_root_device(&refused).into());
            };
            let launch = Launch {
                candidate,
                image_id: &image.id,
                root_device: &root_device,
                volumes,
                security_groups: &region.security_groups,
                instance_profile: self.spec.instance_profile.as_ref(),
                options: &region.options,
                tags: &tags,
                user_data,
                client_token: &format!("sprinters-{}", letters(32)),
                power_off: PowerOff::Terminates,
            };
            let launched = match self.run_with_retries(entry, &launch).await {
                Err(LaunchError::Refused(error)) if error.is_other_root_device() => {
                    refused.push(root_device);
                    continue;
                }
                answer => answer?,
            };
            match &launched.root_device {
                Some(real) if *real != root_device => {
                    self.undo_misnamed(entry, &launched.id, image, (real, &root_device))
                        .await?;
                }
                _ => {
                    self.learn_root_device(image, &root_device);
                    return Ok(launched);
                }
            }
        }
    }

    /// Ends an instance whose root device is not called what its mapping says, and remembers the real name.
    async fn undo_misnamed(
        &self,
        entry: AttemptId,
        instance: &InstanceId,
        image: &BootImage,
        (real, mapped): (&str, &str),
    ) -> Result<(), LaunchError> {
        self.report.line(format_args!(
            "· the image calls its root device {real}, not {mapped}: launching again with that"
        ));
        teardown::terminate(&self.clients.ec2, instance, self.deadlines.launch_by())
            .await
            .map_err(LaunchError::Refused)?;
        self.journal.no_instance(entry);
        if self.learn_root_device(image, real) {
            return Ok(());
        }
        Err(Failure::new(
            format!("EC2 names the root device `{real}` after it was told `{mapped}`"),
            "name another image",
        )
        .into())
    }

    /// The same call until EC2 says something definite. The client token makes it one launch at most.
    async fn run_with_retries(
        &self,
        entry: AttemptId,
        launch: &Launch<'_>,
    ) -> Result<Launched, LaunchError> {
        let mut backoff = Backoff::default();
        let mut may_exist = false;
        let mut last = None;
        let by = self.candidate_by();
        let region = &launch.candidate.region;
        let ec2 = self.clients.ec2.of(Some(region));
        loop {
            self.turn(&self.limits.launching).await;
            self.go_on(|| {
                let failure = |error| self.launch_failure(launch.candidate, error);
                last.as_ref().map(failure)
            })?;
            self.journal
                .asking_for_instance(entry, region, launch.client_token);
            let answer = ec2.run_instance(launch);
            match retry::attempt(RUN_INSTANCES, by, answer).await {
                Ok(launched) => {
                    self.limits.launching.on_success();
                    self.journal.instance_exists(entry, &launched.id);
                    return Ok(launched);
                }
                Err(error) => {
                    self.note_refusal(&error);
                    if error.is_throttle() {
                        self.deadlines.on_throttle();
                        self.limits
                            .launching
                            .on_throttle(Instant::now(), error.wait);
                    }
                    may_exist |= error.may_have_acted();
                    if !may_exist {
                        self.journal.no_instance(entry);
                    }
                    if error.next() != Next::SameAgain {
                        return Err(LaunchError::Refused(error));
                    }
                    match decide(&error, &mut backoff, by) {
                        Decision::Repeat(wait)
                            if self.pause(self.wait_of(error.is_throttle(), wait)).await =>
                        {
                            self.note_delay(&error);
                            last = Some(error);
                        }
                        _ => {
                            // A refusal that was heard says more than a last try that the end of the time cut off.
                            let earlier = last.filter(|_| by.is_over());
                            return Err(LaunchError::Refused(earlier.unwrap_or(error)));
                        }
                    }
                }
            }
        }
    }

    /// Deletes the record of a candidate that gave nothing. What fails here stays in the journal, for the undo.
    async fn forget_record(&self, entry: AttemptId, record: Record) {
        if self.cancellation.is_cancelled() {
            return;
        }
        let soon = self.deadlines.launch_by().within(Duration::from_secs(2));
        if teardown::delete_record(&self.clients.github, &record, soon)
            .await
            .is_ok()
        {
            self.journal.record_gone(entry);
        }
    }

    /// What the root device is called: as a launch has shown, as EC2 reported, or by convention, but never what was refused.
    fn root_device(&self, image: &BootImage, named: &Image, refused: &[String]) -> Option<String> {
        let known = self
            .lookups
            .root_devices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&image.id)
            .cloned();
        known
            .or_else(|| image.root_device.clone())
            .into_iter()
            .chain(named.root_devices().map(str::to_owned))
            .find(|name| !refused.contains(name))
    }

    /// Remembers the real name; `false` if it was already used and did not help.
    fn learn_root_device(&self, image: &BootImage, real: &str) -> bool {
        let mut known = self
            .lookups
            .root_devices
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .insert(image.id.clone(), real.to_owned())
            .is_none_or(|before| before != real)
    }
}

fn no_root_device(refused: &[String]) -> Failure {
    Failure::new(
        format!(
            "the image's root device has none of the usual names ({})",
            refused.join(", ")
        ),
        "give `root-size`: with a size EC2 launches the image and reports what its root device is called",
    )
}
