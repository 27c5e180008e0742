//! What must be known before the first launch: the image, and for spot the zones' prices. Fetched together.

use std::time::Duration;

use crate::clients::Clients;
use crate::clients::ubuntu_images::UbuntuImage;
use crate::ec2::{DESCRIBE_IMAGES, Ec2, SpotPrice, together};
use crate::error::Failure;
use crate::launch::plan;
use crate::launch::spec::StartSpec;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::values::candidate::Candidate;
use crate::values::image::{Image, Variant};
use crate::values::instance_type::{Architecture, InstanceType};
use crate::values::named_image::NamedImage;
use crate::values::per_region::PerRegion;
use crate::values::region::Region;

/// A region that does not answer is not worth waiting for where there are others.
const IMAGES_WITHIN: Duration = Duration::from_secs(10);
/// A better order is not worth waiting for.
const PRICES_WITHIN: Duration = Duration::from_secs(3);

/// The ladder, and the image for each processor on it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub ladder: Vec<Candidate>,
    images: PerRegion<Images>,
    /// Regions without an image, and why.
    pub skipped: Vec<(Region, Failure)>,
}

/// A region's image for each processor on the ladder.
#[derive(Clone, Debug, Default)]
struct Images {
    x64: BootImage,
    arm64: BootImage,
}

/// An image that EC2 can be told to boot.
#[derive(Clone, Debug, Default)]
pub(crate) struct BootImage {
    pub id: String,
    /// Its own name, where it was looked for by name.
    name: Option<String>,
    /// What its root device is called, where EC2 reports it.
    pub root_device: Option<String>,
    /// How large its root is, where EC2 reports it.
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
        let needed = [Architecture::X64, Architecture::Arm64].map(has);
        let (images, prices) = tokio::join!(
            images(clients, spec, needed, deadline),
            prices(clients, spec, report, deadline)
        );
        let (images, skipped) = images?;
        let regions: Vec<&Region> = images.regions().collect();
        Ok(Self {
            ladder: plan::ladder(spec, &regions, &prices),
            images,
            skipped,
        })
    }

    /// The ladder goes on without them.
    pub(crate) fn warn_of_skipped(&self, report: &Reporter) {
        for (region, failure) in &self.skipped {
            let help = failure.help.join("; ");
            report.warning(format_args!(
                "`{region}` is skipped: {}; {help}",
                failure.what
            ));
        }
    }

    /// What the runners boot from: an id for each processor and region.
    pub(crate) fn images(&self, spec: &StartSpec) -> Vec<String> {
        let needed = |architecture| {
            let mut types = spec.instance_types.iter();
            types.any(|one| one.architecture() == architecture)
        };
        let architectures = [Architecture::X64, Architecture::Arm64].into_iter();
        let needed: Vec<Architecture> = architectures.filter(|it| needed(*it)).collect();
        let mut all = Vec::new();
        for (region, images) in self.images.iter() {
            let named = spec.regions.of(region).image.to_string();
            let place = if self.images.is_several() {
                format!(" in {region}")
            } else {
                String::new()
            };
            all.extend(
                needed
                    .iter()
                    .map(|architecture| match &images.of(*architecture).id {
                        id if *id == named => format!("`{id}`{place}"),
                        id => format!("`{named}` (`{id}`, {architecture}){place}"),
                    }),
            );
        }
        all
    }

    /// The image for that candidate.
    pub(crate) fn image(&self, candidate: &Candidate) -> &BootImage {
        self.images
            .of(&candidate.region)
            .of(candidate.instance_type.architecture())
    }

    /// The image and the candidates, for the log.
    pub(crate) fn described(&self, spec: &StartSpec) -> Vec<String> {
        let first = spec
            .instance_types
            .first()
            .map_or(Architecture::X64, InstanceType::architecture);
        let mut lines = Vec::new();
        for (region, images) in self.images.iter() {
            let image = images.of(first);
            let named = spec.regions.of(region).image.to_string();
            let own_name = image.name.as_ref().map(|name| format!(" ({name})"));
            let own_name = own_name.unwrap_or_default();
            let place = if self.images.is_several() {
                format!(" in {region}")
            } else {
                String::new()
            };
            lines.push(if named == image.id {
                format!("image {named}{place}")
            } else {
                format!("image {named} = {}{own_name}{place}", image.id)
            });
            lines.extend(image.note.clone());
        }
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

impl Images {
    fn of(&self, architecture: Architecture) -> &BootImage {
        match architecture {
            Architecture::X64 => &self.x64,
            Architecture::Arm64 => &self.arm64,
        }
    }
}

/// The images of all regions, asked for together. A region without them is left out where there are others.
async fn images(
    clients: &Clients,
    spec: &StartSpec,
    [x64, arm64]: [bool; 2],
    deadline: Deadline,
) -> Result<(PerRegion<Images>, Vec<(Region, Failure)>), Failure> {
    let is_several = spec.regions.is_several();
    let deadline = if is_several {
        deadline.within(IMAGES_WITHIN)
    } else {
        deadline
    };
    let named = spec.regions.iter().map(|(region, spec)| {
        let (ec2, named, clients) = (
            clients.ec2.of(Some(region)),
            spec.image.clone(),
            clients.clone(),
        );
        (ec2, (named, clients))
    });
    let named: Vec<_> = named.collect();
    let answers = together(named, |ec2, (named, clients)| async move {
        let (x64, arm64) = tokio::join!(
            image(&clients, &ec2, &named, Architecture::X64, x64, deadline),
            image(&clients, &ec2, &named, Architecture::Arm64, arm64, deadline)
        );
        Ok::<_, Failure>(Images {
            x64: x64?,
            arm64: arm64?,
        })
    });
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (region, answer) in answers.await {
        match answer {
            Ok(images) => found.push((region, images)),
            Err(failure) => failed.push((region, failure)),
        }
    }
    match (PerRegion::new(found), failed.first()) {
        (Some(found), _) => Ok((found, failed)),
        (None, Some((_, failure))) => Err(failure.clone()),
        (None, None) => Err(Failure::new("no region was asked for an image", "name one")),
    }
}

async fn image(
    clients: &Clients,
    ec2: &Ec2,
    image: &Image,
    architecture: Architecture,
    needed: bool,
    deadline: Deadline,
) -> Result<BootImage, Failure> {
    match image {
        _ if !needed => Ok(BootImage::default()),
        Image::Ami(_) | Image::Ssm(_) => Ok(BootImage::of(image.to_string())),
        Image::Named(named) => newest(ec2, named, architecture, deadline).await,
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
                .resolve(&clients.connector, wanted, &ec2.region, deadline)
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
    ec2: &Ec2,
    named: &NamedImage,
    architecture: Architecture,
    deadline: Deadline,
) -> Result<BootImage, Failure> {
    let images = retry::until(DESCRIBE_IMAGES, deadline, || {
        ec2.images(named, architecture)
    });
    let region = &ec2.region;
    let images = images.await.map_err(|error| Failure::ec2(&error, region))?;
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
    let answers = clients.ec2.spot_prices(&spec.instance_types, soon);
    let mut all = Vec::new();
    for (region, answer) in answers.await {
        match answer {
            Ok(prices) => all.extend(prices),
            Err(error) => {
                let place = if spec.regions.is_several() {
                    format!(" of `{region}`")
                } else {
                    String::new()
                };
                report.warning(format_args!(
                    "the cheapest zone{place} is not known: {error}; {}",
                    error.remedy(&region)
                ));
            }
        }
    }
    all
}
