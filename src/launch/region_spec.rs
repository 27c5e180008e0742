//! What a launch needs in each region: the image, where in the region, and behind which security groups. Pure.

use super::region_entries::{Single, entries, of_region};
use super::region_options::RegionOptions;
use crate::inputs::{InputError, Inputs, Problems};
use crate::values::image::Image;
use crate::values::launch_options::LaunchOptions;
use crate::values::network::{Placement, SecurityGroup, Subnet};
use crate::values::per_region::{Entry, PerRegion, Regions, listed};
use crate::values::region::{Region, Zone};
use crate::values::volume::{Performance, RootVolume};
use crate::values::{gp3, list};

/// The root volume of an Ubuntu image: Canonical's own 8 GiB are too small for most builds.
const UBUNTU_ROOT_GIB: u32 = 30;

/// What exists in one region alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegionSpec {
    pub image: Image,
    pub root: RootVolume,
    /// Where the user wants it; empty means anywhere in the default VPC.
    pub placements: Vec<Placement>,
    pub security_groups: Vec<SecurityGroup>,
    pub options: LaunchOptions,
}

impl RegionSpec {
    /// For each of the regions; what is wrong goes to `problems`. Where the regions themselves are wrong, nothing is held
    /// against them.
    pub(crate) fn parse(
        inputs: &Inputs,
        known: Option<&Regions>,
        problems: &mut Problems,
    ) -> PerRegion<Self> {
        let stand_in = PerRegion::one(Region::default(), ());
        let regions = known.unwrap_or(&stand_in);
        let images = entries::<Image>(inputs, "image", known, problems);
        let zones: Vec<Zone> = problems
            .optional(inputs, "availability-zone", list::parse)
            .unwrap_or_default();
        let subnets = subnets(inputs, regions, known, problems);
        let groups = entries::<SecurityGroup>(inputs, "security-group", known, problems);
        for zone in &zones {
            check_zone("availability-zone", zone, known, problems);
        }
        check_groups(inputs, &groups, regions, problems);
        let root = Root::parse(inputs, problems);
        let options = RegionOptions::parse(inputs, known, problems);
        let places = placements(inputs, &zones, &subnets, regions, problems);
        let specs = places.iter().map(|(region, placements)| {
            let image = match known {
                Some(regions) => image(inputs, &images, region, regions, problems),
                None => images
                    .first()
                    .map(|entry| entry.value.clone())
                    .unwrap_or_default(),
            };
            let spec = Self {
                root: root.of(inputs, &image, problems),
                image,
                placements: placements.clone(),
                security_groups: of_region(&groups, region).cloned().collect(),
                options: options.of(inputs, region, regions, problems),
            };
            (region.clone(), spec)
        });
        let specs: Vec<_> = specs.collect();
        regions.map(|region, ()| {
            let own = specs.iter().find(|(known, _)| known == region);
            own.map_or_else(Self::default, |(_, spec)| spec.clone())
        })
    }
}

/// The region's own image, or that of all regions.
fn image(
    inputs: &Inputs,
    images: &[Entry<Image>],
    region: &Region,
    regions: &Regions,
    problems: &mut Problems,
) -> Image {
    let single = Single {
        input: "image",
        noun: "image",
        example: "ami-0123456789abcdef0",
        entries: images,
    };
    let ami = |image: &Image| {
        (regions.is_several() && matches!(image, Image::Ami(_))).then(|| {
            format!("an image of each region, because AMI ids differ: write `{region}=ami-…`")
        })
    };
    if let Some(image) = single.choose(inputs, region, ami, problems) {
        return image.clone();
    }
    let is_for = |entry: &Entry<Image>| entry.region.as_ref().is_none_or(|own| own == region);
    // What could not be parsed has been reported, and what was wrong with an entry for this region, too.
    if let Some(text) = inputs.get("image")
        && !images.is_empty()
        && !images.iter().any(is_for)
    {
        let why = format!("an image for `{region}`, too: write `{region}=…`");
        problems.push(InputError::wrong("image", text, &why));
    }
    Image::default()
}

/// The root volume that the inputs ask for, before an image adds its size.
struct Root {
    size: Option<u32>,
    performance: Option<Performance>,
}

impl Root {
    fn parse(inputs: &Inputs, problems: &mut Problems) -> Self {
        Self {
            size: problems.optional(inputs, "root-size", gp3::size),
            performance: problems.optional(inputs, "root", str::parse),
        }
    }

    fn of(&self, inputs: &Inputs, image: &Image, problems: &mut Problems) -> RootVolume {
        let size = self.size.or(match image {
            Image::Ubuntu { .. } => Some(UBUNTU_ROOT_GIB),
            Image::Ami(_) | Image::Ssm(_) | Image::Named(_) => None,
        });
        let together = RootVolume::new(size, self.performance).map_err(|accepted| {
            InputError::wrong("root", inputs.get("root").unwrap_or_default(), &accepted)
        });
        problems.collect_once(together).unwrap_or_default()
    }
}

