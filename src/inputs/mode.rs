//! What Sprinters is asked to do.

use super::InputError;
use crate::values::list::closest;

/// One way to run Sprinters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Start,
    Stop,
    Check,
    Sweep,
    Rerun,
    Listen,
    Bake,
    Policy,
}

impl Mode {
    pub(crate) const ALL: [Self; 8] = [
        Self::Start,
        Self::Stop,
        Self::Check,
        Self::Sweep,
        Self::Rerun,
        Self::Listen,
        Self::Bake,
        Self::Policy,
    ];

    /// The modes, for messages.
    pub(crate) const ACCEPTED: &str =
        "`start`, `stop`, `check`, `sweep`, `rerun`, `listen`, `bake` or `policy`";

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Check => "check",
            Self::Sweep => "sweep",
            Self::Rerun => "rerun",
            Self::Listen => "listen",
            Self::Bake => "bake",
            Self::Policy => "policy",
        }
    }

    /// Parses the mode's word.
    pub(crate) fn parse(word: &str) -> Result<Self, InputError> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == word)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name);
                let mut accepted = Self::ACCEPTED.to_owned();
                if let Some(near) = closest(word, &names) {
                    accepted = format!("{accepted}; did you mean `{near}`?");
                }
                InputError::wrong("mode", word, &accepted)
            })
    }
}
