//! Inputs whose entries may each name a region: `us-west-2=…`. Which of them counts in a region.

use std::str::FromStr;

use crate::inputs::{InputError, Inputs, Problems};
use crate::values::list;
use crate::values::per_region::{Entry, Regions, listed};
use crate::values::region::Region;

/// The entries of a list, of which each may name one of the regions.
pub(super) fn entries<T: FromStr<Err = String>>(
    inputs: &Inputs,
    name: &str,
    known: Option<&Regions>,
    problems: &mut Problems,
) -> Vec<Entry<T>> {
    let parse = |text: &str| {
        let entries = list::parse::<Entry<T>>(text)?;
        let named = entries.iter().filter_map(|entry| entry.region.as_ref());
        for (region, regions) in named.zip(known.into_iter().cycle()) {
            if regions.get(region).is_none() {
                return Err(format!(
                    "`<region>=…` with a region of `aws-region` ({}), which has no `{region}`",
                    listed(regions.regions())
                ));
            }
        }
        Ok(entries)
    };
    problems.optional(inputs, name, parse).unwrap_or_default()
}

/// The entries for that region: its own and those for all.
pub(super) fn of_region<'a, T>(
    entries: &'a [Entry<T>],
    region: &'a Region,
) -> impl Iterator<Item = &'a T> {
    let is_for = move |entry: &&Entry<T>| entry.region.as_ref().is_none_or(|own| own == region);
    entries.iter().filter(is_for).map(|entry| &entry.value)
}

/// An input of which a region takes one entry.
pub(super) struct Single<'a, T> {
    pub input: &'static str,
    /// What an entry is, for messages: `image`.
    pub noun: &'static str,
    /// What one is written like.
    pub example: &'static str,
    pub entries: &'a [Entry<T>],
}

impl<'a, T> Single<'a, T> {
    /// The region's own entry, or that for all regions. `accepted` says what is wrong with the one for all.
    pub(super) fn choose(
        &self,
        inputs: &Inputs,
        region: &Region,
        accepted: impl FnOnce(&T) -> Option<String>,
        problems: &mut Problems,
    ) -> Option<&'a T> {
        let mut own = self
            .entries
            .iter()
            .filter(|entry| entry.region.as_ref() == Some(region));
        let mut all = self.entries.iter().filter(|entry| entry.region.is_none());
        let (own, all) = ([own.next(), own.next()], [all.next(), all.next()]);
        let Self { noun, example, .. } = self;
        let why = match (own, all) {
            ([_, Some(_)], _) => format!("one {noun} for `{region}`"),
            (_, [_, Some(_)]) => format!(
                "one {noun}, and others only as `<region>=…`, such as `us-west-2={example}`"
            ),
            ([Some(own), None], _) => return Some(&own.value),
            (_, [Some(all), None]) => match accepted(&all.value) {
                Some(why) => why,
                None => return Some(&all.value),
            },
            _ => return None,
        };
        let text = inputs.get(self.input).unwrap_or_default();
        problems.collect_once::<()>(Err(InputError::wrong(self.input, text, &why)));
        None
    }
}
