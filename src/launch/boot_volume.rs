//! A root volume that is fast while the system boots, and brought down to the baseline once the runner is online.
//!
//! EBS changes a volume's performance within minutes at best, so that a volume must be *launched* fast to help a boot; what
//! exceeds gp3's baseline is paid by the second (at least a minute), so that it pays to bring it down at once.

use std::time::Duration;

use crate::clients::Clients;
use crate::launch::runner::LaunchedRunner;
use crate::platform::clock::timeout;
use crate::platform::executor::each;
use crate::pricing::{self, Gp3};
use crate::report::Reporter;
use crate::values::instance_type::InstanceType;
use crate::values::network::InstanceId;
use crate::values::region::Region;
use crate::values::volume::RootVolume;

/// What is worth trying, the fastest first: IOPS and MiB/s.
const STEPS: [(u32, u32); 2] = [(15_000, 1_000), (6_000, 500)];
/// The smallest volume that may have the IOPS of every step (500 per GiB).
const LEAST_GIB: u32 = 30;
/// What a fast volume is taken to save of a boot, in seconds. Cautious, and not yet measured on EC2.
const SAVED_SECONDS: f64 = 2.0;
/// EBS bills at least a minute.
const BILLED_SECONDS: f64 = 60.0;
/// Calls under way at a time.
const AT_ONCE: usize = 16;
/// The job must not wait for this longer than it is worth.
const PATIENCE: Duration = Duration::from_secs(3);

/// The volume to launch with: the user's, or where none was chosen, a fast one if that pays.
pub(crate) fn for_launch(
    root: RootVolume,
    instance_type: &InstanceType,
    region: &Region,
) -> RootVolume {
    if root.iops.is_some() {
        return root;
    }
    worthwhile(root, instance_type, region).unwrap_or(root)
}

/// It pays where the seconds that the boot takes less cost more of the instance than a minute of the faster volume. The
/// on-demand price decides for spot as well: what is saved is somebody's waiting.
fn worthwhile(
    root: RootVolume,
    instance_type: &InstanceType,
    region: &Region,
) -> Option<RootVolume> {
    let gib = root.gib.filter(|gib| *gib >= LEAST_GIB)?;
    let gp3 = Gp3::of(region)?;
    let saved = pricing::on_demand(instance_type, region, None).ok()? * SAVED_SECONDS;
    let (iops, throughput) = STEPS.into_iter().find(|(iops, throughput)| {
        gp3.performance_per_hour(*iops, *throughput)
            .is_some_and(|hourly| hourly * BILLED_SECONDS <= saved)
    })?;
    Some(RootVolume {
        gib: Some(gib),
        iops: Some(iops),
        throughput: Some(throughput),
        initialization: None,
        is_for_boot: true,
    })
}

/// How the volume reads in the log; `None` for the baseline.
pub(crate) fn described(root: RootVolume, region: &Region) -> Option<String> {
    let (iops, throughput) = (root.iops?, root.throughput?);
    let hourly = Gp3::of(region).and_then(|gp3| gp3.performance_per_hour(iops, throughput));
    let price = match hourly {
        Some(hourly) => format!("${:.4} a minute above the baseline", hourly / 60.0),
        None => "at a price that is unknown here".to_owned(),
    };
    let how_long = if root.is_for_boot {
        ", until the runner is online"
    } else {
        ""
    };
    Some(format!(
        "root volume with {iops} IOPS and {throughput} MiB/s, {price}{how_long}"
    ))
}

/// Brings down what was to be fast for the boot alone. It never fails a start: the worst is a volume that stays fast.
pub(crate) async fn bring_down(clients: &Clients, runners: &[LaunchedRunner], report: &Reporter) {
    let fast: Vec<&LaunchedRunner> = runners
        .iter()
        .filter(|runner| runner.volumes.root.is_for_boot)
        .collect();
    if fast.is_empty() {
        return;
    }
    match timeout(PATIENCE, bring_all_down(clients, &fast)).await {
        Ok((down, problems)) => {
            if down > 0 {
                report.line(format_args!(
                    "· root volumes brought down to the baseline: {down}"
                ));
            }
            for problem in problems {
                report.line(format_args!("· a root volume stays fast: {problem}"));
            }
        }
        Err(_) => report.line("· root volumes stay fast: EC2 did not answer in time"),
    }
}

async fn bring_all_down(clients: &Clients, fast: &[&LaunchedRunner]) -> (usize, Vec<String>) {
    let ids: Vec<InstanceId> = fast
        .iter()
        .map(|runner| runner.instance_id.clone())
        .collect();
    let instances = match clients.ec2.by_id(&ids).await {
        Ok(instances) => instances,
        Err(error) => return (0, vec![error.to_string()]),
    };
    let volumes = instances.into_iter().filter_map(|instance| {
        let volume = instance.usage.root_volume_id?;
        Some((clients.ec2.of(instance.id.region()), volume))
    });
    let answers = each(volumes, AT_ONCE, |(ec2, volume)| async move {
        let answer = ec2.bring_volume_down(&volume).await;
        answer.map_err(|error| format!("`{volume}`: {error}"))
    });
    let (mut down, mut problems) = (0, Vec::new());
    for answer in answers.await {
        match answer {
            Ok(()) => down += 1,
            // `IncorrectModificationState`, `VolumeModificationRateExceeded`: EBS will not now, and nobody waits for it.
            Err(problem) => problems.push(problem),
        }
    }
    (down, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(instance_type: &str, region: &str, gib: Option<u32>) -> Option<(u32, u32)> {
        let root = RootVolume {
            gib,
            ..RootVolume::default()
        };
        let parsed = (instance_type.parse().ok(), region.parse().ok());
        let (Some(instance_type), Some(region)) = parsed else {
            unreachable!("{instance_type} {region}")
        };
        let root = for_launch(root, &instance_type, &region);
        assert_eq!(root.is_for_boot, root.iops.is_some());
        root.iops.zip(root.throughput)
    }

    #[test]
    fn fast_where_it_pays() {
        assert_eq!(chosen("t3.large", "us-east-1", Some(30)), None);
        assert_eq!(chosen("m7i.4xlarge", "us-east-1", Some(30)), None);
        assert_eq!(
            chosen("m7i.8xlarge", "us-east-1", Some(30)),
            Some((6_000, 500))
        );
        assert_eq!(
            chosen("m7i.24xlarge", "us-east-1", Some(30)),
            Some((15_000, 1_000))
        );
    }

    #[test]
    fn never_where_size_or_price_is_unknown() {
        assert_eq!(chosen("m7i.24xlarge", "us-east-1", None), None);
        assert_eq!(chosen("m7i.24xlarge", "us-east-1", Some(8)), None);
        assert_eq!(chosen("m7i.24xlarge", "il-central-1", Some(30)), None);
        assert_eq!(chosen("p5e.48xlarge", "us-east-1", Some(30)), None);
    }

    #[test]
    fn the_user_s_choice_stays() {
        let region = "us-east-1".parse();
        let instance_type = "m7i.24xlarge".parse();
        let root = "gp3/3000/125"
            .parse()
            .and_then(|root| RootVolume::new(Some(30), Some(root)));
        if let (Ok(region), Ok(instance_type), Ok(root)) = (region, instance_type, root) {
            assert_eq!(for_launch(root, &instance_type, &region), root);
        } else {
            unreachable!("all three parse")
        }
    }
}
