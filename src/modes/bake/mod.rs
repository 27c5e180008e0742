//! `bake`: an image with the runner, Docker and what `setup` installs. An instance installs it and stops; the image is made of
//! its volume; the newest images stay, and the others go.

mod instance;
mod script;
pub(crate) mod spec;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
#[cfg(not(target_family = "wasm"))]
use tokio_util::sync::CancellationToken;

use crate::clients::{Clients, expected_account};
use crate::ec2::{CREATE_IMAGE, DEREGISTER_IMAGE, DESCRIBE_IMAGES, ImageState, MachineImage, tags};
use crate::error::Failure;
use crate::github::{DOWNLOADS, Download};
#[cfg(not(target_family = "wasm"))]
use crate::inputs::Mode;
use crate::launch::journal::Journal;
use crate::launch::prepare::Prepared;
#[cfg(not(target_family = "wasm"))]
use crate::launch::undo;
use crate::platform::clock::Ticks;
#[cfg(debug_assertions)]
use crate::platform::rescue;
use crate::platform::signals::{Cancel, budget};
use crate::report::markdown::{self, code};
use crate::report::{Reporter, seconds};
use crate::retry::{self, Backoff, Deadline};
use crate::teardown::{Ended, Search, end};
use crate::values::instance_type::{Architecture, InstanceType};
use crate::values::network::InstanceId;
use instance::Baking;
use spec::BakeSpec;

/// How often EC2 is asked whether it is done.
const EVERY: Duration = Duration::from_secs(5);
/// Undoing may take so long where nobody cancels.
const UNDO_PATIENTLY: Duration = Duration::from_mins(1);
/// The instance gives up by itself where nobody ends it, so much later than the bake does.
const LATER: Duration = Duration::from_mins(10);

/// Makes an image, or undoes everything.
pub(crate) async fn bake(
    clients: &Clients,
    spec: &BakeSpec,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    let mut cancel = Cancel::install().map_err(|error| Failure::bug(&error))?;
    let mut bake = Bake {
        clients,
        spec,
        report,
        name: spec.name(&clients.run.repository),
        architecture: spec
            .launch
            .instance_types
            .first()
            .map_or(Architecture::X64, InstanceType::architecture),
        deadline: Deadline::after(spec.timeout),
        journal: Arc::default(),
        begun: None,
    };
    #[cfg(not(target_family = "wasm"))]
    undo::on_panic(
        Mode::Bake,
        clients,
        &bake.journal,
        &CancellationToken::new(),
        report,
    );
    let (outcome, search, within) = tokio::select! {
        outcome = bake.run() => (outcome, Search::UntilCertain, UNDO_PATIENTLY),
        signal = cancel.requested() => {
            (Err(Failure::cancelled(signal)), Search::Briefly, budget::UNDO)
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(failure) => Err(bake.undo(failure, search, Deadline::after(within)).await),
    }
}

/// One bake, and what it must leave nothing of if it fails.
struct Bake<'a> {
    clients: &'a Clients,
    spec: &'a BakeSpec,
    report: &'a Arc<Reporter>,
    /// What all images of this kind are called.
    name: String,
    architecture: Architecture,
    deadline: Deadline,
    journal: Arc<Journal>,
    /// What may have to be undone.
    begun: Option<Begun>,
}

/// An image that is not whole yet.
enum Begun {
    /// Asked for by that name; EC2 has not answered.
    Asked(String),
    /// Asked for by that name, and refused: an earlier try whose answer was lost may have made it all the same.
    Refused(String),
    Made(String),
}

