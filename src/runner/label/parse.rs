//! From a label's text to its parts. Every part that is wrong is reported, not only the first.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::kind::Kind;
use super::suggest;
use super::{CLOUD, INPUT, PREFIX, Part, RunnerLabel};
use crate::inputs::{InputError, Source, SourceSpan};
use crate::values::label::Label;
use crate::values::list::closest;
use crate::values::region::{Zone, is_familiar, is_familiar_zone};

/// What is wrong, about which stretch of the label.
struct Wrong {
    span: Range<usize>,
    accepted: String,
    /// Where the same stands already.
    first: Option<Range<usize>>,
}

const PLACES: &str = "a place as `<region>`, `<zone>`, `<region>/<zone>`, `<region>/<subnet>`, `<zone>/<subnet>` or \
    `<region>/<zone>/<subnet>`";

/// A stretch of the label.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Piece<'a> {
    fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn split(self, separator: char) -> impl Iterator<Item = Piece<'a>> {
        let mut start = self.start;
        self.text.split(separator).map(move |text| {
            let piece = Piece { text, start };
            start += text.len() + separator.len_utf8();
            piece
        })
    }

    fn wrong(self, accepted: impl Into<String>) -> Wrong {
        Wrong {
            span: self.span(),
            accepted: accepted.into(),
            first: None,
        }
    }
}

#[derive(Default)]
struct Reading {
    parts: BTreeMap<Kind, Part>,
    wrong: Vec<Wrong>,
}

impl RunnerLabel {
    /// Parses the label; each error points to its place in it.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<InputError>> {
        // GitHub must take the label as it is: it is put on the runner.
        if let Err(accepted) = text.parse::<Label>() {
            return Err(vec![InputError::wrong(INPUT, text, &accepted)]);
        }
        let source = Arc::new(Source {
            name: INPUT.to_owned(),
            text: text.to_owned(),
        });
        let mut reading = Reading::default();
        let mut pieces = Piece { text, start: 0 }.split(':');
        if reading.begin(pieces.next(), pieces.next(), text) {
            for piece in pieces {
                reading.part(piece);
            }
            reading.check_place();
        }
        if reading.wrong.is_empty() {
            return Ok(Self {
                source,
                parts: reading.parts,
            });
        }
        let located = |wrong: Wrong| {
            let shown = text.get(wrong.span.clone()).unwrap_or_default();
            let mut place = SourceSpan::new(&source, wrong.span);
            if let Some(first) = wrong.first {
                place = place.and(first, "it is given twice");
            }
            InputError::wrong(INPUT, shown, &wrong.accepted).at(Some(place))
        };
        Err(reading.wrong.into_iter().map(located).collect())
    }
}

impl Reading {
    /// `sprinters:aws` or `sprinters:aws/<account>`; without it nothing else means anything.
    fn begin(&mut self, prefix: Option<Piece<'_>>, cloud: Option<Piece<'_>>, text: &str) -> bool {
        let begins = format!("`{PREFIX}:{CLOUD}` or `{PREFIX}:{CLOUD}/<account>` at the beginning");
        if let Some(prefix) = prefix.filter(|prefix| prefix.text != PREFIX) {
            let meant = match closest(prefix.text, &[PREFIX, CLOUD]) {
                Some(PREFIX) => format!("; did you mean `{PREFIX}`?"),
                Some(_) => format!("; did you mean `{PREFIX}:{}`?", suggest::shortened(text)),
                None => String::new(),
            };
            self.wrong.push(prefix.wrong(format!("{begins}{meant}")));
            return false;
        }
        let Some(cloud) = cloud else {
            let end = Piece {
                text: "",
                start: text.len(),
            };
            self.wrong.push(end.wrong(begins));
            return false;
        };
        let mut fields = cloud.split('/');
        let (name, account) = (fields.next(), fields.next());
        if let Some(name) = name.filter(|name| name.text != CLOUD) {
            let meant = match closest(name.text, &[CLOUD]) {
                Some(_) => format!("; did you mean `{CLOUD}`?"),
                None => String::new(),
            };
            let accepted = format!("`{CLOUD}`, the one cloud that Sprinters launches in{meant}");
            self.wrong.push(name.wrong(accepted));
            return false;
        }
        if let Some(account) = account {
            self.value(Kind::Account, account);
        }
        if let Some(more) = fields.next() {
            self.wrong
                .push(more.wrong(format!("nothing more after `{CLOUD}/<account>`")));
        }
        true
    }

