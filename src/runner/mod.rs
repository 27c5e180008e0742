//! What the input `runner` stands for, a label or the name of a profile: values below the inputs that were given.

pub(crate) mod label;
pub(crate) mod profile;
pub(crate) mod profile_file;

use crate::error::Failure;
use crate::inputs::{Inputs, Layer};
use crate::report::Reporter;
use crate::runner::label::RunnerLabel;
use crate::runner::profile::ProfileFile;

/// The inputs with what `runner` stands for put below them. Only a profile that is not in the workspace needs anyone's answer.
pub(crate) async fn resolve(
    inputs: Inputs,
    environment: impl Fn(&str) -> Option<String>,
    report: &Reporter,
) -> Result<Inputs, Failure> {
    let layer = match inputs.get(label::INPUT) {
        None => return Ok(inputs),
        Some(text) if label::is_label(text) => label(text, &inputs)?,
        Some(name) => {
            let text = profile_file::read(&inputs, environment, report).await?;
            profile(name, &text)?
        }
    };
    Ok(inputs.with(layer))
}

fn label(text: &str, inputs: &Inputs) -> Result<Layer, Failure> {
    let label = RunnerLabel::parse(text).map_err(|errors| Failure::inputs(&errors))?;
    label
        .layer(inputs)
        .map_err(|error| Failure::inputs(&[error]))
}

fn profile(name: &str, text: &str) -> Result<Layer, Failure> {
    let file = ProfileFile::parse(text).map_err(|errors| Failure::inputs(&errors))?;
    file.layer(name).map_err(|error| Failure::inputs(&[error]))
}
