//! API clients; building them sends no request.

pub(crate) mod expected_account;
pub(crate) mod session;
pub(crate) mod target;
pub(crate) mod ubuntu_images;

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use crate::clients::target::Target;
use crate::clients::ubuntu_images::ImageIndex;
use crate::credentials::GithubCredentials;
use crate::credentials::mask::Mask;
use crate::ec2::{Ec2Error, Found, Instance, Regional};
use crate::error::Failure;
#[cfg(not(target_family = "wasm"))]
use crate::github::scale_sets::ScaleSets;
use crate::github::{Github, GithubError, MINT, MINT_FOR, Purpose, Runner, RunnerList};
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::teardown;
use crate::values::account::AccountId;
#[cfg(not(target_family = "wasm"))]
use crate::values::per_region::Regions;
use crate::values::region::Region;
use crate::values::run::WorkflowRun;
use crate::values::runner_id::RunnerId;

/// The clients of one invocation.
#[derive(Clone)]
pub(crate) struct Clients {
    pub ec2: Regional,
    pub github: Github,
    /// For the image index.
    pub connector: SharedHttpConnector,
    pub image_index: ImageIndex,
    /// The preferred one.
    pub region: Region,
    /// GitHub's REST API.
    #[cfg(not(target_family = "wasm"))]
    pub api: http::Uri,
    pub run: WorkflowRun,
    /// What they were made from.
    again: Arc<Target>,
    /// With the job's own token, which may read the run's jobs where the workflow lets it.
    pub job_github: Option<Github>,
    /// The account that the credentials must be of, where `runner` names one.
    pub account: Option<AccountId>,
}

/// The job's own token, which action.yml passes.
pub(crate) const JOB_TOKEN: &str = "SPRINTERS_JOB_TOKEN";

impl Clients {
    pub(crate) async fn new(
        target: Target,
        purpose: Purpose,
        environment: impl Fn(&str) -> Option<String>,
        report: &Arc<Reporter>,
        read_timeout: Duration,
    ) -> Self {
        let again = Arc::new(target.clone());
        let report = report.clone();
        let mask: Mask = Arc::new(move |secret| report.mask(secret));
        let Target {
            regions,
            aws,
            github,
            github_api,
            extra_roots,
            run,
            account,
        } = target;
        let connector = crate::http::connector(extra_roots, read_timeout);
        let job_github = environment(JOB_TOKEN).map(|token| {
            mask(&token);
            let token = GithubCredentials::Token(token.into());
            let mask = mask.clone();
            Github::new(
                connector.clone(),
                &github_api,
                token,
                &run,
                Purpose::Runs,
                mask,
            )
        });
        Self {
            again,
            job_github,
            ec2: Regional::new(&connector, &regions, aws, mask.clone()).await,
            github: Github::new(connector.clone(), &github_api, github, &run, purpose, mask),
            image_index: ImageIndex::new(environment),
            connector,
            region: regions.first_region().clone(),
            #[cfg(not(target_family = "wasm"))]
            api: github_api,
            run,
            account,
        }
    }