    fn part(&mut self, piece: Piece<'_>) {
        let text = piece.text;
        if let Some((key, value)) = text.split_once('=') {
            let value = Piece {
                text: value,
                start: piece.start + key.len() + 1,
            };
            match Kind::KEYED.into_iter().find(|kind| kind.key() == Some(key)) {
                Some(kind) => self.value(kind, value),
                None => self.unknown_key(Piece { text: key, ..piece }),
            }
        } else if text.starts_with("sg-") {
            self.value(Kind::SecurityGroup, piece);
        } else if suggest::is_meant_as_image(text) {
            self.value(Kind::Image, piece);
        } else if is_meant_as_place(text) {
            self.place(piece);
        } else if text.contains('.') {
            self.value(Kind::InstanceType, piece);
        } else {
            self.wrong.push(piece.wrong(suggest::for_part(text)));
        }
    }

    fn unknown_key(&mut self, key: Piece<'_>) {
        let keys: Vec<&str> = Kind::KEYED.iter().filter_map(|kind| kind.key()).collect();
        let listed: Vec<String> = keys.iter().map(|key| format!("`{key}=`")).collect();
        let accepted = match closest(key.text, &keys) {
            Some(near) => format!("{}; did you mean `{near}=`?", listed.join(", ")),
            None => listed.join(", "),
        };
        self.wrong.push(key.wrong(accepted));
    }

    /// `<region>`, `<zone>`, `<subnet>`, or several of them with `/` between, from the larger to the smaller.
    fn place(&mut self, piece: Piece<'_>) {
        let mut last = None;
        for field in piece.split('/') {
            let kind = if field.text.starts_with("subnet-") {
                Kind::Subnet
            } else if is_familiar_zone(field.text) {
                Kind::Zone
            } else {
                Kind::Region
            };
            if last.is_some_and(|last| kind < last) {
                self.wrong.push(field.wrong(PLACES));
                return;
            }
            last = Some(kind);
            self.value(kind, field);
        }
    }

    /// Whether region, zone and subnet fit together, wherever in the label they stand.
    fn check_place(&mut self) {
        let [region, zone, subnet] =
            [Kind::Region, Kind::Zone, Kind::Subnet].map(|kind| self.parts.get(&kind));
        let wrong = match (region, zone, subnet) {
            (Some(region), Some(zone), _) if !lies_in(&zone.value, &region.value) => Wrong {
                span: zone.span.clone(),
                accepted: format!("zones of `{0}`, such as `{0}a`", region.value),
                first: None,
            },
            (None, None, Some(Part { value, span })) if self.wrong.is_empty() => Wrong {
                span: span.clone(),
                accepted: format!("{PLACES}; name its region: `eu-central-1/{value}`"),
                first: None,
            },
            _ => return,
        };
        self.wrong.push(wrong);
    }

    fn value(&mut self, kind: Kind, piece: Piece<'_>) {
        let value = match kind.read(piece.text) {
            Ok(value) => value,
            Err(accepted) => {
                self.wrong.push(piece.wrong(accepted));
                return;
            }
        };
        if let Some(first) = self.parts.get(&kind) {
            let name = kind.name();
            let elsewhere = match kind.input() {
                Some(
                    input @ ("instance-type" | "security-group" | "aws-region"
                    | "availability-zone"),
                ) => {
                    format!("; the input `{input}` takes a list")
                }
                _ => String::new(),
            };
            self.wrong.push(Wrong {
                first: Some(first.span.clone()),
                ..piece.wrong(format!("one {name} in a label{elsewhere}"))
            });
            return;
        }
        let span = piece.span();
        self.parts.insert(kind, Part { value, span });
    }
}

fn lies_in(zone: &str, region: &str) -> bool {
    zone.parse::<Zone>()
        .is_ok_and(|zone| zone.region() == region)
}

fn is_meant_as_place(text: &str) -> bool {
    text.starts_with("subnet-")
        || is_familiar_zone(text)
        || is_familiar(text)
        || text.split_once('/').is_some_and(|(first, rest)| {
            suggest::is_nearly_a_place(first) || rest.starts_with("subnet-")
        })
}
