//! What a launch should be: all inputs of `start`, parsed and held against one another.

use super::instance_proxy::InstanceProxy;
use super::region_spec::RegionSpec;
use crate::inputs::{InputError, Inputs, Problems};
use crate::values::duration::Seconds;
use crate::values::group::Group;
use crate::values::instance_type::{Architecture, InstanceType};
use crate::values::label::Label;
use crate::values::network::{InstanceProfile, Placement};
use crate::values::per_region::{PerRegion, Regions};
use crate::values::region::{Region, is_familiar};
use crate::values::scope::RunnerGroup;
use crate::values::spot::Spot;
use crate::values::swap::Swap;
use crate::values::tags::Tags;
use crate::values::temp::Temp;
use crate::values::volume::Volumes;
use crate::values::{list, runner, switch};

const START_TIMEOUT: Seconds = Seconds::from_minutes(5);
const IDLE_TIMEOUT: Seconds = Seconds::from_minutes(10);
const MAX_LIFETIME: Seconds = Seconds::from_minutes(6 * 60);
/// A JIT config lives about an hour.
const LONGEST_START: Seconds = Seconds::from_minutes(60);
/// GitHub ends a job on a self-hosted runner after five days.
const LONGEST_LIFETIME: Seconds = Seconds::from_minutes(5 * 24 * 60);

/// A valid specification of a launch.
#[derive(Debug)]
pub(crate) struct StartSpec {
    /// In order of preference.
    pub regions: PerRegion<RegionSpec>,
    /// In order of preference; never empty.
    pub instance_types: Vec<InstanceType>,
    pub spot: Spot,
    pub instance_profile: Option<InstanceProfile>,
    /// `None`: on the root volume.
    pub temp: Option<Temp>,
    pub swap: Swap,
    pub count: u16,
    pub labels: Vec<Label>,
    /// What the log should say about the specification.
    pub notes: Vec<String>,
    /// What nobody here can decide and EC2 will.
    pub warnings: Vec<String>,
    pub runner_group: RunnerGroup,
    /// Pairs this start with its stop.
    pub group: Option<Group>,
    pub tags: Tags,
    pub setup: Option<String>,
    pub job_started: Option<String>,
    pub job_completed: Option<String>,
    /// The step's own way to the network, where it has one.
    pub proxy: Option<InstanceProxy>,
    pub runner_home: Option<String>,
    pub runner_user: String,
    /// Whether that account has sudo and Docker.
    pub sudo: bool,
    pub start_timeout: Seconds,
    pub idle_timeout: Seconds,
    pub max_lifetime: Seconds,
}

impl StartSpec {
    /// The volumes to ask EC2 for in that region.
    pub(crate) fn volumes(&self, region: &Region) -> Volumes {
        Volumes {
            root: self.regions.of(region).root,
            temp: self.temp.and_then(Temp::volume),
        }
    }

