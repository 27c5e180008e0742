//! What must be known before the first launch: the image, and for spot the zones' prices. Fetched together.

use std::time::Duration;

use crate::clients::Clients;
use crate::clients::ubuntu_images::UbuntuImage;
use crate::ec2::{DESCRIBE_IMAGES, DESCRIBE_SPOT_PRICE_HISTORY, SpotPrice};
use crate::error::Failure;
use crate::launch::plan;
use crate::launch::spec::StartSpec;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::values::candidate::Candidate;
use crate::values::image::{Image, Variant};
use crate::values::instance_type::{Architecture, InstanceType};
use crate::values::named_image::NamedImage;

/// A better order is not worth waiting for.
const PRICES_WITHIN: Duration = Duration::from_secs(3);

/// The ladder, and the image for each processor on it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub ladder: Vec<Candidate>,
    x64: BootImage,
    arm64: BootImage,
}

/// An image that EC2 can be told to boot.
#[derive(Clone, Debug, Default)]
pub(crate) struct BootImage {
    pub id: String,
    /// Its own name, where it was looked for by name.
    name: Option<String>,
    /// What its root device is called, where EC2 told.
    pub root_device: Option<String>,
    /// How large its root is, where EC2 told.
    pub root_gib: Option<u32>,
    note: Option<String>,
}

impl BootImage {
    fn of(id: String) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }
}

impl Prepared {
    /// Asks only for what this specification needs: an explicit image on-demand needs nothing.
    pub(crate) async fn fetch(
        clients: &Clients,
        spec: &StartSpec,
        report: &Reporter,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        for warning in &spec.warnings {
            report.warning(warning);
        }
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

    /// The image for that processor.
    pub(crate) fn image(&self, architecture: Architecture) -> &BootImage {
        match architecture {
            Architecture::X64 => &self.x64,
            Architecture::Arm64 => &self.arm64,
        }
    }

    /// What the runners boot from: an id for each processor.
    pub(crate) fn images(&self, spec: &StartSpec) -> Vec<String> {
        let needed = |architecture| {
            let mut types = spec.instance_types.iter();
            types.any(|one| one.architecture() == architecture)
        };
        let named = spec.image.to_string();
        [Architecture::X64, Architecture::Arm64]
            .into_iter()
            .filter(|architecture| needed(*architecture))
            .map(|architecture| match &self.image(architecture).id {
                id if *id == named => format!("`{id}`"),
                id => format!("`{named}` (`{id}`, {architecture})"),
            })
            .collect()
    }

    /// The image and the candidates, for the log.
    pub(crate) fn described(&self, spec: &StartSpec) -> Vec<String> {
        let first = spec
            .instance_types
            .first()
            .map_or(Architecture::X64, InstanceType::architecture);
        let image = self.image(first);
        let named = spec.image.to_string();
        let own_name = image.name.as_ref().map(|name| format!(" ({name})"));
        let own_name = own_name.unwrap_or_default();
        let mut lines = vec![if named == image.id {
            format!("image {named}")
        } else {
            format!("image {named} = {}{own_name}", image.id)
        }];
        lines.extend(image.note.clone());
        lines.extend(spec.notes.iter().cloned());
        let candidates = self
            .ladder
            .iter()
            .enumerate()
            .map(|(n, candidate)| format!("{}. {candidate}", n + 1));
        lines.extend(candidates);
        lines
    }
}

async fn image(
    clients: &Clients,
    image: &Image,
    architecture: Architecture,
    needed: bool,
    deadline: Deadline,
) -> Result<BootImage, Failure> {
    match image {
        _ if !needed => Ok(BootImage::default()),
        Image::Ami(_) | Image::Ssm(_) => Ok(BootImage::of(image.to_string())),
        Image::Named(named) => newest(clients, named, architecture, deadline).await,
        Image::Ubuntu {
            release, variant, ..
        } => {
            let wanted = UbuntuImage {
                release: *release,
                architecture,
                is_minimal: *variant == Some(Variant::Minimal),
            };
            let resolved = clients
                .image_index
                .resolve(&clients.connector, wanted, &clients.region, deadline)
                .await?;
            Ok(BootImage {
                note: resolved.note,
                ..BootImage::of(resolved.ami)
            })
        }
    }
}

/// The newest image of a name and owner.
async fn newest(
    clients: &Clients,
    named: &NamedImage,
    architecture: Architecture,
    deadline: Deadline,
) -> Result<BootImage, Failure> {
    let images = retry::until(DESCRIBE_IMAGES, deadline, || {
        clients.ec2.images(named, architecture)
    });
    let images = images.await.map_err(|error| clients.ec2_failure(&error))?;
    let region = &clients.region;
    let Some(newest) = images.into_iter().next() else {
        return Err(Failure::new(
            format!("`{region}` has no {architecture} image `{named}`"),
            "check the name, the owner and the region: an image is public, or shared with this account, in some regions only",
        ));
    };
    if let Some(why) = named.refuses(&newest.name) {
        return Err(Failure::new(
            format!(
                "the newest image `{named}` is `{}`, which cannot be used: {why}",
                newest.name
            ),
            "make the pattern narrower",
        ));
    }
    Ok(BootImage {
        name: Some(newest.name),
        root_device: newest.root_device,
        root_gib: newest.root_gib,
        ..BootImage::of(newest.id)
    })
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