impl Bake<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let (prepared, download) = self.prepare().await?;
        let report = self.report;
        report.group("Plan", prepared.described(&self.spec.launch));
        let image_name = format!("{}-{}", self.name, compact(SystemTime::now()));
        let mut baking = Baking::new(self, &prepared, &download, &image_name)?;
        let instance = baking.launch().await?;
        report.done(format_args!("launched `{instance}`"), began.elapsed());
        #[cfg(debug_assertions)]
        rescue::panic_for_a_test();
        let tags = self.tags(&image_name);
        self.may_create(&instance, &image_name, &tags).await?;
        Baking::until_stopped(self, &instance).await?;
        report.done("everything is installed", began.elapsed());
        let image = self.create(&instance, &image_name, &tags).await?;
        report.line(format_args!("· image `{image}` ({image_name})"));
        self.until_available(&image).await?;
        self.begun = None;
        report
            .output("image", &image)
            .map_err(|error| Failure::output("image", &error))?;
        report.done(
            format_args!("image `{image}` is available"),
            began.elapsed(),
        );
        self.finish(&image, &image_name, began.elapsed()).await
    }

    /// Whose account it is, what to boot from, and where the runner program is: asked together.
    async fn prepare(&self) -> Result<(Prepared, Download), Failure> {
        let Self {
            clients, deadline, ..
        } = *self;
        let download = async {
            retry::until(DOWNLOADS, deadline, || {
                clients.github.runner_download(self.architecture)
            })
            .await
            .map_err(|error| clients.github_failure(&error))?
            .ok_or_else(|| {
                let what = format!(
                    "GitHub offers no runner program for Linux on {}",
                    self.architecture
                );
                Failure::new(what, "bake for another architecture")
            })
        };
        let (account, signed_in, prepared, download) = tokio::join!(
            expected_account::check(clients, clients.account.as_ref(), deadline),
            clients.sign_in(deadline),
            Prepared::fetch(clients, &self.spec.launch, self.report, deadline),
            download
        );
        account.and(signed_in)?;
        Ok((prepared?, download?))
    }

    fn tags(&self, image_name: &str) -> Vec<(String, String)> {
        let extra = &self.spec.launch.tags;
        tags::for_bake(&self.clients.run, image_name, &self.name, None, extra)
    }

    /// A missing permission is reported before minutes are spent.
    async fn may_create(
        &self,
        instance: &InstanceId,
        image_name: &str,
        tags: &[(String, String)],
    ) -> Result<(), Failure> {
        let ec2 = self.clients.ec2.home();
        let (create, describe) = tokio::join!(
            ec2.dry_run_create_image(instance, image_name, tags),
            ec2.dry_run_describe_images()
        );
        match create.and(describe) {
            Err(error) if error.is_unauthorized() => Err(self.clients.ec2_failure(&error)),
            _ => Ok(()),
        }
    }

    async fn create(
        &mut self,
        instance: &InstanceId,
        image_name: &str,
        tags: &[(String, String)],
    ) -> Result<String, Failure> {
        let ec2 = self.clients.ec2.home();
        self.begun = Some(Begun::Asked(image_name.to_owned()));
        let asked = retry::until(CREATE_IMAGE, self.deadline, || {
            ec2.create_image(instance, image_name, tags)
        });
        let image = match asked.await {
            Ok(image) => image,
            // The answer of an earlier try was lost: a name is given once.
            Err(error) if error.code() == Some("InvalidAMIName.Duplicate") => {
                self.named(image_name).await?
            }
            Err(error) => {
                if !error.may_have_acted() {
                    self.begun = Some(Begun::Refused(image_name.to_owned()));
                }
                return Err(self.clients.ec2_failure(&error));
            }
        };
        self.begun = Some(Begun::Made(image.clone()));
        Ok(image)
    }

    async fn named(&self, image_name: &str) -> Result<String, Failure> {
        let images = self.images(&[("name", image_name)]).await?;
        let image = images.into_iter().next().map(|image| image.id);
        image.ok_or_else(|| {
            Failure::new(
                format!("EC2 calls the image's name `{image_name}` taken, and shows no such image"),
                "run the job again",
            )
        })
    }

    async fn images(&self, filters: &[(&str, &str)]) -> Result<Vec<MachineImage>, Failure> {
        retry::until(DESCRIBE_IMAGES, self.deadline, || {
            self.clients.ec2.home().own_images(filters)
        })
        .await
        .map_err(|error| self.clients.ec2_failure(&error))
    }

    async fn until_available(&self, image: &str) -> Result<(), Failure> {
        let mut ticks = Ticks::new(EVERY);
        loop {
            ticks.tick().await;
            if self.deadline.is_over() {
                return Err(self.late("the image is not available"));
            }
            let found = self.images(&[("image-id", image)]).await?;
            match found.into_iter().next().map(|image| image.state) {
                Some(ImageState::Available) => return Ok(()),
                Some(ImageState::Failed(why)) => {
                    return Err(Failure::new(
                        format!("the image `{image}` failed: {why}"),
                        "run the job again",
                    ));
                }
                // A fresh image may be unknown for a moment.
                Some(ImageState::Pending) | None => {}
            }
        }
    }

    fn late(&self, what: &str) -> Failure {
        Failure::new(
            format!("{what} after {}", seconds(self.spec.timeout)),
            "give more time with `start-timeout`, or a larger `instance-type`",
        )
    }

    /// The image exists: what it was made of goes, and so do older images.
    async fn finish(
        &mut self,
        image: &str,
        image_name: &str,
        took: Duration,
    ) -> Result<(), Failure> {
        let Clients { ec2, github, .. } = self.clients;
        let deadline = Deadline::after(UNDO_PATIENTLY);
        let leftovers = self.journal.leftovers();
        let ended = end(ec2, github, leftovers, Search::UntilCertain, deadline).await;
        if !ended.left.is_empty() {
            let left = ended.left.join("; ");
            self.report.warning(format_args!(
                "the image is made, but this is left: {left}; `mode: sweep` ends it"
            ));
        }
        let deleted = self.prune(image).await;
        let took = seconds(took);
        let mut text = format!(
            "### Sprinters: baked\n\nImage {} ({}), {}, in {took}.",
            code(image),
            markdown::text(image_name),
            self.architecture
        );
        if !deleted.is_empty() {
            let deleted: Vec<String> = deleted.iter().map(|id| code(id)).collect();
            text = format!("{text} Deleted: {}.", deleted.join(", "));
        }
        self.report.summary(&format!("{text}\n\n"));
        Ok(())
    }

    /// Deletes all but the newest images of this name and processor. What cannot be deleted costs money, and fails nothing.
    async fn prune(&self, newest: &str) -> Vec<String> {
        let mut deleted = Vec::new();
        let images = match self.of_this_name().await {
            Ok(images) => images,
            Err(failure) => {
                let why = failure.what;
                self.report
                    .warning(format_args!("older images stay: {why}"));
                return deleted;
            }
        };
        // The one just made counts, whatever the order of the times.
        let older = images.into_iter().filter(|image| image.id != newest);
        for image in older.skip(self.spec.keep - 1) {
            let ec2 = self.clients.ec2.home();
            let deadline = Deadline::after(UNDO_PATIENTLY);
            let answer = retry::until(DEREGISTER_IMAGE, deadline, || {
                ec2.deregister_image(&image.id)
            });
            match answer.await {
                Err(error) if !error.is_unknown_image() => {
                    let remedy = error.remedy(&self.clients.region);
                    self.report.warning(format_args!(
                        "the older image `{}` stays: {error}; {remedy}",
                        image.id
                    ));
                }
                _ => deleted.push(image.id),
            }
        }
        deleted
    }

    async fn of_this_name(&self) -> Result<Vec<MachineImage>, Failure> {
        let tag = |key: &str| format!("tag:{key}");
        let repository = self.clients.run.repository.to_string();
        self.images(&[
            (&tag(tags::OURS), "true"),
            (&tag(tags::REPOSITORY), &repository),
            (&tag(tags::IMAGE), &self.name),
            ("architecture", self.architecture.ec2()),
            ("state", "available"),
        ])
        .await
    }

    /// The image of that name, once EC2 shows it: a call under way may still make it. Without a search, one look.
    async fn find_asked(
        &self,
        name: &str,
        search: Option<Search>,
        deadline: Deadline,
    ) -> Option<String> {
        let wanted = search.map_or(Duration::ZERO, Search::duration);
        let looking = deadline.within(wanted);
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
        loop {
            let filter = [("name", name)];
            let look = self.clients.ec2.home().own_images(&filter);
            let found = retry::attempt_undo(DESCRIBE_IMAGES, deadline, look).await;
            if let Some(image) = found.ok().and_then(|images| images.into_iter().next()) {
                return Some(image.id);
            }
            looking.sleep(backoff.next(None)).await.ok()?;
        }
    }

    /// Terminates the instance, and takes the image back that is not whole.
    async fn undo(&mut self, failure: Failure, search: Search, deadline: Deadline) -> Failure {
        self.report.line("· undoing what was begun");
        let Clients { ec2, github, .. } = self.clients;
        let leftovers = self.journal.leftovers();
        let begun = self.begun.take();
        let deregistered = async {
            let image = match begun? {
                Begun::Made(image) => image,
                Begun::Refused(name) => self.find_asked(&name, None, deadline).await?,
                Begun::Asked(name) => {
                    let Some(image) = self.find_asked(&name, Some(search), deadline).await else {
                        let why = "EC2 gave no answer to its creation, and may not show it yet";
                        return Some(format!("perhaps the image `{name}`: {why}"));
                    };
                    image
                }
            };
            let call = ec2.home().deregister_image(&image);
            match retry::attempt_undo(DEREGISTER_IMAGE, deadline, call).await {
                Err(error) if !error.is_unknown_image() => {
                    Some(format!("image `{image}`: {error}"))
                }
                _ => None,
            }
        };
        let (Ended { left, .. }, image) =
            tokio::join!(end(ec2, github, leftovers, search, deadline), deregistered);
        let left: Vec<String> = left.into_iter().chain(image).collect();
        if left.is_empty() {
            return failure.and("nothing is left running");
        }
        left.into_iter()
            .fold(failure, |failure, left| {
                failure.and(format!("STILL THERE: {left}"))
            })
            .and("`mode: sweep` ends an instance once it has expired; an image is deregistered by hand")
    }
}

/// A time as images' names carry it: `20261127T001342Z`.
fn compact(time: SystemTime) -> String {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let whole = tags::rfc3339(UNIX_EPOCH + Duration::from_secs(elapsed.as_secs()));
    whole.chars().filter(|c| !"-:".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        assert_eq!(compact(time), "20261118T110640Z");
    }
}
