//! What ran, how long, and what that cost. Pure: prices and times come in, bills go out.

use std::time::{Duration, SystemTime};

use crate::ec2::{Instance, SpotPriceSince, State};
use crate::pricing::{self, Gp3, Hosted, SELF_HOSTED_USD_PER_MINUTE, Unpriced};
use crate::values::instance_type::InstanceType;
use crate::values::region::{Region, Zone};
use crate::values::spot::Market;
use crate::values::temp::TempVolume;
use crate::values::volume::RootVolume;

/// EC2 and EBS bill by the second, but never less than this.
/// <https://aws.amazon.com/ec2/pricing/on-demand/>, <https://aws.amazon.com/ebs/pricing/>
const LEAST: Duration = Duration::from_mins(1);
/// A spot instance that AWS reclaims within this time is not charged.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-for-interrupted-spot-instances.html>
const FREE_WHERE_RECLAIMED: Duration = Duration::from_hours(1);
/// How long a volume may have stayed fast that was to be fast for the boot alone: `stop` is not told when it came down.
const FAST_FOR: Duration = Duration::from_mins(5);

/// When an instance ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub from: SystemTime,
    pub to: SystemTime,
    /// EC2 did not tell when it ended: it was not later than `to`.
    pub is_at_most: bool,
}

impl Ran {
    /// From the instance's own data; `None` where EC2 tells no launch time.
    pub(crate) fn of(instance: &Instance, now: SystemTime) -> Option<Self> {
        let from = instance.usage.launched?;
        let (to, is_at_most) = match (instance.state, instance.usage.ended) {
            (State::Terminated, Some(ended)) => (ended, false),
            // Its own timers have ended it before the tag expires.
            (State::Terminated, None) => (
                instance.expires().map_or(now, |expires| expires.min(now)),
                true,
            ),
            _ => (now, false),
        };
        Some(Self {
            from,
            to: to.max(from),
            is_at_most,
        })
    }

    pub(crate) fn duration(self) -> Duration {
        self.to.duration_since(self.from).unwrap_or_default()
    }

    fn billed(self) -> Duration {
        self.duration().max(LEAST)
    }
}

/// What one instance cost, in US dollars; `None` is unknown.
#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub market: Market,
    pub ran: Option<Ran>,
    /// The instance alone.
    pub compute: Option<f64>,
    pub volume: Option<f64>,
    /// EBS billed for a volume's initialization rate, by the size of the image's snapshot, which nobody knows.
    pub has_initialization: bool,
    /// What the instance would have cost on-demand.
    pub on_demand: Option<f64>,
    /// Why that is unknown, where a price is missing.
    pub unpriced: Option<Unpriced>,
    /// What a GitHub-hosted runner of the same size would have cost.
    pub hosted: Option<(Hosted, f64)>,
    pub is_interrupted: bool,
    /// AWS reclaimed it so early that it does not charge for it; its volumes it does.
    pub is_free: bool,
}

impl Bill {
    /// Adds up what is known of one instance.
    pub(crate) fn of(
        instance: &Instance,
        region: &Region,
        history: &[SpotPriceSince],
        now: SystemTime,
    ) -> Self {
        let ran = Ran::of(instance, now);
        let instance_type: Option<InstanceType> = instance.instance_type.parse().ok();
        let priced = ran.zip(instance_type.as_ref());
        let zone = instance.usage.zone.as_ref();
        let hourly = priced
            .map(|(_, instance_type)| pricing::on_demand(instance_type, region, zone))
            .transpose();
        let unpriced = hourly.as_ref().err().cloned();
        let on_demand = ran
            .zip(hourly.ok().flatten())
            .map(|(ran, hourly)| hourly * hours(ran.billed()));
        let is_free = instance.usage.market == Market::Spot
            && instance.is_interrupted()
            && ran.is_some_and(|ran| ran.duration() < FREE_WHERE_RECLAIMED);
        let compute = match instance.usage.market {
            Market::Spot if is_free => Some(0.0),
            Market::OnDemand => on_demand,
            Market::Spot => ran
                .zip(zone)
                .and_then(|(ran, zone)| spot(history, &instance.instance_type, zone, ran)),
        };
        Self {
            market: instance.usage.market,
            ran,
            compute,
            volume: ran
                .zip(instance.root_volume())
                .zip(Gp3::of(region))
                .and_then(|((ran, root), gp3)| {
                    let temp = match instance.temp_volume() {
                        Some(temp) => temp_volume(temp, gp3, ran)?,
                        None => 0.0,
                    };
                    Some(volume(root, gp3, ran)? + temp)
                }),
            has_initialization: instance
                .root_volume()
                .is_some_and(|root| root.initialization.is_some()),
            on_demand,
            unpriced,
            hosted: priced.and_then(|(ran, instance_type)| {
                let hosted = pricing::github_hosted(instance_type)?;
                Some((
                    hosted,
                    hosted.usd_per_minute * started_minutes(ran.duration()),
                ))
            }),
            is_interrupted: instance.is_interrupted(),
            is_free,
        }
    }

    /// What GitHub charges for the job's minutes on one's own runner.
    fn github(&self) -> f64 {
        let minutes = self.ran.map(|ran| started_minutes(ran.duration()));
        minutes.unwrap_or_default() * SELF_HOSTED_USD_PER_MINUTE
    }
}

