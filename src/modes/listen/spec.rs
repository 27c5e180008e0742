//! What a listener serves: all inputs of `listen`, parsed and held against one another.

use std::net::SocketAddr;
use std::sync::Arc;

use super::reconcile::Limits;
use crate::clients::target::Target;
use crate::inputs::ListenFlags;
use crate::inputs::{InputError, Inputs, Mode, Problems};
use crate::launch::instance_proxy::InstanceProxy;
use crate::launch::spec::StartSpec;
use crate::launch::user_data;
use crate::runner::ServedRunner;
use crate::values::account::AccountId;
use crate::values::duration::Seconds;
use crate::values::per_region::Regions;

/// More is most likely a slip.
const MOST_RUNNERS: usize = 10_000;
const LONGEST: Seconds = Seconds::from_minutes(366 * 24 * 60);
/// What GitHub takes as the name of a set, and EC2 as the value of a tag.
const LONGEST_NAME: usize = 200;

/// A valid specification of a listener.
#[derive(Debug)]
pub(crate) struct ListenSpec {
    /// Never empty.
    pub sets: Vec<SetSpec>,
    /// A public repository may be served.
    pub serves_public: bool,
    pub metrics: Option<SocketAddr>,
    /// The one set is to be taken out of service.
    pub drains: bool,
}

/// One scale set.
#[derive(Clone, Debug)]
pub(crate) struct SetSpec {
    /// What jobs name.
    pub name: String,
    /// With the name first.
    pub labels: Vec<String>,
    pub limits: Limits,
    /// How long it is served; without it, until somebody ends the listener.
    pub lasts: Option<Seconds>,
    pub start: Arc<StartSpec>,
    pub regions: Regions,
    pub account: Option<AccountId>,
}

impl ListenSpec {
    /// Parses all runners that are served; each problem is reported once.
    pub(crate) fn parse(
        runners: &[ServedRunner],
        flags: &ListenFlags,
        environment: impl Fn(&str) -> Option<String>,
        problems: &mut Problems,
    ) -> Option<(Target, Self)> {
        let mut target = None;
        let mut sets: Vec<SetSpec> = Vec::new();
        for runner in runners {
            let mut own = Problems::default();
            let parsed = set(runner, flags, &environment, &mut own);
            problems.adopt(own, &runner.inputs);
            let Some((for_set, set)) = parsed else {
                continue;
            };
            if let Some(other) = sets.iter().find(|other| is_same(&other.name, &set.name)) {
                let why = format!(
                    "each runner once, whatever its case: there is `{}` already",
                    other.name
                );
                problems.push(InputError::wrong("runner", &set.name, &why));
            }
            target.get_or_insert(for_set);
            sets.push(set);
        }
        problems.collect(log(flags));
        let first = &runners.first()?.inputs;
        let serves_public = problems.optional(first, "public", flag).unwrap_or_default();
        let spec = Self {
            sets,
            serves_public,
            metrics: problems.collect(metrics(flags)).flatten(),
            drains: flags.drain.is_some(),
        };
        if problems.is_empty() {
            Some((target?, spec))
        } else {
            None
        }
    }
}

fn set(
    runner: &ServedRunner,
    flags: &ListenFlags,
    environment: impl Fn(&str) -> Option<String>,
    problems: &mut Problems,
) -> Option<(Target, SetSpec)> {
    let inputs = &runner.inputs;
    let target = Target::parse(Mode::Listen, inputs, &environment, problems);
    let regions = target.as_ref().map(|target| &target.regions);
    let mut start = StartSpec::parse(inputs, regions, problems);
    if let Some(start) = &mut start {
        let read = |path: &str| std::fs::read_to_string(path);
        start.proxy = InstanceProxy::of(&environment, read, &mut start.notes);
        problems.collect(user_data::fits(start).map_err(|error| {
            let setup = start.setup.as_deref().unwrap_or_default();
            InputError::wrong("setup", setup, &error.to_string())
        }));
    }
    if let Some(count) = inputs.get("count").filter(|count| *count != "1") {
        let why = "`1` or nothing: `listen` launches one runner for each job";
        problems.push(InputError::wrong("count", count, why));
    }
    problems.collect(name(&runner.name));
    let is_unknown = flags.drain.is_some() && !runner.is_known;
    let limits = if is_unknown {
        Some(Limits::default())
    } else {
        problems.collect(limits(inputs, &runner.name))
    };
    let lasts = problems.optional(inputs, "for", |text| Seconds::parse(text, LONGEST));
    let (target, start) = (target?, start?);
    let extra = start.labels.iter().map(|label| label.as_str().to_owned());
    let labels = std::iter::once(runner.name.clone())
        .chain(extra.filter(|label| !is_same(label, &runner.name)))
        .collect();
    let set = SetSpec {
        name: runner.name.clone(),
        labels,
        limits: limits?,
        lasts,
        regions: target.regions.clone(),
        account: target.account.clone(),
        start: Arc::new(start),
    };
    Some((target, set))
}

/// GitHub ignores case in labels.
fn is_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn name(name: &str) -> Result<(), InputError> {
    let is_fine = (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || c == ',');
    if !is_fine {
        let why = format!(
            "a name that GitHub takes for a scale set: at most {LONGEST_NAME} printable characters, no commas"
        );
        return Err(InputError::wrong("runner", name, &why));
    }
    if name.eq_ignore_ascii_case("self-hosted") {
        let why = "a name of its own: every self-hosted runner has this label";
        return Err(InputError::wrong("runner", name, why));
    }
    Ok(())
}

fn limits(inputs: &Inputs, name: &str) -> Result<Limits, InputError> {
    let number = |input: &'static str| match inputs.get(input) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number <= MOST_RUNNERS => Ok(Some(number)),
            _ => Err(InputError::wrong(
                input,
                text,
                &format!("a whole number from 0 to {MOST_RUNNERS}"),
            )),
        },
    };
    let (max, min) = (number("max-runners")?, number("min-runners")?);
    let max = max.ok_or_else(|| {
        let why = format!("it is empty; say how many runners `{name}` may have at a time");
        InputError::new("max-runners", &why)
    })?;
    let min = min.unwrap_or_default();
    if min > max {
        let why = format!("at most `max-runners`, which is {max}");
        return Err(InputError::wrong("min-runners", &min.to_string(), &why));
    }
    Ok(Limits { min, max })
}

fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "`true` or `false`".to_owned())
}

/// What `json` means is decided before anything is written.
fn log(flags: &ListenFlags) -> Result<(), InputError> {
    match flags.log.as_deref() {
        None | Some("text" | "json") => Ok(()),
        Some(other) => Err(InputError::wrong("log", other, "`text` or `json`")),
    }
}

fn metrics(flags: &ListenFlags) -> Result<Option<SocketAddr>, InputError> {
    let Some(text) = &flags.metrics else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let why = "an address and a port, such as `127.0.0.1:9464`";
        InputError::wrong("metrics", text, why)
    })
}