    /// The scale sets of the place where runners register.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn scale_sets(&self, report: &Arc<Reporter>) -> ScaleSets {
        let report = report.clone();
        ScaleSets::new(
            self.connector.clone(),
            self.github.clone(),
            self.api.clone(),
            &self.run.scope,
            Arc::new(move |secret: &str| report.mask(secret)),
        )
    }

    /// The same clients for other regions and another account, and for a scale set instead of a workflow run.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn for_scale_set(
        &self,
        regions: &Regions,
        account: Option<AccountId>,
        run: WorkflowRun,
    ) -> Self {
        Self {
            ec2: self.ec2.at(regions),
            region: regions.first_region().clone(),
            account,
            run,
            ..self.clone()
        }
    }

    /// The same once more, with connections of their own: those of another runtime are of no use.
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "a rescue from a panic needs a thread")
    )]
    pub(crate) async fn again(
        &self,
        environment: impl Fn(&str) -> Option<String>,
        report: &Arc<Reporter>,
    ) -> Self {
        Self::new(
            (*self.again).clone(),
            Purpose::Runners,
            environment,
            report,
            crate::http::READ_TIMEOUT,
        )
        .await
    }

    /// Signs in to both, so that those who ask later need not wait for it.
    pub(crate) async fn sign_in(&self, deadline: Deadline) -> Result<(), Failure> {
        let (aws, github) =
            tokio::join!(self.ec2.home().sign_in(), self.sign_in_to_github(deadline));
        aws.map_err(|error| Failure::new(error.to_string(), error.help))?;
        github
    }

    /// Signs in to GitHub, where that takes more than a token.
    pub(crate) async fn sign_in_to_github(&self, deadline: Deadline) -> Result<(), Failure> {
        retry::until(MINT, deadline, || self.github.sign_in())
            .await
            .map_err(|error| self.github_failure(&error))
    }

    /// The list, and what it lacks of these instances' runners, each asked for by its number: pages shift, so that a missing
    /// entry proves nothing. Where the list is not even whole, a 404 is one answer alone, and the name is asked for, too. Those
    /// about which GitHub does not answer take nothing from the rest.
    pub(crate) async fn with_unlisted(
        &self,
        list: RunnerList,
        instances: impl Iterator<Item = &Instance>,
        deadline: Deadline,
    ) -> (Vec<Runner>, Vec<(RunnerId, GithubError)>) {
        let unlisted = instances.filter_map(|instance| {
            let id = instance.runner_id().filter(|id| !list.has(*id))?;
            let name = instance.runner_name().filter(|_| !list.is_whole);
            Some((id, name.map(str::to_owned)))
        });
        let answers = teardown::each(unlisted, |(id, name)| async move {
            let found = teardown::find_runner(&self.github, id, name.as_deref(), deadline).await;
            found.map_err(|error| (id, error))
        });
        let answers = answers.await;
        let (mut runners, mut unanswered) = (list.runners, Vec::new());
        for answer in answers {
            match answer {
                Ok(found) => runners.extend(found),
                Err(error) => unanswered.push(error),
            }
        }
        (runners, unanswered)
    }

    /// What the regions answered, and what keeps others from it: a mode deals with the first, and then fails with the second.
    /// Where nobody answered there is nothing to deal with.
    pub(crate) fn seen(
        &self,
        found: Found,
        report: &Reporter,
    ) -> Result<(Vec<Instance>, Option<Failure>), Failure> {
        let first = found.unseen().next();
        let failure = first.map(|(region, error)| self.failure_in(region, error));
        if let Some(failure) = failure.as_ref().filter(|_| found.answered == 0) {
            return Err(failure.clone());
        }
        let failure = found
            .unseen()
            .skip(1)
            .fold(failure, |failure, (region, error)| {
                let more = format!("nor could `{region}` be asked: {error}");
                failure.map(|failure| failure.and(more))
            });
        for (region, error) in found.unanswered.iter().filter(|(_, e)| e.is_not_enabled()) {
            report.warning(format_args!(
                "`{region}` is skipped: {error}; {}",
                error.remedy(region)
            ));
        }
        Ok((found.instances, failure))
    }

    pub(crate) fn ec2_failure(&self, error: &Ec2Error) -> Failure {
        Failure::ec2(error, &self.region)
    }

    /// Of a call in that region, which is named where there are several.
    pub(crate) fn failure_in(&self, region: &Region, error: &Ec2Error) -> Failure {
        let failure = Failure::ec2(error, region);
        if self.ec2.is_several() {
            failure.and(format!("it was in `{region}`"))
        } else {
            failure
        }
    }

    pub(crate) fn github_failure(&self, error: &GithubError) -> Failure {
        let failure = Failure::github(error, &self.run.scope);
        let is_given = self
            .github
            .app()
            .is_some_and(|app| app.installation.is_some());
        let is_unseen = error.status() == Some(http::StatusCode::NOT_FOUND);
        // An organization that the App is installed in as well gives a token, which cannot see this one.
        if is_given && is_unseen && error.operation != MINT_FOR {
            failure.and(
                "or `github-app-installation-id` is another owner's: leave it out, and the log tells the right one",
            )
        } else {
            failure
        }
    }
}
