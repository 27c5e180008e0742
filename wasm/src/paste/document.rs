//! JSON around the policy, statements without one, and several policies.

use super::coded::{base64, percent_decoded};
use super::several::{around, merged};
use super::{Found, What, is_policy, policy_in};
use crate::json::{self, Value};
use crate::text::{self, IntoList, Own};

fn is_statement(value: &Value<'_>) -> bool {
    let has = |name: &str| value.get(name).is_some();
    has("Effect") && (has("Action") || has("NotAction"))
}

// Valid JSON: a statement alone, a string, or an object around the policy.
pub(super) fn wrapped(text: &str, root: &Value<'_>, layer: usize) -> Option<Found> {
    match root {
        Value::String(inner) => {
            let policy = policy_in(&inner.value, layer);
            let policy = policy.or_else(|| policy_in(&base64(&inner.value)?, layer))?;
            return Some((What::JsonString, policy));
        }
        Value::Array(all, _) if !all.is_empty() && all.iter().all(is_statement) => {
            return Some((What::Statements, around(text.trim())));
        }
        Value::Array(all, _) if !all.is_empty() && all.iter().all(is_policy) => {
            return merged(&all.iter().map(|one| (text, one)).list())
                .map(|one| (What::Several, one));
        }
        Value::Object(..) if is_statement(root) && root.get("Version").is_none() => {
            let list = format!("[{}]", text.trim());
            return Some((What::Statement, around(&list)));
        }
        _ => {}
    }
    let mut found = Vec::new();
    documents(root, &mut found, 0);
    let [only] = found.as_slice() else {
        return None;
    };
    let policy = match only {
        Value::String(inner) => {
            let decoded = percent_decoded(&inner.value);
            policy_in(decoded.as_deref().unwrap_or(&inner.value), layer)?
        }
        object => object.span().text(text).own(),
    };
    let what = if ["AWSTemplateFormatVersion", "Resources"]
        .iter()
        .any(|name| root.get(name).is_some())
    {
        What::CloudFormation
    } else if root.get("terraform_version").is_some() || root.get("resource").is_some() {
        What::Terraform
    } else {
        What::Answer
    };
    let laid_out = json::format(&policy).map_or(policy, |text| text.trim_end().own());
    Some((what, laid_out))
}

// The policies inside, as objects or as strings.
fn documents<'v, 't>(value: &'v Value<'t>, found: &mut Vec<&'v Value<'t>>, depth: usize) {
    if depth > 12 || found.len() > 1 {
        return;
    }
    match value {
        Value::Object(members, _) if depth > 0 && is_policy(value) && !members.is_empty() => {
            found.push(value);
        }
        Value::Object(members, _) => {
            for member in members {
                let named = ["policy", "document"];
                let key = member.key.value.to_ascii_lowercase();
                match &member.value {
                    Value::String(text) => {
                        if named.iter().any(|name| text::contains(&key, name))
                            && text::contains(&text.value, "Statement")
                        {
                            found.push(&member.value);
                        }
                    }
                    other => documents(other, found, depth + 1),
                }
            }
        }
        Value::Array(all, _) => {
            for one in all {
                documents(one, found, depth + 1);
            }
        }
        _ => {}
    }
}
