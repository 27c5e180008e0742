//! The checker for browsers and Node. Everything crosses as text and JSON: one string each
//! way is the cheapest crossing there is, and the types stay the ones of the native build.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::check::Checker;
use crate::data::Catalog;
use crate::options_json;
use crate::report_json;
use crate::simulate::simulate as run_simulation;
use crate::text::Own;

struct State {
    actions: Option<String>,
    /// The checker of the last call: options change seldom, texts at every keystroke.
    checker: Option<(String, Checker)>,
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State { actions: None, checker: None }) };
}

type Answer = Result<String, String>;

// One function for all calls: made anew for each, it would be a part of the download four times.
fn with_checker(options: &str, run: &dyn Fn(&Checker) -> Answer) -> Answer {
    STATE.with_borrow_mut(|state| {
        let stale = state
            .checker
            .as_ref()
            .is_none_or(|(made_of, _)| made_of != options);
        if stale {
            let mut checker = Checker::new(options_json::options(options)?);
            if let Some(actions) = &state.actions {
                checker = checker.with_catalog(Catalog::new(actions.clone()));
            }
            state.checker = Some((options.own(), checker));
        }
        match &state.checker {
            Some((_, checker)) => run(checker),
            None => Err("cannot check: there is no checker".own()),
        }
    })
}

/// Takes every service's action names and condition keys, the contents of `actions.txt`.
#[wasm_bindgen]
pub fn load_actions(text: String) {
    STATE.with_borrow_mut(|state| {
        state.actions = Some(text);
        state.checker = None;
    });
}

/// Checks a policy; `options` is JSON or empty, the answer a report in JSON.
///
/// # Errors
/// If the options are not valid.
#[wasm_bindgen]
pub fn check(text: &str, options: &str) -> Result<String, String> {
    with_checker(options, &|checker| {
        Ok(report_json::report(&checker.check(text)))
    })
}

/// The verdict alone, in JSON.
///
/// # Errors
/// If the options are not valid.
#[wasm_bindgen]
pub fn verdict(text: &str, options: &str) -> Result<String, String> {
    with_checker(options, &|checker| {
        Ok(report_json::verdict(&checker.verdict(text)))
    })
}

/// The findings alone, in JSON.
///
/// # Errors
/// If the options are not valid.
#[wasm_bindgen]
pub fn lint(text: &str, options: &str) -> Result<String, String> {
    with_checker(options, &|checker| {
        Ok(report_json::findings(&checker.lint(text)))
    })
}

/// The text with every fix applied that takes nothing away that somebody may need.
///
/// # Errors
/// If the options are not valid.
#[wasm_bindgen]
pub fn fix_all(text: &str, options: &str) -> Result<String, String> {
    with_checker(options, &|checker| Ok(checker.fix_all(text).text))
}

/// The text laid out anew; as it is where it is no JSON.
#[wasm_bindgen]
#[must_use]
pub fn format(text: &str) -> String {
    crate::json::format(text).unwrap_or_else(|| text.own())
}

/// The tightest policy for the options.
///
/// # Errors
/// If the options are not valid.
#[wasm_bindgen]
pub fn tighten(options: &str) -> Result<String, String> {
    with_checker(options, &|checker| {
        Ok(crate::tighten::tighten(&checker.options().setup))
    })
}

/// Answers `simulate-custom-policy`'s question, JSON in and out.
///
/// # Errors
/// If the question or one of its policies is not valid.
#[wasm_bindgen]
pub fn simulate(question: &str) -> Result<String, String> {
    let question = options_json::simulation(question)?;
    let result = run_simulation(&question).map_err(|error| error.to_string())?;
    Ok(report_json::simulation(&result))
}
