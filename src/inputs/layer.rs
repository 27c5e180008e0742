//! Values that `runner` stands for: below the inputs that were given, above the environment.

use std::collections::BTreeMap;

use super::SourceSpan;
use crate::values::account::AccountId;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub text: String,
    pub place: SourceSpan,
    /// The entries of a list, each with its own place.
    pub entries: Vec<(String, SourceSpan)>,
}

impl Placed {
    /// The place that a message is about, and what stands there: the entry which it names last, else the whole value.
    pub(crate) fn place_of(&self, message: &str) -> (&SourceSpan, &str) {
        let named = |entry: &str| message.rfind(&format!("`{entry}`"));
        let entries = self.entries.iter();
        let last = entries
            .filter_map(|(entry, place)| Some((named(entry)?, place, entry.as_str())))
            .max_by_key(|(at, ..)| *at);
        last.map_or((&self.place, &self.text), |(_, place, entry)| {
            (place, entry)
        })
    }
}

/// What a label or a profile says, as values of inputs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub values: BTreeMap<&'static str, Placed>,
    /// The account that the credentials must belong to.
    pub account: Option<AccountId>,
    /// What holds where nobody says anything, not even the environment.
    pub defaults: BTreeMap<&'static str, &'static str>,
    /// What the log should say about it.
    pub notes: Vec<String>,
}
