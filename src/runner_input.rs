//! What the input `runner` stands for: a label's parts, as values below the inputs that were given.

use crate::failure::Failure;
use crate::inputs::{InputError, Inputs};
use crate::spec::runner_label::{self, RunnerLabel};

/// The inputs with what `runner` stands for put below them.
pub(crate) fn resolve(inputs: Inputs) -> Result<Inputs, Failure> {
    let Some(text) = inputs.get(runner_label::INPUT) else {
        return Ok(inputs);
    };
    if !runner_label::is_label(text) {
        let accepted = "a label such as `sprinters:aws:eu-central-1:ubuntu-24.04:m7i.xlarge`";
        return Err(Failure::inputs(&[InputError::wrong(
            runner_label::INPUT,
            text,
            accepted,
        )]));
    }
    let label = RunnerLabel::parse(text).map_err(|errors| Failure::inputs(&errors))?;
    let layer = label
        .layer(&inputs)
        .map_err(|error| Failure::inputs(&[error]))?;
    Ok(inputs.with(layer))
}