    /// Parses every input of `start`; what is wrong goes to `problems`.
    pub(crate) fn parse(
        inputs: &Inputs,
        regions: Option<&Regions>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let regions = RegionSpec::parse(inputs, regions, problems);
        let instance_types = instance_types(inputs, &regions, problems);
        let temp = temp(inputs, &instance_types, problems);
        let mut duration = |name, default, most| {
            problems
                .optional(inputs, name, |text| Seconds::parse(text, most))
                .unwrap_or(default)
        };
        let start_timeout = duration("start-timeout", START_TIMEOUT, LONGEST_START);
        let idle_timeout = duration("idle-timeout", IDLE_TIMEOUT, LONGEST_LIFETIME);
        let max_lifetime = duration("max-lifetime", MAX_LIFETIME, LONGEST_LIFETIME);
        let instance_profile: Option<InstanceProfile> =
            problems.optional(inputs, "instance-profile", str::parse);
        check_options(inputs, &regions, &instance_types, problems);
        let mut image_notes: Vec<String> = Vec::new();
        for note in regions.iter().filter_map(|(_, spec)| spec.image.note()) {
            if !image_notes.contains(&note) {
                image_notes.push(note);
            }
        }
        let notes = image_notes
            .into_iter()
            .chain(instance_profile.as_ref().map(|profile| {
                format!("the job and its containers can use the credentials of the instance profile `{profile}` (metadata hop limit 2)")
            }))
            .chain(inputs.notes().iter().cloned());
        let spec = Self {
            notes: notes.collect(),
            warnings: warnings(&regions, temp, &instance_types),
            regions,
            instance_types,
            spot: problems
                .optional(inputs, "spot", str::parse)
                .unwrap_or_default(),
            instance_profile,
            temp,
            swap: problems
                .optional(inputs, "swap", str::parse)
                .unwrap_or_default(),
            count: problems
                .optional(inputs, "count", runner::count)
                .unwrap_or(1),
            labels: labels(inputs, problems),
            runner_group: problems
                .optional(inputs, "runner-group", |text| {
                    RunnerGroup::parse(text, matches!(inputs.get("scope"), None | Some("repo")))
                })
                .unwrap_or_default(),
            group: problems.optional(inputs, "group", str::parse),
            tags: problems
                .optional(inputs, "tags", Tags::parse)
                .unwrap_or_default(),
            setup: inputs.get("setup").map(str::to_owned),
            job_started: inputs.get("job-started").map(str::to_owned),
            job_completed: inputs.get("job-completed").map(str::to_owned),
            proxy: None,
            runner_home: problems.optional(inputs, "runner-home", runner::home),
            runner_user: problems
                .optional(inputs, "runner-user", runner::user)
                .unwrap_or_else(|| "runner".to_owned()),
            sudo: problems
                .optional(inputs, "sudo", switch::parse)
                .unwrap_or(true),
            start_timeout,
            idle_timeout,
            max_lifetime,
        };
        problems.is_empty().then_some(spec)
    }
}

fn instance_types(
    inputs: &Inputs,
    regions: &PerRegion<RegionSpec>,
    problems: &mut Problems,
) -> Vec<InstanceType> {
    // The first image that is for one processor only; all of them are held against it.
    let images = || regions.iter().map(|(_, spec)| &spec.image);
    let image = images().find(|image| image.architecture().is_some());
    let image = image.unwrap_or(&regions.first().image);
    let wanted = image.architecture();
    let other = |image: &&crate::values::image::Image| {
        image.architecture().is_some_and(|own| Some(own) != wanted)
    };
    if let Some(other) = images().find(other) {
        let why = format!("images for one processor; `{image}` and `{other}` are for two");
        let text = inputs.get("image").unwrap_or_default();
        problems.push(InputError::wrong("image", text, &why));
    }
    let Some(text) = inputs.get("instance-type") else {
        return vec![InstanceType::default_for(
            wanted.unwrap_or(Architecture::X64),
        )];
    };
    let types: Vec<InstanceType> = problems
        .optional(inputs, "instance-type", list::parse)
        .unwrap_or_default();
    // An image is built for one processor. Only the default image exists for both.
    let fits_all = inputs.get("image").is_none();
    let wanted = wanted.or_else(|| types.first().map(InstanceType::architecture));
    for instance_type in &types {
        let has = instance_type.architecture();
        if let Some(wanted) = wanted.filter(|wanted| !fits_all && *wanted != has) {
            let why = format!("{wanted} types for the image `{image}`; `{instance_type}` is {has}");
            problems.push(InputError::wrong("instance-type", text, &why));
            break;
        }
    }
    types
}

