//! What must be known before the first launch: the image, and for spot the zones' prices. Fetched together.

use std::time::Duration;

use crate::clients::Clients;
use crate::ec2::{DESCRIBE_SPOT_PRICE_HISTORY, SpotPrice};
use crate::error::Failure;
use crate::launch::plan;
use crate::launch::spec::StartSpec;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::values::candidate::Candidate;
use crate::values::image::Image;
use crate::values::instance_type::{Architecture, InstanceType};

/// A better order is not worth waiting for.
const PRICES_WITHIN: Duration = Duration::from_secs(3);

/// The ladder, and the image for each processor on it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub ladder: Vec<Candidate>,
    x64: String,
    arm64: String,
}

impl Prepared {
    /// Asks only for what this specification needs: an explicit image on-demand needs nothing.
    pub(crate) async fn fetch(
        clients: &Clients,
        spec: &StartSpec,
        report: &Reporter,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let has = |architecture| {
            spec.instance_types
                .iter()
                .any(|t| t.architecture() == architecture)
        };
        let (x64, arm64, prices) = tokio::join!(
            image(
                clients,
                &spec.image,
                Architecture::X64,
                has(Architecture::X64),
                deadline
            ),
            image(
                clients,
                &spec.image,
                Architecture::Arm64,
                has(Architecture::Arm64),
                deadline
            ),
            prices(clients, spec, report, deadline)
        );
        Ok(Self {
            ladder: plan::ladder(spec, &prices),
            x64: x64?,
            arm64: arm64?,
        })
    }

    /// The image id for that processor.
    pub(crate) fn image(&self, architecture: Architecture) -> &str {
        match architecture {
            Architecture::X64 => &self.x64,
            Architecture::Arm64 => &self.arm64,
        }
    }

    /// The image and the rungs, for the log.
    pub(crate) fn described(&self, spec: &StartSpec) -> Vec<String> {
        let first = spec
            .instance_types
            .first()
            .map_or(Architecture::X64, InstanceType::architecture);
        let image = self.image(first);
        let named = spec.image.to_string();
        let mut lines = vec![if named == image {
            format!("image {image}")
        } else {
            format!("image {named} = {image}")
        }];
        lines.extend(spec.notes.iter().cloned());
        let rungs = self
            .ladder
            .iter()
            .enumerate()
            .map(|(n, candidate)| format!("{}. {candidate}", n + 1));
        lines.extend(rungs);
        lines
    }
}

async fn image(
    clients: &Clients,
    image: &Image,
    architecture: Architecture,
    needed: bool,
    deadline: Deadline,
) -> Result<String, Failure> {
    match image {
        _ if !needed => Ok(String::new()),
        Image::Ami(_) | Image::Ssm(_) => Ok(image.to_string()),
        Image::Ubuntu { release, .. } => {
            clients
                .image_index
                .resolve(
                    &clients.connector,
                    *release,
                    architecture,
                    &clients.region,
                    deadline,
                )
                .await
        }
    }
}

/// Spot prices only choose the order: without them the launch goes on, in the order that the user wrote.
async fn prices(
    clients: &Clients,
    spec: &StartSpec,
    report: &Reporter,
    deadline: Deadline,
) -> Vec<SpotPrice> {
    if !plan::needs_spot_prices(spec) {
        return Vec::new();
    }
    let soon = deadline.within(PRICES_WITHIN);
    let types = &spec.instance_types;
    let answer = retry::until(DESCRIBE_SPOT_PRICE_HISTORY, soon, || {
        clients.ec2.spot_prices(types)
    });
    match answer.await {
        Ok(prices) => prices,
        Err(error) => {
            report.warning(format_args!(
                "the cheapest zone is not known: {error}; {}",
                error.remedy(&clients.region)
            ));
            Vec::new()
        }
    }
}
