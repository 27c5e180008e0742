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