/// What EC2 refuses together is refused here, by name.
fn check_options(
    inputs: &Inputs,
    regions: &PerRegion<RegionSpec>,
    types: &[InstanceType],
    problems: &mut Problems,
) {
    let spot = inputs.get("spot").filter(|spot| *spot != "false");
    let mut reservations = regions.iter().filter_map(|(_, spec)| {
        let reservation = spec.options.capacity.as_ref();
        reservation.filter(|reservation| reservation.is_targeted())
    });
    if let (Some(capacity), Some(spot)) = (reservations.next(), spot) {
        let accepted = format!(
            "`open` or `none` with `spot: {spot}`: a reservation holds on-demand instances alone"
        );
        problems.push(InputError::wrong(
            "capacity-reservation",
            &capacity.to_string(),
            &accepted,
        ));
    }
    if let Some(unable) = types.iter().find(|it| it.cannot_nest())
        && regions.first().options.nested_virtualization
    {
        let accepted = format!(
            "`false` with `{unable}`, which cannot nest virtual machines: Intel's types can from the eighth generation on, such as \
             `m8i.large`, but for their `metal` sizes, where KVM needs no switch"
        );
        problems.push(InputError::wrong(
            "nested-virtualization",
            "true",
            &accepted,
        ));
    }
}

/// A disk that one of the types lacks would be missed on that candidate of the ladder alone, and only once it has booted.
fn temp(inputs: &Inputs, types: &[InstanceType], problems: &mut Problems) -> Option<Temp> {
    problems.optional(inputs, "temp", |text| {
        let temp: Temp = text.parse()?;
        types.iter().try_for_each(|one| temp.fits(one))?;
        Ok(temp)
    })
}

/// Names that this program does not know: AWS opens regions and zones, and sells new types.
fn warnings(
    regions: &PerRegion<RegionSpec>,
    temp: Option<Temp>,
    types: &[InstanceType],
) -> Vec<String> {
    let places = regions.iter().flat_map(|(_, spec)| &spec.placements);
    let regions = regions
        .regions()
        .filter(|region| !is_familiar(region.as_str()))
        .map(|region| format!("`{region}` does not look like any region known here; EC2 decides"));
    let zones = places
        .filter_map(Placement::zone)
        .filter(|zone| !zone.is_familiar())
        .map(|zone| format!("`{zone}` does not look like any zone known here; EC2 decides"));
    let doubts = types.iter().filter_map(|it| temp?.doubt(it));
    regions.chain(zones).chain(doubts).collect()
}