fn check_zone(input: &str, zone: &Zone, known: Option<&Regions>, problems: &mut Problems) {
    let Some(regions) = known else { return };
    let mut all = regions.regions();
    if all.all(|region| region.as_str() != zone.region()) {
        let of = if regions.is_several() {
            "regions"
        } else {
            "region"
        };
        let why = format!("zones of the {of} {}", listed(regions.regions()));
        problems.push(InputError::wrong(input, zone.as_str(), &why));
    }
}

/// Each exists in one region alone.
fn check_groups(
    inputs: &Inputs,
    groups: &[Entry<SecurityGroup>],
    regions: &Regions,
    problems: &mut Problems,
) {
    let is_open = groups.iter().any(|group| group.region.is_none());
    if is_open && regions.is_several() {
        let text = inputs.get("security-group").unwrap_or_default();
        let first = regions.first_region();
        let why = format!(
            "groups with their regions where `aws-region` has several: write `{first}=sg-…`"
        );
        problems.push(InputError::wrong("security-group", text, &why));
    }
}

/// Subnets with their regions, which a zone names, too.
fn subnets(
    inputs: &Inputs,
    regions: &Regions,
    known: Option<&Regions>,
    problems: &mut Problems,
) -> Vec<(Region, Subnet)> {
    let text = inputs.get("subnet").unwrap_or_default();
    let first = regions.first_region();
    let mut subnets = Vec::new();
    for Entry { region, value } in entries::<Subnet>(inputs, "subnet", known, problems) {
        if let Some(zone) = &value.zone {
            check_zone("subnet", zone, known, problems);
        }
        let of_zone = value
            .zone
            .as_ref()
            .and_then(|zone| zone.region().parse().ok());
        match (region, of_zone) {
            (Some(region), Some(of_zone)) if region != of_zone => {
                let why = format!(
                    "subnets whose zone is in their region; `{of_zone}` is not in `{region}`"
                );
                problems.push(InputError::wrong("subnet", text, &why));
            }
            (Some(region), _) | (None, Some(region)) => subnets.push((region, value)),
            (None, None) if regions.is_several() => {
                let why = format!(
                    "subnets with their regions or zones where `aws-region` has several: write `{first}=subnet-…`"
                );
                problems.push(InputError::wrong("subnet", text, &why));
            }
            (None, None) => subnets.push((first.clone(), value)),
        }
    }
    subnets
}

