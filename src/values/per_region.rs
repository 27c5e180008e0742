//! One value for each region, and how inputs write that: `us-west-2=ami-…`.

use std::str::FromStr;

use sprinters_policy::region::partition_of;

use super::list;
use super::region::Region;

/// Regions alone, the preferred one first.
pub(crate) type Regions = PerRegion<()>;

/// One value for each region that a mode works in, the preferred region first; never empty.
#[derive(Clone, Debug)]
pub(crate) struct PerRegion<T> {
    first: (Region, T),
    others: Vec<(Region, T)>,
}

impl<T> PerRegion<T> {
    /// `None` where there is no region.
    pub(crate) fn new(all: impl IntoIterator<Item = (Region, T)>) -> Option<Self> {
        let mut all = all.into_iter();
        Some(Self {
            first: all.next()?,
            others: all.collect(),
        })
    }

    pub(crate) fn one(region: Region, value: T) -> Self {
        Self {
            first: (region, value),
            others: Vec::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Region, &T)> {
        let all = std::iter::once(&self.first).chain(&self.others);
        all.map(|(region, value)| (region, value))
    }

    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.iter().map(|(region, _)| region)
    }

    pub(crate) fn first_region(&self) -> &Region {
        &self.first.0
    }

    /// Of the preferred region.
    pub(crate) fn first(&self) -> &T {
        &self.first.1
    }

    pub(crate) fn get(&self, region: &Region) -> Option<&T> {
        let mut all = self.iter();
        all.find(|(own, _)| *own == region).map(|(_, value)| value)
    }

    /// Of that region, which is one of them.
    pub(crate) fn of(&self, region: &Region) -> &T {
        debug_assert!(self.get(region).is_some(), "`{region}` is not among them");
        self.get(region).unwrap_or(self.first())
    }

    /// Another value for each of the regions.
    pub(crate) fn map<U>(&self, mut map: impl FnMut(&Region, &T) -> U) -> PerRegion<U> {
        let mut one = |(region, value): &(Region, T)| (region.clone(), map(region, value));
        PerRegion {
            first: one(&self.first),
            others: self.others.iter().map(one).collect(),
        }
    }

    pub(crate) fn is_several(&self) -> bool {
        !self.others.is_empty()
    }
}

/// More than these do not fit into a tag's value.
const MOST_REGIONS: usize = 16;

/// The regions of a list, each once.
pub(crate) fn regions(text: &str) -> Result<Regions, String> {
    let mut regions: Vec<Region> = Vec::new();
    for region in list::parse::<Region>(text)? {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    let partition = |region: &Region| partition_of(region.as_str());
    if let [first, others @ ..] = &regions[..]
        && let Some(other) = others
            .iter()
            .find(|other| partition(other) != partition(first))
    {
        return Err(format!(
            "regions of one partition, because no credentials are good for two; `{first}` is of `{}`, `{other}` of `{}`",
            partition(first).name,
            partition(other).name
        ));
    }
    if regions.len() > MOST_REGIONS {
        return Err(format!(
            "at most {MOST_REGIONS} regions; there are {}",
            regions.len()
        ));
    }
    PerRegion::new(regions.into_iter().map(|region| (region, ())))
        .ok_or_else(|| "an AWS region such as `eu-central-1`".to_owned())
}

/// An entry of an input that may say which region it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    /// `None` where it is for every region.
    pub region: Option<Region>,
    pub value: T,
}

impl<T: FromStr<Err = String>> FromStr for Entry<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let assigned = text.split_once('=');
        let assigned =
            assigned.and_then(|(region, value)| Some((region.trim().parse().ok()?, value)));
        let (region, value) = match assigned {
            Some((region, value)) => (Some(region), value.trim()),
            None => (None, text),
        };
        Ok(Self {
            region,
            value: value.parse()?,
        })
    }
}

/// The regions, for a message: `` `eu-central-1`, `us-west-2` ``.
pub(crate) fn listed<'a>(regions: impl IntoIterator<Item = &'a Region>) -> String {
    let quoted: Vec<String> = regions
        .into_iter()
        .map(|region| format!("`{region}`"))
        .collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::image::Image;
    use crate::values::network::Subnet;

    fn region(text: &str) -> Region {
        text.parse().unwrap_or_else(|e| unreachable!("{e}"))
    }

    #[test]
    fn an_entry_may_name_its_region() {
        let of = |text: &str| text.parse::<Entry<Image>>().map(|entry| entry.region);
        assert_eq!(of("us-west-2=ami-12345678"), Ok(Some(region("us-west-2"))));
        assert_eq!(
            of("us-west-2 = ubuntu-24.04"),
            Ok(Some(region("us-west-2")))
        );
        assert_eq!(of("name=my-image-*@self"), Ok(None));
        assert_eq!(
            of("us-west-2=name=my-image-*@self"),
            Ok(Some(region("us-west-2")))
        );
        assert!(of("us-wst-2=ami-12345678").is_err());
        let subnet = "us-west-2=us-west-2a=subnet-12345678".parse::<Entry<Subnet>>();
        assert!(subnet.is_ok_and(|entry| entry.region.is_some() && entry.value.zone.is_some()));
        let zoned = "us-west-2a=subnet-12345678".parse::<Entry<Subnet>>();
        assert!(zoned.is_ok_and(|entry| entry.region.is_none() && entry.value.zone.is_some()));
    }

    #[test]
    fn lists_of_regions() {
        let count = |text: &str| regions(text).map(|regions| regions.regions().count());
        assert_eq!(count("us-west-2, eu-west-1\nus-west-2"), Ok(2));
        let sixteen: Vec<String> = (1..=8)
            .flat_map(|n| [format!("us-east-{n}"), format!("us-west-{n}")])
            .collect();
        assert_eq!(count(&sixteen.join(",")), Ok(16));
        for (text, why) in [
            (format!("{},eu-west-1", sixteen.join(",")), "at most 16"),
            ("us-west-2, us-gov-west-1".to_owned(), "partition"),
            ("us-west-2, us-wst-1".to_owned(), "did you mean"),
        ] {
            assert!(
                count(&text).is_err_and(|error| error.contains(why)),
                "{text}"
            );
        }
    }

    #[test]
    fn the_first_region_is_the_preferred_one() {
        let all = PerRegion::new([(region("us-west-2"), 1), (region("eu-west-1"), 2)]);
        assert!(all.is_some_and(|all| *all.first() == 1
            && *all.of(&region("eu-west-1")) == 2
            && all.get(&region("eu-west-2")).is_none()
            && all.is_several()));
        assert!(PerRegion::<()>::new([]).is_none());
    }
}