/// Extra labels; GitHub allows 100 on a runner, and one is ours. A label that `runner` gives is not among them unless it is
/// listed: any job of the repository that names it, a pull request's as well, could take the machine.
fn labels(inputs: &Inputs, problems: &mut Problems) -> Vec<Label> {
    const MOST: usize = 99;
    problems
        .optional(inputs, "labels", |text| {
            let labels: Vec<Label> = list::parse(text)?;
            if labels.len() > MOST {
                return Err(format!("at most {MOST} labels; there are {}", labels.len()));
            }
            Ok(labels)
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::image::Image;
    use crate::values::per_region::regions;
    use std::collections::BTreeMap;

    fn parse(values: &[(&'static str, &str)]) -> Result<StartSpec, Vec<String>> {
        let flags: BTreeMap<_, _> = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let inputs = Inputs::gather(flags, None, |_| None)
            .map(|(_, inputs)| inputs)
            .unwrap_or_default();
        let mut problems = Problems::default();
        let region = regions("eu-central-1").ok();
        StartSpec::parse(&inputs, region.as_ref(), &mut problems).ok_or_else(|| {
            problems
                .into_errors()
                .iter()
                .map(ToString::to_string)
                .collect()
        })
    }

    #[test]
    fn defaults() {
        let spec = parse(&[]);
        assert!(spec.is_ok_and(|spec| {
            spec.regions.first().image == Image::default()
                && spec
                    .instance_types
                    .iter()
                    .map(InstanceType::as_str)
                    .eq(["t3.large"])
                && spec.regions.first().root.gib == Some(30)
                && spec.count == 1
                && spec.runner_user == "runner"
                && spec.sudo
                && spec.regions.first().placements.is_empty()
        }));
        let arm = parse(&[("image", "ubuntu-24.04-arm")]);
        assert!(arm.is_ok_and(|spec| {
            spec.instance_types
                .iter()
                .map(InstanceType::as_str)
                .eq(["t4g.large"])
        }));
    }

    #[test]
    fn the_default_image_follows_the_processor() {
        assert!(parse(&[("instance-type", "m7i.large, m7g.large")]).is_ok());
        let errors = parse(&[("instance-type", "m7g.large"), ("image", "ubuntu-24.04")])
            .err()
            .unwrap_or_default();
        assert_eq!(
            errors,
            [
                "input `instance-type` is `m7g.large`; accepted: x64 types for the image `ubuntu-24.04`; `m7g.large` is arm64"
            ]
        );
        assert!(
            parse(&[
                ("instance-type", "m7i.large, m7g.large"),
                ("image", "ami-12345678")
            ])
            .is_err()
        );
    }

    #[test]
    fn temp_fits_every_type() {
        let ephemeral = |types| parse(&[("temp", "ephemeral"), ("instance-type", types)]);
        assert!(ephemeral("m6id.large, c6id.large").is_ok_and(|s| s.temp == Some(Temp::Ephemeral)));
        let errors = ephemeral("m6id.large, m6i.large").err().unwrap_or_default();
        assert!(
            errors.concat().contains("`m6i.large` has none"),
            "{errors:?}"
        );
        assert!(parse(&[("temp", "zram/16")]).is_ok());
    }

    #[test]
    fn what_ec2_refuses_together_is_refused_by_name() {
        let reserved = ("capacity-reservation", "cr-0123456789abcdef0");
        assert!(parse(&[reserved]).is_ok());
        assert!(parse(&[reserved, ("spot", "false")]).is_ok());
        assert!(parse(&[("capacity-reservation", "none"), ("spot", "auto")]).is_ok());
        let errors = parse(&[reserved, ("spot", "auto")])
            .err()
            .unwrap_or_default();
        assert!(errors.concat().contains("`spot: auto`"), "{errors:?}");
        let nested = ("nested-virtualization", "true");
        assert!(parse(&[nested, ("instance-type", "m8i.xlarge")]).is_ok());
        let errors = parse(&[
            nested,
            ("instance-type", "m8i.xlarge, m8g.xlarge"),
            ("image", "ubuntu-24.04"),
        ]);
        assert!(errors.is_err_and(|errors| errors.concat().contains("`m8g.xlarge`")));
    }

    #[test]
    fn what_nobody_here_knows_is_left_to_ec2() {
        let warnings = |values: &[(&'static str, &str)]| parse(values).map(|spec| spec.warnings);
        assert_eq!(
            warnings(&[("temp", "ephemeral"), ("instance-type", "g5.xlarge")]),
            Ok(vec![])
        );
        let text = warnings(&[
            ("temp", "ephemeral"),
            ("instance-type", "trn7.48xlarge"),
            ("availability-zone", "eu-central-1-orbit-7"),
        ]);
        let text = text.unwrap_or_default().concat();
        assert!(
            text.contains("`trn7.48xlarge`") && text.contains("`eu-central-1-orbit-7`"),
            "{text}"
        );
        let local = warnings(&[("availability-zone", "eu-central-1-ham-1a")]);
        assert_eq!(local, Ok(vec![]));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let errors = parse(&[
            ("spot", "maybe"),
            ("count", "0"),
            ("subnet", ","),
            ("labels", &"x".repeat(257)),
        ]);
        assert_eq!(errors.err().map(|e| e.len()), Some(4));
    }

    #[test]
    fn zones_and_subnets_fit_together() {
        assert!(
            parse(&[("availability-zone", "us-east-1a")])
                .is_err_and(|e| e.concat().contains("eu-central-1"))
        );
        let subnets =
            "eu-central-1a=subnet-11111111, eu-central-1b=subnet-22222222, subnet-33333333";
        let spec = parse(&[("subnet", subnets), ("availability-zone", "eu-central-1b")]);
        assert_eq!(
            spec.ok().map(|spec| spec.regions.first().placements.len()),
            Some(2)
        );
        let none = parse(&[
            ("subnet", "eu-central-1a=subnet-11111111"),
            ("availability-zone", "eu-central-1b"),
        ]);
        assert!(none.is_err());
    }
}
