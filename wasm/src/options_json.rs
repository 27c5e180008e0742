//! Options and questions in JSON, read with the checker's own parser: serde's readers would
//! bring floating point along, a sixth of the page's download.

use crate::json::{self, Value};
use crate::options::Options;
use crate::position::Lines;
use crate::simulate::{ContextEntry, Simulation};
use crate::size::Target;
use crate::text::Own;
use crate::verdict::Feature;

/// Reads options; an empty text is the defaults.
pub(crate) fn options(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    if text.trim().is_empty() {
        return Ok(options);
    }
    read(text, &mut options)?;
    Ok(options)
}

#[inline(never)]
fn read(text: &str, options: &mut Options) -> Result<(), String> {
    let setup = &mut options.setup;
    each(text, |name, value| {
        match name {
            "features" => {
                setup.features = list(name, value, |name, value| one(name, value, Feature::named))?;
            }
            "target" => options.target = one(name, value, Target::named)?,
            // One region may be written as a word.
            "regions" | "region" => setup.regions = strings(name, value)?,
            "account" => setup.account = Some(string(name, value)?),
            "partition" => setup.partition = Some(string(name, value)?),
            "role" => setup.role = Some(string(name, value)?),
            "images" => setup.images = strings(name, value)?,
            "subnets" => setup.subnets = strings(name, value)?,
            "securityGroups" => setup.security_groups = strings(name, value)?,
            "instanceTypes" => setup.instance_types = strings(name, value)?,
            _ => return Err(unknown(name)),
        }
        Ok(())
    })
}

/// Reads `simulate-custom-policy`'s question.
pub(crate) fn simulation(text: &str) -> Result<Simulation, String> {
    let mut question = Simulation::default();
    each(text, |name, value| {
        match name {
            "PolicyInputList" => question.policy_input_list = strings(name, value)?,
            "PermissionsBoundaryPolicyInputList" => {
                question.permissions_boundary = strings(name, value)?;
            }
            "ActionNames" => question.action_names = strings(name, value)?,
            "ResourceArns" => question.resource_arns = strings(name, value)?,
            "ContextEntries" => {
                question.context_entries = list(name, value, |_, value| entry(value))?;
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    })?;
    Ok(question)
}

fn entry(value: &Value<'_>) -> Result<ContextEntry, String> {
    let mut entry = ContextEntry::default();
    for member in value
        .members()
        .ok_or_else(|| wrong("ContextEntries", "a list of objects"))?
    {
        let name = member.key.value.as_ref();
        match name {
            "ContextKeyName" => entry.context_key_name = string(name, &member.value)?,
            "ContextKeyValues" => entry.context_key_values = strings(name, &member.value)?,
            "ContextKeyType" => entry.context_key_type = string(name, &member.value)?,
            _ => return Err(unknown(name)),
        }
    }
    Ok(entry)
}

fn each(
    text: &str,
    mut read: impl FnMut(&str, &Value<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let parsed = json::parse(text);
    if let Some(error) = parsed.errors.first() {
        let place = Lines::new(text).position(error.span.start);
        return Err(format!(
            "cannot read the options: JSON syntax error at line {} column {}; pass a JSON object",
            place.line, place.column
        ));
    }
    let members = parsed.root.members();
    for member in
        members.ok_or("cannot read the options: they are not an object; pass a JSON object")?
    {
        // `null` is as good as absent: JavaScript writes it for what is not set.
        if !matches!(member.value, Value::Null(_)) {
            read(&member.key.value, &member.value)?;
        }
    }
    Ok(())
}

fn string(name: &str, value: &Value<'_>) -> Result<String, String> {
    value
        .as_str()
        .map(Own::own)
        .ok_or_else(|| wrong(name, "a string"))
}

fn strings(name: &str, value: &Value<'_>) -> Result<Vec<String>, String> {
    list(name, value, string)
}

fn one<T>(name: &str, value: &Value<'_>, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let word = string(name, value)?;
    read(&word)
        .ok_or_else(|| format!("cannot read the option `{name}`: `{word}` is not a valid value"))
}

fn list<T>(
    name: &str,
    value: &Value<'_>,
    read: impl Fn(&str, &Value<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut all = Vec::new();
    for element in value.elements() {
        all.push(read(name, element)?);
    }
    Ok(all)
}

fn wrong(name: &str, expected: &str) -> String {
    format!("cannot read the option `{name}`: it is not {expected}")
}

fn unknown(name: &str) -> String {
    format!("cannot read the option `{name}`: there is no such option; remove it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Setup;

    // The readers and serde's agree on every name, so that terminal and page take the same.
    #[test]
    fn reads_what_serde_writes() {
        let expected = Options {
            target: Target::InlineRole,
            setup: Setup {
                features: Feature::ALL.to_vec(),
                regions: vec!["eu-central-1".to_owned(), "us-west-2".to_owned()],
                account: Some("111122223333".to_owned()),
                partition: Some("aws".to_owned()),
                role: Some("a/b".to_owned()),
                images: vec!["ami-1".to_owned()],
                subnets: vec!["subnet-1".to_owned()],
                security_groups: vec!["sg-1".to_owned()],
                instance_types: vec!["m7i.large".to_owned()],
            },
        };
        let text = serde_json::to_string(&expected).unwrap();
        assert_eq!(options(&text), Ok(expected.clone()));
        assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), expected);
        assert_eq!(options(""), Ok(Options::default()));
        assert_eq!(options(r#"{"region": null}"#), Ok(Options::default()));
    }

    #[test]
    fn reads_questions() {
        let expected = Simulation {
            policy_input_list: vec!["{}".to_owned()],
            permissions_boundary: vec!["[]".to_owned()],
            action_names: vec!["a:b".to_owned()],
            resource_arns: vec!["*".to_owned()],
            context_entries: vec![ContextEntry {
                context_key_name: "aws:x".to_owned(),
                context_key_values: vec!["1".to_owned()],
                context_key_type: "numeric".to_owned(),
            }],
        };
        let text = serde_json::to_string(&expected).unwrap();
        assert_eq!(simulation(&text), Ok(expected));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, words) in [
            ("[]", "not an object"),
            ("{", "syntax error"),
            (r#"{"regoin": "x"}"#, "`regoin`: there is no such option"),
            (r#"{"region": 1}"#, "`region`: it is not a string"),
            (r#"{"target": "bucket"}"#, "`bucket` is not a valid value"),
        ] {
            let error = options(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