/// Zones and subnets as places to try. A subnet whose zone is known can be left out by `availability-zone`.
fn placements(
    inputs: &Inputs,
    zones: &[Zone],
    subnets: &[(Region, Subnet)],
    regions: &Regions,
    problems: &mut Problems,
) -> Vec<(Region, Vec<Placement>)> {
    let mut all = Vec::new();
    for region in regions.regions() {
        let zones: Vec<&Zone> = zones
            .iter()
            .filter(|zone| zone.region() == region.as_str())
            .collect();
        let mut subnets = subnets
            .iter()
            .filter(|(own, _)| own == region)
            .map(|(_, subnet)| subnet)
            .peekable();
        let is_without = subnets.peek().is_none();
        let fits = |subnet: &&Subnet| {
            zones.is_empty()
                || subnet
                    .zone
                    .as_ref()
                    .is_none_or(|zone| zones.contains(&zone))
        };
        let places: Vec<Placement> = if is_without {
            zones.into_iter().cloned().map(Placement::Zone).collect()
        } else {
            let fitting = subnets.filter(fits).cloned();
            let places: Vec<Placement> = fitting.map(Placement::Subnet).collect();
            if places.is_empty() {
                let text = inputs.get("availability-zone").unwrap_or_default();
                let why = "a zone that one of the subnets is in";
                problems.push(InputError::wrong("availability-zone", text, why));
            }
            places
        };
        all.push((region.clone(), places));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(
        regions: &str,
        values: &[(&'static str, &str)],
    ) -> Result<PerRegion<RegionSpec>, Vec<String>> {
        let flags = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let (_, inputs) = Inputs::gather(flags.collect(), None, |_| None).unwrap_or_default();
        let regions = list::parse::<Region>(regions).unwrap_or_default();
        let regions = PerRegion::new(regions.into_iter().map(|region| (region, ())));
        let regions = regions.unwrap_or_else(|| unreachable!("there are regions"));
        let mut problems = Problems::default();
        let parsed = RegionSpec::parse(&inputs, Some(&regions), &mut problems);
        let errors: Vec<_> = problems
            .into_errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        if errors.is_empty() {
            Ok(parsed)
        } else {
            Err(errors)
        }
    }

    const TWO: &str = "us-east-1, us-west-2";

    #[test]
    fn each_region_has_its_own() {
        let parsed = parse(
            TWO,
            &[
                ("image", "ubuntu-22.04, us-west-2=ami-12345678"),
                (
                    "subnet",
                    "us-west-2=subnet-11111111, us-east-1a=subnet-22222222",
                ),
                (
                    "security-group",
                    "us-west-2=sg-11111111, us-west-2=sg-22222222",
                ),
            ],
        );
        let parsed = parsed.unwrap_or_else(|errors| unreachable!("{errors:?}"));
        let problems: Vec<_> = parsed
            .iter()
            .map(|(region, spec)| {
                let places: Vec<_> = spec.placements.iter().map(ToString::to_string).collect();
                format!(
                    "{region} {} {:?} {places:?} {}",
                    spec.image,
                    spec.root.gib,
                    spec.security_groups.len()
                )
            })
            .collect();
        assert_eq!(
            problems,
            [
                r#"us-east-1 ubuntu-22.04 Some(30) ["us-east-1a (subnet-22222222)"] 0"#,
                r#"us-west-2 ami-12345678 None ["subnet-11111111"] 2"#,
            ]
        );
    }

    #[test]
    fn a_plain_value_holds_everywhere_or_in_the_one_region() {
        let both = parse(
            TWO,
            &[
                ("image", "ubuntu-22.04"),
                ("availability-zone", "us-west-2b"),
            ],
        );
        assert!(both.is_ok_and(|both| {
            both.iter().all(|(_, spec)| spec.image != Image::default())
                && both
                    .iter()
                    .map(|(_, spec)| spec.placements.len())
                    .eq([0, 1])
        }));
        let one = [
            ("image", "ami-12345678"),
            ("subnet", "subnet-12345678"),
            ("security-group", "sg-12345678"),
        ];
        assert!(parse("us-west-2", &one).is_ok());
        for value in one {
            let errors = parse(TWO, &[value]).err().unwrap_or_default();
            assert!(errors.concat().contains("write `us-"), "{errors:?}");
        }
    }

    #[test]
    fn what_fits_no_region_is_reported() {
        for (name, value) in [
            ("image", "us-east-1=ami-12345678"),
            ("image", "ubuntu-22.04, ubuntu-24.04"),
            ("image", "eu-west-1=ami-12345678, ubuntu-24.04"),
            ("subnet", "eu-west-1=subnet-12345678"),
            ("subnet", "us-east-1=us-west-2a=subnet-12345678"),
            ("security-group", "eu-west-1=sg-12345678"),
            ("availability-zone", "eu-west-1a"),
            ("launch-template", "lt-12345678"),
            ("launch-template", "eu-west-1=lt-12345678"),
            ("launch-template", "runners, others"),
            ("capacity-reservation", "cr-12345678"),
            ("capacity-reservation", "block=cr-12345678"),
            (
                "capacity-reservation",
                "us-east-1=cr-12345678, us-east-1=none",
            ),
            (
                "capacity-reservation",
                "arn:aws:resource-groups:eu-west-1:123456789012:group/builds",
            ),
            (
                "capacity-reservation",
                "us-west-2=arn:aws:resource-groups:us-east-1:123456789012:group/builds",
            ),
        ] {
            assert!(parse(TWO, &[(name, value)]).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn templates_and_reservations_are_of_one_region() {
        let options = |template: &str, reservation: &str| {
            let parsed = parse(
                TWO,
                &[
                    ("launch-template", template),
                    ("capacity-reservation", reservation),
                ],
            );
            let parsed = parsed.unwrap_or_else(|errors| unreachable!("{errors:?}"));
            let shown = parsed.iter().map(|(region, spec)| {
                let version = spec.options.template.as_ref();
                let version = version.map_or("-", |it| it.version.as_deref().unwrap_or("default"));
                let capacity = spec.options.capacity.as_ref();
                let capacity = capacity.map_or("-".to_owned(), ToString::to_string);
                format!("{region} {version} {capacity}")
            });
            shown.collect::<Vec<_>>()
        };
        assert_eq!(
            options(
                "runners, us-west-2=lt-12345678:3",
                "none, us-west-2=block=cr-12345678"
            ),
            ["us-east-1 default none", "us-west-2 3 block=cr-12345678"]
        );
        let group = "arn:aws:resource-groups:us-west-2:123456789012:group/builds";
        assert_eq!(
            options("us-east-1=runners:$Latest", group),
            [
                "us-east-1 $Latest -".to_owned(),
                format!("us-west-2 - {group}")
            ]
        );
    }
}
