//! What another service's label asks for, in our words.

/// Inputs for `mode: start`, and what goes with them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Where the label names one.
    pub region: Option<String>,
    /// Whether one of the inputs names it already.
    pub is_region_in_inputs: bool,
    /// In the order of the book.
    pub inputs: Vec<(&'static str, String)>,
    /// What a label that `runner` takes as it is stands for, one by one.
    pub parts: Option<Vec<(&'static str, String)>>,
    pub notes: Vec<String>,
}

impl Wanted {
    /// Inputs that a profile may have.
    pub(super) fn expanded(&self) -> Vec<(&'static str, String)> {
        self.parts.as_ref().unwrap_or(&self.inputs).clone()
    }
}
