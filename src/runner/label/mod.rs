//! The label language of Sprinters' hosted service: `sprinters:aws:eu-central-1:ubuntu-24.04:m7i.xlarge:spot=auto`.
//!
//! A label says in one word what inputs say in several: each part is read by the parser of the input that it stands for, and
//! becomes that input's value, below the inputs that were given.

mod kind;
mod parse;
mod suggest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::inputs::{InputError, Inputs, Layer, Placed, Source, SourceSpan};
use crate::values::region::Zone;
use kind::Kind;

/// The input that takes a label.
pub(crate) const INPUT: &str = "runner";
/// What every label begins with.
pub(crate) const PREFIX: &str = "sprinters";
/// The one cloud.
const CLOUD: &str = "aws";
/// Where the service launches if nobody names a place.
const DEFAULT_REGION: &str = "us-east-1";

/// A label whose parts are all valid, each by itself.
#[derive(Debug)]
pub(crate) struct RunnerLabel {
    source: Arc<Source>,
    parts: BTreeMap<Kind, Part>,
}

/// A part's value, as its input writes it, and where it stands.
#[derive(Clone, Debug)]
struct Part {
    value: String,
    span: Range<usize>,
}

/// Whether the text of `runner` is meant as a label; else it is a profile's name.
pub(crate) fn is_label(text: &str) -> bool {
    text.contains(':') || text == PREFIX
}

impl RunnerLabel {
    fn value(&self, kind: Kind) -> Option<&str> {
        Some(self.parts.get(&kind)?.value.as_str())
    }

    fn place(&self, span: Range<usize>) -> SourceSpan {
        SourceSpan::new(&self.source, span)
    }

    /// The label as values of inputs. A place is one thing: an input that names another one replaces all of it.
    pub(crate) fn layer(&self, inputs: &Inputs) -> Result<Layer, InputError> {
        let mut layer = Layer {
            account: self.value(Kind::Account).and_then(|id| id.parse().ok()),
            defaults: [("aws-region", DEFAULT_REGION)].into(),
            notes: self.notes(),
            ..Layer::default()
        };
        let mut put = |input, kind: Kind, value: String| {
            if let Some(part) = self.parts.get(&kind) {
                let place = self.place(part.span.clone());
                let placed = Placed {
                    text: value,
                    place,
                    entries: Vec::new(),
                };
                layer.values.insert(input, placed);
            }
        };
        for (kind, part) in &self.parts {
            if let Some(input) = kind.input() {
                put(input, *kind, part.value.clone());
            }
        }
        let zone = self.value(Kind::Zone);
        if let (None, Some(zone)) = (self.value(Kind::Region), zone.and_then(|z| z.parse().ok())) {
            put("aws-region", Kind::Zone, Zone::region(&zone).to_owned());
        }
        if ["availability-zone", "subnet"].map(|name| inputs.given(name)) == [None, None] {
            self.check_region(inputs)?;
            if let Some(zone) = zone {
                put("availability-zone", Kind::Zone, zone.to_owned());
            }
            if let Some(subnet) = self.value(Kind::Subnet) {
                let known = zone.map_or_else(String::new, |zone| format!("{zone}="));
                put("subnet", Kind::Subnet, format!("{known}{subnet}"));
            }
        }
        Ok(layer)
    }

    /// A subnet lies in the region that its label names; an input cannot move it.
    fn check_region(&self, inputs: &Inputs) -> Result<(), InputError> {
        let (Some(region), Some(subnet), Some(given)) = (
            self.value(Kind::Region),
            self.parts.get(&Kind::Subnet),
            inputs.given("aws-region"),
        ) else {
            return Ok(());
        };
        if given == region {
            return Ok(());
        }
        let accepted = format!(
            "subnets of `{given}`, the region that the input `aws-region` names; this one is of `{region}`"
        );
        Err(InputError::wrong("subnet", &subnet.value, &accepted)
            .at(Some(self.place(subnet.span.clone()))))
    }

    fn notes(&self) -> Vec<String> {
        let events = self.value(Kind::Events).map(|events| {
            format!("`events={events}` is ignored: it is about the hosted service's web hook")
        });
        events.into_iter().collect()
    }
}

/// The canonical form: the parts in one order, each value as its input prints it.
impl fmt::Display for RunnerLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}:{CLOUD}")?;
        let mut is_placed = false;
        for (kind, Part { value, .. }) in &self.parts {
            match (kind, kind.key()) {
                (Kind::Account, _) => write!(f, "/{value}")?,
                (Kind::Region | Kind::Zone | Kind::Subnet, _) => {
                    write!(f, "{}{value}", if is_placed { '/' } else { ':' })?;
                    is_placed = true;
                }
                (_, Some(key)) => write!(f, ":{key}={value}")?,
                (_, None) => write!(f, ":{value}")?,
            }
        }
        Ok(())
    }
}
