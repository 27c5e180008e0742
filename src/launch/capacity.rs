//! The capacity log: what EC2 answered to each candidate, and what that means for the others. Pure.

use std::time::Duration;

use crate::ec2::{Ec2Error, Next};
use crate::retry::Backoff;
use crate::values::candidate::Candidate;
use crate::values::network::Placement;
use crate::values::region::Region;
use crate::values::spot::Market;

/// What the candidates of one launch have answered, over all passes of the ladder.
#[derive(Debug, Default)]
pub(crate) struct CapacityLog {
    answers: Vec<Answer>,
    pass: u32,
}

#[derive(Debug)]
struct Answer {
    candidate: Candidate,
    error: Ec2Error,
    times: u32,
    /// The last pass in which it said so.
    pass: u32,
}

impl CapacityLog {
    /// Another pass of the ladder begins.
    pub(crate) fn begin_pass(&mut self) {
        self.pass += 1;
    }

    /// Whether no candidate has been refused yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// EC2 refused a candidate. Whether that is news: it had not answered so before.
    pub(crate) fn note(&mut self, candidate: &Candidate, error: Ec2Error) -> bool {
        let pass = self.pass;
        let code = |error: &Ec2Error| error.code().map(str::to_owned);
        let before = self
            .answers
            .iter_mut()
            .find(|answer| answer.candidate == *candidate && code(&answer.error) == code(&error));
        if let Some(answer) = before {
            answer.times += 1;
            answer.pass = pass;
            return false;
        }
        self.answers.push(Answer {
            candidate: candidate.clone(),
            error,
            times: 1,
            pass,
        });
        true
    }

    /// Whether a candidate is worth a try: no answer so far rules it out.
    pub(crate) fn is_open(&self, candidate: &Candidate) -> bool {
        !self
            .answers
            .iter()
            .any(|answer| answer.rules_out(candidate, self.pass))
    }

    /// Whether a candidate that names no zone was full: then its zones are worth a try, one by one.
    pub(crate) fn wants_zones(&self) -> bool {
        self.answers.iter().any(|answer| {
            answer.candidate.placement == Placement::Anywhere
                && answer.error.next() == Next::AnotherCandidate
        })
    }

    /// A candidate of a region that is closed for good: reported once.
    pub(crate) fn note_closed(&mut self, candidate: &Candidate, error: &Ec2Error) {
        if self
            .answers
            .iter()
            .all(|answer| answer.candidate != *candidate)
        {
            self.note(candidate, error.clone());
        }
    }

    /// What the regions have answered.
    pub(crate) fn by_region<'a>(
        &'a self,
        regions: impl IntoIterator<Item = &'a Region>,
    ) -> ByRegion<'a> {
        let mut by_region = ByRegion::default();
        for region in regions {
            match self.last_beside_capacity(region) {
                None if self.has_heard(region) => by_region.full.push(region),
                error => by_region.others.push((region, error)),
            }
        }
        by_region
    }

    /// Whether the region has refused any candidate for want of capacity.
    pub(crate) fn has_heard(&self, region: &Region) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| answer.candidate.region == *region && answer.is_about_capacity())
    }

    /// The last answer of that region that says nothing about capacity, to a candidate that got no other.
    fn last_beside_capacity(&self, region: &Region) -> Option<&Ec2Error> {
        let is_full = |one: &Answer| {
            let mut others = self
                .answers
                .iter()
                .filter(|other| other.is_about_capacity());
            others.any(|other| other.candidate.includes(&one.candidate))
        };
        let mut answers = self.answers.iter();
        let last = answers.rfind(|one| {
            one.candidate.region == *region && !one.is_about_capacity() && !is_full(one)
        });
        last.map(|answer| &answer.error)
    }

    /// The table that a full ladder ends with: each candidate, and what it answered how often.
    pub(crate) fn table(&self) -> Vec<String> {
        aligned(self.answers.iter().map(Answer::row).collect())
    }

    /// The ladder as it was planned, and the zones that were tried beside it: each candidate with what it answered.
    pub(crate) fn ladder(&self, planned: &[Candidate]) -> Vec<String> {
        let of = |candidate: &Candidate| {
            let answers = self.answers.iter();
            let answers = answers.filter(|answer| answer.candidate == *candidate);
            let texts: Vec<String> = answers.map(|answer| answer.row().1).collect();
            (candidate.to_string(), texts.join(", "))
        };
        let unplanned = self
            .answers
            .iter()
            .filter(|answer| !planned.contains(&answer.candidate));
        let rows = planned.iter().map(of);
        aligned(rows.chain(unplanned.map(Answer::row)).collect())
    }

    /// Whether spot was refused.
    pub(crate) fn has_refused_spot(&self) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| answer.candidate.market == Market::Spot)
    }

    /// What to do about it, in the words of the last answer.
    pub(crate) fn remedy(&self) -> Option<String> {
        let last = self.answers.last()?;
        Some(last.error.remedy(&last.candidate.region))
    }
}

