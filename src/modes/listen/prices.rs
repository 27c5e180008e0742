//! What a runner costs an hour: its instance, and its volumes. Pure.

use crate::ec2::Instance;
use crate::launch::runner::LaunchedRunner;
use crate::pricing::{self, Gp3};
use crate::values::region::Region;
use crate::values::spot::Market;
use crate::values::volume::Volumes;

/// Dollars per hour, where they are known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prices {
    pub instance: Option<f64>,
    pub volumes: Option<f64>,
}

pub(super) fn of_launch(runner: &LaunchedRunner) -> Prices {
    let candidate = &runner.candidate;
    let region = &candidate.region;
    let instance = match candidate.market {
        Market::Spot => candidate.spot_price,
        Market::OnDemand => {
            let zone = runner.availability_zone.as_ref();
            let zone = zone.and_then(|zone| zone.parse().ok());
            pricing::on_demand(&candidate.instance_type, region, zone.as_ref()).ok()
        }
    };
    let volumes = Gp3::of(region).and_then(|gp3| gp3.volumes_per_hour(runner.volumes));
    Prices { instance, volumes }
}

/// Of one that another listener has launched: nobody knows what its spot price was then.
pub(super) fn of_instance(instance: &Instance, region: &Region) -> Prices {
    let on_demand = || {
        let instance_type = instance.instance_type.parse().ok()?;
        let zone = instance.usage.zone.as_ref();
        pricing::on_demand(&instance_type, region, zone).ok()
    };
    let volumes = || {
        let volumes = Volumes {
            root: instance.root_volume()?,
            temp: instance.temp_volume(),
        };
        Gp3::of(region)?.volumes_per_hour(volumes)
    };
    Prices {
        instance: match instance.usage.market {
            Market::OnDemand => on_demand(),
            Market::Spot => None,
        },
        volumes: volumes(),
    }
}
