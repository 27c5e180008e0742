//! Values that `runner` stands for: below the inputs that were given, above the environment.

use std::collections::BTreeMap;

use super::Place;
use crate::spec::account::AccountId;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub text: String,
    pub place: Place,
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
