//! What to bake: all inputs of a launch that apply, the images' name, and how many of them to keep.

use std::time::Duration;

use crate::inputs::{Inputs, Problems};
use crate::launch::spec::StartSpec;
use crate::values::per_region::Regions;
use crate::values::repository::Repository;

/// Installing takes longer than booting.
const TIMEOUT: Duration = Duration::from_mins(30);
const KEEP: usize = 3;
/// What follows the name is a time of 16 characters, and EC2 takes 128.
const LONGEST_NAME: usize = 100;

/// A valid specification of an image.
#[derive(Debug)]
pub(crate) struct BakeSpec {
    pub launch: StartSpec,
    /// What all images of one kind are called, before the time; `None` is the repository's.
    name: Option<String>,
    /// How many of that name stay.
    pub keep: usize,
    /// From the launch until the image is available.
    pub timeout: Duration,
}

impl BakeSpec {
    pub(crate) fn parse(
        inputs: &Inputs,
        regions: Option<&Regions>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let name = problems.optional(inputs, "image-name", name);
        let keep = problems.optional(inputs, "keep", keep).unwrap_or(KEEP);
        let launch = StartSpec::parse(inputs, regions, problems)?;
        let given = inputs.get("start-timeout");
        Some(Self {
            timeout: given.map_or(TIMEOUT, |_| launch.start_timeout.as_duration()),
            launch,
            name,
            keep,
        })
    }

    /// What the images of this repository are called where nobody chose a name.
    pub(crate) fn name(&self, repository: &Repository) -> String {
        let of_repository = || format!("sprinters-{}", repository.to_string().replace('/', "-"));
        self.name.clone().unwrap_or_else(of_repository)
    }
}

/// What EC2 takes in an image's name, and a tag's value holds, too.
fn name(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_NAME).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "()[]./-'@_ ".contains(c));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "1 to {LONGEST_NAME} letters, digits, blanks and `()[]./-'@_`"
        ))
    }
}

fn keep(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(keep @ 1..=100) => Ok(keep),
        _ => Err("how many images to keep, from 1 to 100".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_ec2_takes() {
        let longest = "x".repeat(LONGEST_NAME);
        for good in ["ci", "Our CI (x64) [v1.2]/a-b'c@d_e", longest.as_str()] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        let longer = "x".repeat(LONGEST_NAME + 1);
        for bad in ["", "a:b", "é", "a*", longer.as_str()] {
            assert!(
                name(bad).is_err_and(|why| why.contains("letters, digits, blanks")),
                "{bad}"
            );
        }
    }

    #[test]
    fn one_image_at_least_is_kept() {
        assert_eq!((keep("1"), keep("100")), (Ok(1), Ok(100)));
        for bad in ["0", "101", "-1", "all"] {
            assert!(keep(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bake_has_a_time_and_a_name_of_its_own() {
        let spec = |given: &[(&'static str, &str)]| {
            let flags = given
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            let (_, inputs) = Inputs::gather(flags.collect(), None, |_| None).unwrap_or_default();
            let mut problems = Problems::default();
            let regions = crate::values::per_region::regions("eu-central-1").ok();
            BakeSpec::parse(&inputs, regions.as_ref(), &mut problems)
                .unwrap_or_else(|| unreachable!("{:?}", problems.into_errors()))
        };
        let repository: Repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        let own = spec(&[]);
        assert_eq!((own.timeout, own.keep), (TIMEOUT, KEEP));
        assert_eq!(own.name(&repository), "sprinters-octo-app");
        let given = spec(&[("image-name", "ci"), ("keep", "7"), ("start-timeout", "7m")]);
        assert_eq!((given.timeout, given.keep), (Duration::from_mins(7), 7));
        assert_eq!(given.name(&repository), "ci");
    }
}
