//! The instance that an image is made of: launched, and watched until it has stopped.

use std::time::SystemTime;

use super::script::{BakeScript, FAILED};
use super::{Bake, EVERY, LATER};
use crate::boot::UserData;
use crate::ec2::{
    DESCRIBE_INSTANCES, Ec2Error, Launch, Next, PowerOff, RUN_INSTANCES, State, tags,
};
use crate::error::Failure;
use crate::github::Download;
use crate::launch::prepare::Prepared;
use crate::platform::clock::Ticks;
use crate::retry;
use crate::values::base36::letters;
use crate::values::candidate::Candidate;
use crate::values::network::InstanceId;

/// Everything for the launch.
pub(super) struct Baking<'a, 'b> {
    bake: &'a mut Bake<'b>,
    prepared: &'a Prepared,
    user_data: UserData,
    tags: Vec<(String, String)>,
}

impl<'a, 'b> Baking<'a, 'b> {
    pub(super) fn new(
        bake: &'a mut Bake<'b>,
        prepared: &'a Prepared,
        download: &Download,
        image_name: &str,
    ) -> Result<Self, Failure> {
        let Some(sha256) = &download.sha256_checksum else {
            return Err(Failure::new(
                "GitHub gave no checksum for the runner program, and an unchecked program is not baked into an image",
                "run the job again later",
            ));
        };
        let launch = &bake.spec.launch;
        let give_up_after = bake.spec.timeout + LATER;
        let script = BakeScript {
            url: &download.download_url,
            sha256,
            user: &launch.runner_user,
            setup: launch.setup.as_deref(),
            give_up_after,
        };
        let user_data = script
            .user_data()
            .map_err(|error| Failure::new(error.to_string(), "shorten `setup`"))?;
        let expires = SystemTime::now() + give_up_after;
        let run = &bake.clients.run;
        let tags = tags::for_bake(run, image_name, &bake.name, Some(expires), &launch.tags);
        Ok(Self {
            bake,
            prepared,
            user_data,
            tags,
        })
    }

    /// Launches on the first candidate that has room.
    pub(super) async fn launch(&mut self) -> Result<InstanceId, Failure> {
        let mut last = None;
        for candidate in &self.prepared.ladder {
            match self.try_candidate(candidate).await {
                Ok(instance) => return Ok(instance),
                Err(error) if matches!(error.next(), Next::Final | Next::BaselineVolume) => {
                    return Err(self.bake.clients.ec2_failure(&error));
                }
                Err(error) => {
                    let code = error.code().unwrap_or("no answer").to_owned();
                    self.bake.report.line(format_args!("· {candidate}: {code}"));
                    last = Some(error);
                }
            }
        }
        Err(match last {
            Some(error) => self.bake.clients.ec2_failure(&error),
            None => Failure::new("there is nothing to launch", "name an `instance-type`"),
        })
    }

    /// Under each name that the root device may have. The token makes each a launch at most, however often it is asked for.
    async fn try_candidate(&mut self, candidate: &Candidate) -> Result<InstanceId, Ec2Error> {
        let spec = &self.bake.spec.launch;
        let image = self.prepared.image(candidate);
        let region = spec.regions.of(&candidate.region);
        let names = region.image.root_devices().map(str::to_owned);
        let mut answer = None;
        for root_device in image.root_device.clone().into_iter().chain(names) {
            let token = format!("sprinters-bake-{}", letters(24));
            let mut volumes = spec.volumes(&candidate.region);
            volumes.root = volumes.root.or_size(image.root_gib);
            volumes.temp = None;
            let launch = Launch {
                candidate,
                image_id: &image.id,
                root_device: &root_device,
                volumes,
                security_groups: &region.security_groups,
                instance_profile: spec.instance_profile.as_ref(),
                options: &region.options,
                tags: &self.tags,
                user_data: &self.user_data,
                client_token: &token,
                power_off: PowerOff::Stops,
            };
            let journal = self.bake.journal.clone();
            let entry = journal.without_record();
            journal.asking_for_instance(entry, &candidate.region, &token);
            let ec2 = self.bake.clients.ec2.home();
            let asked = retry::until(RUN_INSTANCES, self.bake.deadline, || {
                ec2.run_instance(&launch)
            });
            match asked.await {
                Ok(launched) => {
                    journal.instance_exists(entry, &launched.id);
                    return Ok(launched.id);
                }
                Err(error) => {
                    if !error.may_have_acted() {
                        journal.no_instance(entry);
                    }
                    if !error.is_other_root_device() {
                        return Err(error);
                    }
                    answer = Some(error);
                }
            }
        }
        Err(answer.unwrap_or_else(|| Ec2Error::unreadable(RUN_INSTANCES, "no root device")))
    }

    /// Waits until the instance has stopped itself, which it does only when all is installed.
    pub(super) async fn until_stopped(
        bake: &Bake<'_>,
        instance: &InstanceId,
    ) -> Result<(), Failure> {
        let mut ticks = Ticks::new(EVERY);
        let ids = [instance.clone()];
        let mut is_console_open = true;
        loop {
            ticks.tick().await;
            if bake.deadline.is_over() {
                return Err(bake.late("the instance is not done"));
            }
            let seen = retry::until(DESCRIBE_INSTANCES, bake.deadline, || {
                bake.clients.ec2.by_id(&ids)
            });
            let seen = seen
                .await
                .map_err(|error| bake.clients.ec2_failure(&error))?;
            let Some(seen) = seen.into_iter().next() else {
                continue;
            };
            match seen.state {
                State::Stopped if is_done(seen.state_reason.as_deref()) => return Ok(()),
                State::Pending | State::Running | State::Stopping => {}
                State::Stopped | State::ShuttingDown | State::Terminated => {
                    let why = seen.state_reason.unwrap_or_else(|| "no reason".to_owned());
                    return Err(Failure::new(
                        format!("`{instance}` is {}: {why}", seen.state.name()),
                        "run the job again",
                    ));
                }
            }
            if is_console_open && seen.state == State::Running {
                is_console_open = failed_on_console(bake, instance).await?;
            }
        }
    }
}

/// Whether the instance stopped by itself: nobody else's stop means that it is done.
fn is_done(reason: Option<&str>) -> bool {
    reason.is_none_or(|reason| reason.contains("InstanceInitiatedShutdown"))
}

/// Fails where the console says that the script has; `false` where the console may not be read, which is optional.
async fn failed_on_console(bake: &Bake<'_>, instance: &InstanceId) -> Result<bool, Failure> {
    match bake.clients.ec2.home().console_tail(instance).await {
        Err(error) => Ok(!error.is_unauthorized()),
        Ok(lines) => match lines.iter().position(|line| line.contains(FAILED)) {
            None => Ok(true),
            Some(at) => {
                let what = lines[at].split_once(FAILED).map_or("", |(_, what)| what);
                let mut failure = Failure::new(what, "correct `setup`, or what it relies on");
                failure.help.extend(lines.iter().skip(at + 1).cloned());
                Err(failure)
            }
        },
    }
}
