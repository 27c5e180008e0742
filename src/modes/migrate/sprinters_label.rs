//! Labels of Sprinters' hosted service, which the input `runner` takes as they are.

use super::wanted::Wanted;
use crate::inputs::{InputError, Inputs};
use crate::runner::label::RunnerLabel;

const REGION: &str = "aws-region";

/// Whether a label is one of the service's.
pub(super) fn is_label(text: &str) -> bool {
    text == "sprinters" || text.starts_with("sprinters:")
}

/// Takes the label among a job's labels; the others only kept other jobs away.
pub(super) fn parse(labels: &[&str]) -> Result<Wanted, String> {
    let Some(text) = labels.iter().find(|label| is_label(label)) else {
        return Err("it has no label of Sprinters".to_owned());
    };
    if text.contains("${{") {
        return Err(format!("`{text}` is known only when the workflow runs"));
    }
    let label = RunnerLabel::parse(text).map_err(|errors| messages(&errors))?;
    let layer = label
        .layer(&Inputs::default())
        .map_err(|error| messages(&[error]))?;
    let named = layer.values.get(REGION).map(|placed| placed.text.clone());
    let default = layer
        .defaults
        .get(REGION)
        .map(|region| (*region).to_owned());
    let values = layer.values.iter();
    let parts = values
        .map(|(name, placed)| (*name, placed.text.clone()))
        .chain(
            layer
                .defaults
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        )
        .filter(|(name, _)| *name != REGION)
        .collect();
    let mut wanted = Wanted {
        parts: Some(parts),
        is_region_in_inputs: named.is_some(),
        region: named.or(default),
        inputs: vec![("runner", (*text).to_owned())],
        notes: layer.notes,
    };
    if labels.len() > 1 {
        wanted.notes.push(
            "the other labels are left out: the output `label` is unique as it is".to_owned(),
        );
    }
    if text.split(':').any(|part| part == "spot=rerun") {
        wanted
            .notes
            .push("`spot=rerun` needs the second workflow of the book's page \"Spot\"".to_owned());
    }
    Ok(wanted)
}

/// On one line: a note has its place already.
fn messages(errors: &[InputError]) -> String {
    let each = errors.iter().map(|error| {
        let value = error.value.as_deref().unwrap_or_default();
        format!("`{value}` does not fit; accepted: {}", error.accepted)
    });
    each.collect::<Vec<_>>().join("; ")
}