/// Regions by what they have answered to a whole ladder.
#[derive(Debug, Default)]
pub(crate) struct ByRegion<'a> {
    /// Without capacity for any candidate.
    pub full: Vec<&'a Region>,
    /// Which gave some candidate another answer, or none: the last one.
    pub others: Vec<(&'a Region, Option<&'a Ec2Error>)>,
}

impl ByRegion<'_> {
    /// Whether no region that can launch at all had capacity. One that did not answer may have it.
    pub(crate) fn is_full(&self) -> bool {
        let cannot = |error: Option<&Ec2Error>| error.is_some_and(|error| !error.is_transient());
        !self.full.is_empty() && self.others.iter().all(|(_, error)| cannot(*error))
    }
}

/// Two columns.
fn aligned(rows: Vec<(String, String)>) -> Vec<String> {
    let widths = rows.iter().map(|(left, _)| left.chars().count());
    let width = widths.max().unwrap_or_default();
    rows.into_iter()
        .map(|(left, right)| format!("{left:width$}  {right}").trim_end().to_owned())
        .collect()
}

impl Answer {
    fn row(&self) -> (String, String) {
        let code = self.error.code().unwrap_or("no answer");
        let answer = match self.times {
            1 => code.to_owned(),
            times => format!("{code} ({times} times)"),
        };
        (self.candidate.to_string(), answer)
    }

    fn is_about_capacity(&self) -> bool {
        !matches!(self.error.next(), Next::SameAgain | Next::Final)
    }

    /// Whether this answer speaks for another candidate, too.
    fn rules_out(&self, other: &Candidate, pass: u32) -> bool {
        let Candidate {
            market,
            instance_type,
            placement,
            region,
            ..
        } = &self.candidate;
        let is_there = other.region == *region;
        match self.error.next() {
            // For this account and for good; a quota is of one region.
            Next::DropSpot => {
                let is_everywhere = !self.error.is_quota();
                *market == Market::Spot
                    && other.market == Market::Spot
                    && (is_there || is_everywhere)
            }
            // A vCPU quota counts a family in one market. It frees itself when other instances end, so the next pass asks again.
            Next::OtherFamilyOrMarket => {
                self.pass == pass
                    && is_there
                    && other.market == *market
                    && other.instance_type.family() == instance_type.family()
            }
            // No zone gets a type while we wait.
            Next::AnotherCandidate if self.error.code() == Some("Unsupported") => {
                other.market == *market
                    && other.instance_type == *instance_type
                    && is_there
                    && other.placement == *placement
            }
            _ => false,
        }
    }
}