/// What a spot instance cost: the zone's price changes while it runs.
fn spot(history: &[SpotPriceSince], instance_type: &str, zone: &Zone, ran: Ran) -> Option<f64> {
    let mut prices: Vec<&SpotPriceSince> = history
        .iter()
        .filter(|price| price.instance_type == instance_type && price.zone == *zone)
        .collect();
    prices.sort_by_key(|price| price.since);
    // Without the price that was in force at the launch, the beginning is unknown, and so is the whole.
    prices.first().filter(|first| first.since <= ran.from)?;
    let end = ran.from + ran.billed();
    let ends = prices.iter().skip(1).map(|next| next.since).chain([end]);
    let parts = prices.iter().zip(ends).map(|(price, until)| {
        let from = price.since.max(ran.from);
        let until = until.clamp(ran.from, end);
        price.usd_per_hour * hours(until.duration_since(from).unwrap_or_default())
    });
    Some(parts.sum())
}

/// What a root volume cost; unknown where its size is the image's own.
fn volume(root: RootVolume, gp3: Gp3, ran: Ran) -> Option<f64> {
    let storage = gp3.storage_per_hour(root.gib?) * hours(ran.billed());
    let fast = if root.is_for_boot {
        ran.billed().min(FAST_FOR)
    } else {
        ran.billed()
    };
    let performance = gp3.performance_per_hour(
        root.iops.unwrap_or_default(),
        root.throughput.unwrap_or_default(),
    )?;
    Some(storage + performance * hours(fast))
}

fn temp_volume(temp: TempVolume, gp3: Gp3, ran: Ran) -> Option<f64> {
    let storage = gp3.storage_per_hour(temp.gib);
    let performance = gp3.performance_per_hour(temp.iops, temp.throughput)?;
    Some((storage + performance) * hours(ran.billed()))
}

fn hours(duration: Duration) -> f64 {
    duration.as_secs_f64() / 3_600.0
}

/// GitHub rounds each job up to whole minutes.
fn started_minutes(duration: Duration) -> f64 {
    (duration.as_secs_f64() / 60.0).ceil().max(1.0)
}

/// The bills of one `stop`, added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bills(pub Vec<Bill>);

impl Bills {
    /// How long all instances ran together; `None` where that is unknown of one of them.
    pub(crate) fn seconds(&self) -> Option<u64> {
        self.sum(|bill| Some(bill.ran?.duration().as_secs_f64()))
            .map(|seconds| Duration::from_secs_f64(seconds.round()).as_secs())
    }

    /// Whether the true figures may be lower.
    pub(crate) fn is_at_most(&self) -> bool {
        self.0
            .iter()
            .any(|bill| bill.ran.is_some_and(|ran| ran.is_at_most))
    }

    /// Instances, and volumes where their price is known.
    pub(crate) fn cost(&self) -> Option<f64> {
        self.sum(|bill| Some(bill.compute? + bill.volume.unwrap_or_default() + bill.github()))
    }

    /// What the volumes cost whose price is known; `None` where it is of none.
    pub(crate) fn volumes(&self) -> Option<f64> {
        self.0
            .iter()
            .filter_map(|bill| bill.volume)
            .reduce(|sum, volume| sum + volume)
    }

    pub(crate) fn has_unknown_volume(&self) -> bool {
        self.0.iter().any(|bill| bill.volume.is_none())
    }

    pub(crate) fn has_initialization(&self) -> bool {
        self.0.iter().any(|bill| bill.has_initialization)
    }

    /// Why the instances' price is unknown.
    pub(crate) fn unpriced(&self) -> Option<&Unpriced> {
        self.0.iter().find_map(|bill| bill.unpriced.as_ref())
    }

    /// The same instances on-demand, with the same volumes.
    pub(crate) fn on_demand(&self) -> Option<f64> {
        self.sum(|bill| Some(bill.on_demand? + bill.volume.unwrap_or_default() + bill.github()))
    }

    pub(crate) fn hosted(&self) -> Option<f64> {
        self.sum(|bill| Some(bill.hosted?.1))
    }

    /// Against GitHub-hosted runners of the same size.
    pub(crate) fn saved(&self) -> Option<f64> {
        Some(self.hosted()? - self.cost()?)
    }

    pub(crate) fn has_spot(&self) -> bool {
        self.0.iter().any(|bill| bill.market == Market::Spot)
    }

    /// Whether EC2 bills more than what ran.
    pub(crate) fn has_less_than_billed(&self) -> bool {
        self.0
            .iter()
            .any(|bill| bill.ran.is_some_and(|ran| ran.duration() < LEAST))
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.0.iter().any(|bill| bill.is_interrupted)
    }

    /// How many instances AWS reclaimed in their first hour.
    pub(crate) fn free(&self) -> usize {
        self.0.iter().filter(|bill| bill.is_free).count()
    }

    fn sum(&self, part: impl Fn(&Bill) -> Option<f64>) -> Option<f64> {
        // Not `sum`: of nothing, that is -0.
        self.0
            .iter()
            .map(part)
            .try_fold(0.0, |sum, part| Some(sum + part?))
    }
}

#[cfg(test)]
mod tests;
