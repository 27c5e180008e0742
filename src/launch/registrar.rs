//! What makes a runner's record, and what the instance's tags say of it: a run that starts runners for itself, or a scale set.

use std::time::{Duration, SystemTime};

use crate::clients::Clients;
use crate::ec2::tags;
use crate::github::{GithubError, JitRunner};
use crate::launch::spec::StartSpec;
use crate::values::label::Label;
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;
use crate::values::volume::Volumes;

#[cfg(not(target_family = "wasm"))]
use crate::github::scale_sets::ScaleSets;

/// Where a runner's record comes from.
#[derive(Clone, Debug)]
pub(crate) enum Registrar {
    /// A workflow run: the runner has labels of its own, in a runner group.
    Run { group: u64 },
    /// A scale set, by GitHub's number for it and the value of its tag.
    #[cfg(not(target_family = "wasm"))]
    ScaleSet {
        sets: ScaleSets,
        id: u64,
        tag: String,
    },
}

impl Registrar {
    /// Gets the token that `create` asks with, where there is one to get. In a try of its own: what fails here has made no record.
    pub(crate) async fn sign_in(&self, clients: &Clients) -> Result<(), GithubError> {
        match self {
            Self::Run { .. } => clients.github.sign_in().await,
            // A listener is signed in, and its token is renewed when it ends.
            #[cfg(not(target_family = "wasm"))]
            Self::ScaleSet { .. } => Ok(()),
        }
    }

    /// Creates the record of that name, and its secret.
    pub(crate) async fn create(
        &self,
        clients: &Clients,
        spec: &StartSpec,
        launch: &LaunchName,
        name: &str,
    ) -> Result<JitRunner, GithubError> {
        match self {
            Self::Run { group } => {
                let mut labels = vec![launch.as_str()];
                labels.extend(spec.labels.iter().map(Label::as_str));
                clients
                    .github
                    .create_jit_runner(name, &labels, *group)
                    .await
            }
            #[cfg(not(target_family = "wasm"))]
            Self::ScaleSet { sets, id, .. } => Ok(sets.create_jit_runner(*id, name).await?),
        }
    }

    /// The tags of an instance and its volumes.
    pub(crate) fn tags(
        &self,
        clients: &Clients,
        spec: &StartSpec,
        launch: &LaunchName,
        (name, runner): (&str, RunnerId),
        volumes: Volumes,
    ) -> Vec<(String, String)> {
        let expires = SystemTime::now() + lifetime(spec);
        let run = &clients.run;
        let regions = tags::regions(spec.regions.regions());
        match self {
            Self::Run { .. } => tags::for_launch(
                run,
                name,
                launch.as_str(),
                runner,
                expires,
                volumes,
                spec.group.as_ref(),
                regions,
                &spec.tags,
            ),
            #[cfg(not(target_family = "wasm"))]
            Self::ScaleSet { tag, .. } => tags::for_scale_set(
                run, name, tag, runner, expires, volumes, regions, &spec.tags,
            ),
        }
    }
}

/// How long an instance may live, its boot included.
fn lifetime(spec: &StartSpec) -> Duration {
    spec.max_lifetime.as_duration() + spec.start_timeout.as_duration()
}