/// How long to wait between passes: capacity comes back in minutes rather than seconds, and every pass costs calls.
pub(crate) fn between_passes(launch_share: Duration) -> Backoff {
    let first = (launch_share / 10).min(Duration::from_secs(5));
    Backoff::new(first, first * 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(market: Market, instance_type: &str, zone: Option<&str>) -> Candidate {
        Candidate {
            market,
            instance_type: instance_type
                .parse()
                .unwrap_or_else(|e| unreachable!("{e}")),
            region: zone
                .map_or("us-east-1", |zone| {
                    zone.trim_end_matches(char::is_alphabetic)
                })
                .parse()
                .unwrap_or_else(|e| unreachable!("{e}")),
            placement: zone.map_or(Placement::Anywhere, |zone| {
                Placement::Zone(zone.parse().unwrap_or_else(|e| unreachable!("{e}")))
            }),
            spot_price: None,
        }
    }

    fn log_of(answers: &[(&Candidate, &str)]) -> CapacityLog {
        let mut log = CapacityLog::default();
        log.begin_pass();
        for (candidate, code) in answers {
            log.note(candidate, Ec2Error::coded("ec2:RunInstances", code));
        }
        log
    }

    #[test]
    fn a_quota_closes_its_family_until_the_next_sweep() {
        let large = candidate(Market::OnDemand, "m7i.large", None);
        let xlarge = candidate(Market::OnDemand, "m7i.xlarge", None);
        let mut log = log_of(&[(&large, "VcpuLimitExceeded")]);
        assert!(!log.is_open(&xlarge));
        assert!(log.is_open(&candidate(Market::Spot, "m7i.xlarge", None)));
        assert!(log.is_open(&candidate(Market::OnDemand, "c7i.large", None)));
        log.begin_pass();
        assert!(log.is_open(&xlarge));
    }

    #[test]
    fn an_account_without_spot_has_none_in_any_sweep() {
        let spot = candidate(Market::Spot, "m7i.large", None);
        let code = "AuthFailure.ServiceLinkedRoleCreationNotPermitted";
        let mut log = log_of(&[(&spot, code)]);
        log.begin_pass();
        assert!(!log.is_open(&candidate(Market::Spot, "c7i.large", Some("us-east-1a"))));
        assert!(log.is_open(&candidate(Market::OnDemand, "m7i.large", None)));
    }

    #[test]
    fn a_zone_without_the_type_is_asked_once_and_a_full_one_again() {
        let a = candidate(Market::OnDemand, "m7i.large", Some("us-east-1a"));
        let b = candidate(Market::OnDemand, "m7i.large", Some("us-east-1b"));
        let mut log = log_of(&[(&a, "Unsupported"), (&b, "InsufficientInstanceCapacity")]);
        log.begin_pass();
        assert!(!log.is_open(&a));
        assert!(log.is_open(&b));
        assert!(!log.wants_zones());
    }

    #[test]
    fn a_region_that_is_closed_says_nothing_about_another() {
        let here = candidate(Market::Spot, "m7i.large", Some("us-east-1a"));
        let there = candidate(Market::Spot, "m7i.large", Some("us-west-2a"));
        for code in [
            "MaxSpotInstanceCountExceeded",
            "VcpuLimitExceeded",
            "Unsupported",
        ] {
            let log = log_of(&[(&here, code)]);
            assert!(!log.is_open(&here) && log.is_open(&there), "{code}");
        }
        let regions = [here.region.clone(), there.region.clone()];
        let mut log = log_of(&[(&here, "OptInRequired")]);
        assert!(!log.by_region(&regions).is_full());
        log.note_closed(&here, &Ec2Error::coded("ec2:RunInstances", "OptInRequired"));
        log.note(
            &there,
            Ec2Error::coded("ec2:RunInstances", "InsufficientInstanceCapacity"),
        );
        let by_region = log.by_region(&regions);
        assert!(by_region.is_full());
        assert_eq!(by_region.full, [&there.region]);
        assert_eq!(
            log.table(),
            [
                "spot m7i.large in us-east-1a  OptInRequired",
                "spot m7i.large in us-west-2a  InsufficientInstanceCapacity",
            ]
        );
    }

    #[test]
    fn only_who_answers_is_full() {
        let here = candidate(Market::Spot, "m7i.large", Some("us-east-1a"));
        let other = candidate(Market::Spot, "m7a.large", Some("us-east-1a"));
        let there = candidate(Market::Spot, "m7i.large", Some("us-west-2a"));
        let everywhere = [here.region.clone(), there.region.clone()];
        let full = "InsufficientInstanceCapacity";
        let is_full =
            |answers: &[(&Candidate, &str)]| log_of(answers).by_region(&everywhere).is_full();
        assert!(is_full(&[(&here, full), (&there, full)]));
        assert!(!is_full(&[(&here, full)]));
        assert!(!is_full(&[(&here, full), (&there, "RequestLimitExceeded")]));
        assert!(!is_full(&[
            (&here, full),
            (&other, "InternalError"),
            (&there, full)
        ]));
        // Whoever was full once, and then was not heard in time, was full.
        assert!(is_full(&[
            (&here, full),
            (&here, "InternalError"),
            (&there, full)
        ]));
        // A zone of a region that is full, too.
        let anywhere = candidate(Market::Spot, "m7i.large", None);
        let alone = [here.region.clone()];
        let log = log_of(&[(&anywhere, full), (&here, "InternalError")]);
        assert!(log.by_region(&alone).is_full());
        let log = log_of(&[(&here, full), (&anywhere, "InternalError")]);
        assert!(!log.by_region(&alone).is_full());
    }

    #[test]
    fn the_table_tells_each_rung_once() {
        let a = candidate(Market::Spot, "m7i.large", Some("us-east-1a"));
        let any = candidate(Market::OnDemand, "m7i.large", None);
        let full = "InsufficientInstanceCapacity";
        let log = log_of(&[(&a, "SpotMaxPriceTooLow"), (&any, full), (&any, full)]);
        assert!(log.wants_zones());
        assert_eq!(
            log.table(),
            [
                "spot m7i.large in us-east-1a                  SpotMaxPriceTooLow",
                "on-demand m7i.large in any zone of us-east-1  InsufficientInstanceCapacity (2 times)",
            ]
        );
        let untried = candidate(Market::OnDemand, "c7i.large", None);
        assert_eq!(
            log.ladder(&[any, untried]),
            [
                "on-demand m7i.large in any zone of us-east-1  InsufficientInstanceCapacity (2 times)",
                "on-demand c7i.large in any zone of us-east-1",
                "spot m7i.large in us-east-1a                  SpotMaxPriceTooLow",
            ]
        );
        assert!(log.has_refused_spot());
    }

    #[test]
    fn the_last_answer_says_what_to_do() {
        let here = candidate(Market::OnDemand, "m7i.large", Some("us-east-1a"));
        let there = candidate(Market::OnDemand, "m7i.large", Some("us-west-2a"));
        assert_eq!(CapacityLog::default().remedy(), None);
        let log = log_of(&[
            (&here, "InsufficientInstanceCapacity"),
            (&there, "VcpuLimitExceeded"),
        ]);
        let remedy = log.remedy().unwrap_or_default();
        assert!(
            remedy.contains("a higher EC2 quota in `us-west-2`"),
            "{remedy}"
        );
        assert!(!log.has_refused_spot() && !log.is_empty());
        assert!(log.has_heard(&here.region) && log.has_heard(&there.region));
        let silent = log_of(&[(&here, "InternalError")]);
        assert!(!silent.has_heard(&here.region) && CapacityLog::default().is_empty());
    }

    #[test]
    fn an_answer_that_comes_again_is_counted_and_is_no_news() {
        let one = candidate(Market::OnDemand, "m7i.large", None);
        let refused = |code: &str| Ec2Error::coded("ec2:RunInstances", code);
        let mut log = CapacityLog::default();
        assert!(log.note(&one, refused("VcpuLimitExceeded")));
        log.begin_pass();
        assert!(!log.note(&one, refused("VcpuLimitExceeded")));
        // It counts for the pass in which it was said last.
        assert!(!log.is_open(&one));
        assert!(log.note(&one, refused("Unsupported")));
        log.note_closed(&one, &refused("OptInRequired"));
        assert_eq!(
            log.table(),
            [
                "on-demand m7i.large in any zone of us-east-1  VcpuLimitExceeded (2 times)",
                "on-demand m7i.large in any zone of us-east-1  Unsupported",
            ]
        );
    }

    #[test]
    fn a_type_that_a_zone_lacks_says_nothing_about_its_neighbours() {
        let lacking = candidate(Market::Spot, "m7i.large", Some("us-east-1a"));
        let log = log_of(&[(&lacking, "Unsupported")]);
        for open in [
            candidate(Market::OnDemand, "m7i.large", Some("us-east-1a")),
            candidate(Market::Spot, "m7a.large", Some("us-east-1a")),
            candidate(Market::Spot, "m7i.large", Some("us-east-1b")),
        ] {
            assert!(log.is_open(&open), "{open}");
        }
    }

    #[test]
    fn passes_are_seconds_apart_and_fewer_where_time_is_short() {
        // Random up to a ceiling that doubles: of many waits the longest is near it.
        let longest = |share: u64, nth: usize| {
            let wait = |_| {
                let mut backoff = between_passes(Duration::from_secs(share));
                let waits = std::iter::repeat_with(|| backoff.next(None));
                waits.skip(nth).take(1).sum::<Duration>()
            };
            (0..200).map(wait).max().unwrap_or_default().as_secs_f64()
        };
        let is_near = |wait: f64, ceiling: f64| wait <= ceiling && wait > ceiling * 0.9;
        for (share, first, last) in [(300, 5.0, 20.0), (10, 1.0, 4.0)] {
            assert!(is_near(longest(share, 0), first), "{share}");
            assert!(is_near(longest(share, 9), last), "{share}");
        }
    }
}
