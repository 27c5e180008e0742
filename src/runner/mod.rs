//! What the input `runner` stands for, a label or the name of a profile: values below the inputs that were given.

pub(crate) mod label;
pub(crate) mod profile;
pub(crate) mod profile_file;

use std::sync::Arc;

use crate::error::Failure;
use crate::inputs::{Inputs, Layer};
use crate::report::Reporter;
use crate::runner::label::RunnerLabel;
use crate::runner::profile::ProfileFile;

#[cfg(not(target_family = "wasm"))]
use crate::{inputs::InputError, runner::profile::FILE, values::list};

/// The inputs with what `runner` stands for put below them. Only a profile that is not in the workspace needs anyone's answer.
pub(crate) async fn resolve(
    inputs: Inputs,
    environment: impl Fn(&str) -> Option<String>,
    report: &Arc<Reporter>,
) -> Result<Inputs, Failure> {
    let layer = match inputs.get(label::INPUT) {
        None => return Ok(inputs),
        Some(text) if label::is_label(text) => label(text, &inputs)?,
        Some(name) => {
            let text = profile_file::read(&inputs, environment, report).await?;
            let layer = profile(name, &text)?;
            log_powers(name, &layer, report);
            layer
        }
    };
    Ok(inputs.with(layer))
}

/// One of the runners that a listener serves.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct ServedRunner {
    /// What jobs name: a label, or the name of a profile.
    pub name: String,
    pub inputs: Inputs,
    /// It is a label, or in the file.
    pub is_known: bool,
}

/// The runners that `runner` names, or all of the profile file that have `max-runners`. The one that is to be drained need not
/// be in the file any more.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn served(
    inputs: &Inputs,
    drained: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
    report: &Arc<Reporter>,
) -> Result<Vec<ServedRunner>, Failure> {
    let named: Vec<String> = match (drained, inputs.get(label::INPUT)) {
        (Some(name), _) => vec![name.to_owned()],
        (None, Some(text)) => list::entries(text).map(str::to_owned).collect(),
        (None, None) => Vec::new(),
    };
    let file = if named.is_empty() || !named.iter().all(|name| label::is_label(name)) {
        let text = profile_file::read(inputs, environment, report).await?;
        Some(ProfileFile::parse(&text).map_err(|errors| Failure::inputs(&errors))?)
    } else {
        None
    };
    let names = match &file {
        Some(file) if named.is_empty() => file.names_with("max-runners"),
        _ => named,
    };
    if names.is_empty() {
        let why = format!(
            "it is empty, and no runner of `{FILE}` has `max-runners`: give those that jobs may name one, such as `max-runners: 5`"
        );
        return Err(Failure::inputs(&[InputError::new(label::INPUT, &why)]));
    }
    let serve = |name: String| {
        let own = inputs.for_runner(&name);
        let (layer, is_known) = match &file {
            _ if label::is_label(&name) => (label(&name, &own)?, true),
            Some(file) if drained.is_some() && !file.has(&name) => (file.shared(), false),
            Some(file) => (
                file.layer(&name)
                    .map_err(|error| Failure::inputs(&[error]))?,
                true,
            ),
            None => (Layer::default(), false),
        };
        Ok(ServedRunner {
            inputs: own.with(layer),
            name,
            is_known,
        })
    };
    names.into_iter().map(serve).collect()
}

/// What a file brings that runs as root, or that AWS trusts, is named.
fn log_powers(name: &str, layer: &Layer, report: &Reporter) {
    for (key, what) in [
        ("setup", "a script that runs as root"),
        ("instance-profile", "an IAM role for the job"),
    ] {
        if layer.values.contains_key(key) {
            report.line(format_args!("· profile `{name}` brings `{key}`: {what}"));
        }
    }
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
