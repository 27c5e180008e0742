//! `--to listen`: a label becomes a profile, and the job names it. No job has to start its runner then.

use serde::Serialize;

use super::edits::Edits;
use super::labels;
use super::wanted::Wanted;
use super::workflow::Workflow;
use crate::yaml::write::{InOrder, Text};

/// A listener serves the runners that have a bound; this one is the user's to choose.
const MAX_RUNNERS: u16 = 20;

/// What the file begins with.
const HEAD: &str = "\
# What `sprinters listen` serves: https://sprinters.github.io/action/profiles.html
# `max-runners` is the most that live at a time.
";

/// The profile file, as far as it is written here.
#[derive(Serialize)]
struct File<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    aws: Option<Aws<'p>>,
    runners: InOrder<(&'p str, Runner<'p>)>,
}

#[derive(Serialize)]
struct Aws<'p> {
    region: &'p str,
}

#[derive(Serialize)]
struct Runner<'p> {
    #[serde(flatten)]
    inputs: InOrder<(&'static str, Text<'p>)>,
    #[serde(rename = "max-runners")]
    max_runners: u16,
}

/// Runners of `.github/sprinters.yml`, of all files that are migrated together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profiles {
    region: Option<String>,
    runners: Vec<(String, Vec<(&'static str, String)>)>,
}

/// Migrates every job with another service's label; tells whether there was one.
pub(super) fn migrate(workflow: &Workflow<'_>, profiles: &mut Profiles, edits: &mut Edits) -> bool {
    let mut found = false;
    for job in workflow.jobs() {
        let Some(runs_on) = job.body.entry("runs-on") else {
            continue;
        };
        let (key, value) = runs_on;
        let Some(wanted) = labels::wanted(value) else {
            continue;
        };
        found = true;
        let wanted = match labels::unusual(workflow, runs_on) {
            Some(why) => Err(why.to_owned()),
            None => wanted,
        };
        match wanted.and_then(|wanted| Ok((profiles.name_of(&wanted)?, wanted))) {
            Err(why) => edits.note(key.line, format!("left as it is: {why}")),
            Ok((name, wanted)) => {
                let end = workflow.end_of(value);
                edits.replace(key.span.start..end, format!("runs-on: {name}"));
                for note in wanted.notes {
                    edits.note(value.line, note);
                }
                if wanted.region.is_none() {
                    let note = "it names no region: `sprinters listen` takes the one of `AWS_REGION` or `--aws-region`";
                    edits.note(value.line, note);
                }
            }
        }
    }
    found
}

impl Profiles {
    pub(super) fn is_empty(&self) -> bool {
        self.runners.is_empty()
    }

    /// The runner that is as wanted, a new one if there is none yet. The file has the same regions for all.
    fn name_of(&mut self, wanted: &Wanted) -> Result<String, String> {
        if let (Some(one), Some(other)) = (&self.region, &wanted.region)
            && one != other
        {
            return Err(format!(
                "it wants the region `{other}`, and the profiles before it `{one}`: the regions of a profile file hold for all of its runners"
            ));
        }
        let inputs = wanted.expanded();
        let is_line = |text: &str| !text.contains(char::is_control);
        if let Some((name, _)) = inputs.iter().find(|(_, value)| !is_line(value)) {
            return Err(format!(
                "what it wants for `{name}` has a control character"
            ));
        }
        if let Some((name, _)) = self.runners.iter().find(|(_, known)| *known == inputs) {
            return Ok(name.clone());
        }
        let wished = name_for(&inputs);
        let is_free = |name: &String| self.runners.iter().all(|(known, _)| known != name);
        let numbered = (2..).map(|number| format!("{wished}-{number}"));
        let mut names = std::iter::once(wished.clone()).chain(numbered);
        let name = names.find(is_free).unwrap_or_default();
        self.region = self.region.take().or_else(|| wanted.region.clone());
        self.runners.push((name.clone(), inputs));
        Ok(name)
    }

    /// The file's text.
    pub(super) fn text(&self) -> Result<String, serde_yaml::Error> {
        Ok(HEAD.to_owned() + &serde_yaml::to_string(&self.file())?)
    }

    fn file(&self) -> File<'_> {
        let runners = self.runners.iter().map(|(name, inputs)| {
            let inputs = inputs.iter().map(|(name, value)| (*name, Text(value)));
            let runner = Runner {
                inputs: InOrder(inputs.collect()),
                max_runners: MAX_RUNNERS,
            };
            (name.as_str(), runner)
        });
        File {
            aws: self.region.as_deref().map(|region| Aws { region }),
            runners: InOrder(runners.collect()),
        }
    }
}

/// `m7i-xlarge-spot`: what people look for in a list of runners.
fn name_for(inputs: &[(&'static str, String)]) -> String {
    let value = |name: &str| {
        inputs
            .iter()
            .find(|(one, _)| *one == name)
            .map(|(_, value)| value.as_str())
    };
    let first = |list: &str| list.split(',').next().unwrap_or_default().trim().to_owned();
    let size = value("instance-type").map_or_else(|| "linux".to_owned(), first);
    let mut name = size.replace('.', "-");
    if value("spot").is_some_and(|spot| spot != "false") {
        name.push_str("-spot");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(region: &str, types: &str) -> Wanted {
        Wanted {
            region: Some(region.to_owned()),
            inputs: vec![
                ("instance-type", types.to_owned()),
                ("spot", "auto".to_owned()),
            ],
            ..Wanted::default()
        }
    }

    #[test]
    fn the_same_is_one_profile_and_another_has_another_name() {
        let mut profiles = Profiles::default();
        let mut name = |types| profiles.name_of(&wanted("eu-west-1", types));
        assert_eq!(
            name("m7i.xlarge, m7a.xlarge").as_deref(),
            Ok("m7i-xlarge-spot")
        );
        assert_eq!(name("m7i.xlarge").as_deref(), Ok("m7i-xlarge-spot-2"));
        assert_eq!(
            name("m7i.xlarge, m7a.xlarge").as_deref(),
            Ok("m7i-xlarge-spot")
        );
        assert!(profiles.name_of(&wanted("us-east-1", "m7i.large")).is_err());
        let text = profiles.text().unwrap_or_default();
        assert!(crate::runner::profile::ProfileFile::parse(&text).is_ok());
        assert_eq!(
            text.strip_prefix(HEAD),
            Some(
                "aws:\n  region: eu-west-1\nrunners:\n  m7i-xlarge-spot:\n    instance-type: m7i.xlarge, m7a.xlarge\n    \
                 spot: auto\n    max-runners: 20\n  m7i-xlarge-spot-2:\n    instance-type: m7i.xlarge\n    spot: auto\n    \
                 max-runners: 20\n"
            )
        );
    }
}
