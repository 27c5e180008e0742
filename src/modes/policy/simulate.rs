//! `policy simulate`: `aws iam simulate-custom-policy`'s question, answered here.

use sprinters_policy::simulate::{Simulation, simulate};

use super::arguments::Asked;
use super::file;
use crate::error::Failure;
use crate::inputs::InputError;
use crate::report::Reporter;

/// Reads the policies and prints the answer in AWS's shape.
pub(super) fn answer(asked: &Asked, report: &Reporter) -> Result<(), Failure> {
    let texts = |names: &[String]| -> Result<Vec<String>, Failure> {
        let (files, wrong) = file::read_all(names);
        if wrong.is_empty() {
            Ok(files.into_iter().map(|file| file.text).collect())
        } else {
            Err(Failure::inputs(&wrong))
        }
    };
    let simulation = Simulation {
        policy_input_list: texts(&asked.policies)?,
        permissions_boundary: texts(&asked.boundary)?,
        ..asked.simulation.clone()
    };
    let result = simulate(&simulation)
        .map_err(|error| Failure::inputs(&[InputError::new("policy", &error.to_string())]))?;
    report.line(serde_json::to_string_pretty(&result).unwrap_or_default());
    Ok(())
}
