//! The launch options in each region: a launch template and a capacity reservation exist in one region alone.

use super::region_entries::{Single, entries};
use crate::inputs::{InputError, Inputs, Problems};
use crate::values::launch_options::{
    CapacityReservation, LaunchOptions, LaunchTemplate, TemplateKey,
};
use crate::values::per_region::{Entry, Regions, listed};
use crate::values::region::Region;
use crate::values::switch;

const TEMPLATE: &str = "launch-template";
const RESERVATION: &str = "capacity-reservation";

/// The options as the inputs have them, for all regions.
pub(super) struct RegionOptions {
    templates: Vec<Entry<LaunchTemplate>>,
    reservations: Vec<Entry<CapacityReservation>>,
    public_ip: Option<bool>,
    nested_virtualization: bool,
}

impl RegionOptions {
    pub(super) fn parse(inputs: &Inputs, known: Option<&Regions>, problems: &mut Problems) -> Self {
        let mut reservations = entries(inputs, RESERVATION, known, problems);
        if let Some(regions) = known {
            place_groups(inputs, &mut reservations, regions, problems);
        }
        Self {
            templates: entries(inputs, TEMPLATE, known, problems),
            reservations,
            public_ip: problems.optional(inputs, "public-ip", switch::parse),
            nested_virtualization: problems
                .optional(inputs, "nested-virtualization", switch::parse)
                .unwrap_or_default(),
        }
    }

    /// Those of one region, which is one of `regions`.
    pub(super) fn of(
        &self,
        inputs: &Inputs,
        region: &Region,
        regions: &Regions,
        problems: &mut Problems,
    ) -> LaunchOptions {
        let with_region = |what: &str, id: &str| {
            format!("{what} of each region, because ids differ: write `{region}={id}`")
        };
        let template = Single {
            input: TEMPLATE,
            noun: "launch template",
            example: "lt-0123456789abcdef0",
            entries: &self.templates,
        };
        let named_by_id = |template: &LaunchTemplate| match &template.key {
            TemplateKey::Id(id) if regions.is_several() => {
                Some(with_region("a launch template", id))
            }
            TemplateKey::Id(_) | TemplateKey::Name(_) => None,
        };
        let reservation = Single {
            input: RESERVATION,
            noun: "reservation",
            example: "cr-0123456789abcdef0",
            entries: &self.reservations,
        };
        let targeted = |reservation: &CapacityReservation| {
            (regions.is_several() && reservation.is_targeted())
                .then(|| with_region("a reservation", &reservation.to_string()))
        };
        LaunchOptions {
            template: template
                .choose(inputs, region, named_by_id, problems)
                .cloned(),
            capacity: reservation
                .choose(inputs, region, targeted, problems)
                .cloned(),
            public_ip: self.public_ip,
            nested_virtualization: self.nested_virtualization,
        }
    }
}

/// A resource group's ARN names its region by itself.
fn place_groups(
    inputs: &Inputs,
    reservations: &mut [Entry<CapacityReservation>],
    regions: &Regions,
    problems: &mut Problems,
) {
    for entry in reservations {
        let Some(own) = entry.value.region() else {
            continue;
        };
        let known = regions.regions().find(|region| region.as_str() == own);
        let is_there = entry
            .region
            .as_ref()
            .is_none_or(|named| named.as_str() == own);
        match known {
            Some(region) if is_there => entry.region = Some(region.clone()),
            _ => {
                let of = entry
                    .region
                    .as_ref()
                    .map_or_else(|| listed(regions.regions()), |region| listed(Some(region)));
                let why = format!("reservations of their region ({of}); that group is in `{own}`");
                let text = inputs.get(RESERVATION).unwrap_or_default();
                problems.push(InputError::wrong(RESERVATION, text, &why));
            }
        }
    }
}
