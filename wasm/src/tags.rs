//! The tags on every instance and volume that Sprinters launches: what `start` sends and what the checker decides by.
//!
//! They are set in the `RunInstances` call itself, so that nothing of ours ever exists without them. The program writes
//! from this table and the verdict follows from it; a tag that is missing here does not exist.

/// `true` on everything that Sprinters launched; the tag that tightened policies ask for.
pub const OURS: &str = "sprinters:sprinters";
/// The runner's name; a `Name` of the user's own takes its place.
pub const NAME: &str = "Name";
/// The repository whose workflow launched it, `octo/repo`.
pub const REPOSITORY: &str = "sprinters:repository";
/// The workflow run, GitHub's number for it.
pub const RUN_ID: &str = "sprinters:run-id";
/// The run's attempt, from 1.
pub const RUN_ATTEMPT: &str = "sprinters:run-attempt";
/// The job's key in its workflow.
pub const JOB: &str = "sprinters:job";
/// GitHub's number for the job that launched it: `rerun` runs that job again.
pub const JOB_ID: &str = "sprinters:job-id";
/// The unique label that a job's `runs-on` names.
pub const LABEL: &str = "sprinters:label";
/// GitHub's number for the runner.
pub const RUNNER_ID: &str = "sprinters:runner-id";
/// When `sweep` may end the instance, in RFC 3339.
pub const EXPIRES: &str = "sprinters:expires";
/// The root volume that was asked for: `stop` adds up what it cost, and may not describe volumes.
pub const ROOT: &str = "sprinters:root";
/// The volume for the job's data; for the same reason.
pub const TEMP: &str = "sprinters:temp";
/// The `group` that pairs a `start` with its `stop`.
pub const GROUP: &str = "sprinters:group";
/// The regions that the launch could fall back to: `stop` looks in all of them.
pub const REGIONS: &str = "sprinters:regions";
/// Where the runner registered, if not at the repository: `orgs/octo`. Its record is found there alone.
pub const SCOPE: &str = "sprinters:scope";
/// The scale set that `listen` launched it for.
pub const SCALE_SET: &str = "sprinters:scale-set";

/// When a launch carries a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// In every launch.
    Always,
    /// In launches of a workflow run's own `start`.
    Start,
    /// Where GitHub gives the job's number.
    KnownJob,
    /// With the input `temp`.
    Temp,
    /// With the input `group`.
    Group,
    /// With several regions in `aws-region`.
    SeveralRegions,
    /// With another `scope` than `repo`.
    WiderScope,
    /// In launches of `listen`.
    Listen,
}

impl Carried {
    /// The circumstance in words that follow "if"; nothing for a tag that is always there.
    #[must_use]
    pub fn circumstance(self) -> Option<&'static str> {
        match self {
            Self::Always => None,
            Self::Start => Some("`start` launches it, not `listen`"),
            Self::KnownJob => Some("GitHub gives the job's id"),
            Self::Temp => Some("`temp` is set"),
            Self::Group => Some("`group` is set"),
            Self::SeveralRegions => Some("`aws-region` lists several regions"),
            Self::WiderScope => Some("`scope` is not `repo`"),
            Self::Listen => Some("`listen` launches it"),
        }
    }
}

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its key.
    pub key: &'static str,
    /// When a launch carries it.
    pub carried: Carried,
    /// Its value, where every launch has the same.
    pub value: Option<&'static str>,
}

const fn tag(key: &'static str, carried: Carried) -> Tag {
    Tag {
        key,
        carried,
        value: None,
    }
}

/// Every tag that Sprinters sets, in the order in which they are sent.
pub const ALL: [Tag; 16] = [
    Tag {
        key: OURS,
        carried: Carried::Always,
        value: Some("true"),
    },
    tag(NAME, Carried::Always),
    tag(REPOSITORY, Carried::Always),
    tag(RUN_ID, Carried::Start),
    tag(RUN_ATTEMPT, Carried::Start),
    tag(JOB, Carried::Start),
    tag(LABEL, Carried::Start),
    tag(RUNNER_ID, Carried::Always),
    tag(EXPIRES, Carried::Always),
    tag(ROOT, Carried::Always),
    tag(TEMP, Carried::Temp),
    tag(SCOPE, Carried::WiderScope),
    tag(JOB_ID, Carried::KnownJob),
    tag(GROUP, Carried::Group),
    tag(REGIONS, Carried::SeveralRegions),
    tag(SCALE_SET, Carried::Listen),
];

/// The tag of that key. EC2 distinguishes case in tag keys.
#[must_use]
pub fn find(key: &str) -> Option<&'static Tag> {
    ALL.iter().find(|tag| tag.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once_and_ec2_takes_it() {
        for (at, tag) in ALL.iter().enumerate() {
            assert!(tag.key.len() <= 128 && !tag.key.starts_with("aws:"));
            assert!(ALL[..at].iter().all(|other| other.key != tag.key));
            assert_eq!(find(tag.key), Some(tag));
        }
        assert_eq!(find("sprinters:Temp"), None);
        assert_eq!(find(OURS).and_then(|tag| tag.value), Some("true"));
    }

    #[test]
    fn only_what_may_be_absent_names_a_circumstance() {
        for tag in ALL {
            assert_eq!(
                tag.carried.circumstance().is_none(),
                tag.carried == Carried::Always,
                "{}",
                tag.key
            );
        }
    }
}
