//! `DescribeInstances` and `TerminateInstances`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_sdk_ec2::types::{
    Filter, Instance as SdkInstance, InstanceLifecycleType, InstanceStateName, Reservation,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::pages::all_pages;
use super::{Ec2, Ec2Error, tags};
use crate::values::network::InstanceId;
use crate::values::region::{Region, Zone};
use crate::values::run;
use crate::values::runner_id::RunnerId;
use crate::values::spot::Market;
use crate::values::temp::TempVolume;
use crate::values::volume::RootVolume;

/// An instance as EC2 describes it.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub id: InstanceId,
    pub state: State,
    /// Why it is in that state: `Server.SpotInstanceTermination: …`.
    pub state_reason: Option<String>,
    pub instance_type: String,
    pub usage: Usage,
    pub tags: BTreeMap<String, String>,
}

/// What decides about an instance's price, and its root volume.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    pub launched: Option<SystemTime>,
    /// When it ended, where EC2 tells.
    pub ended: Option<SystemTime>,
    pub market: Market,
    pub zone: Option<Zone>,
    /// While it is attached: a terminated instance has none.
    pub root_volume_id: Option<String>,
}

impl Usage {
    fn from_sdk(instance: &SdkInstance) -> Self {
        let is_spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
        Self {
            launched: instance.launch_time().and_then(|t| (*t).try_into().ok()),
            ended: instance.state_transition_reason().and_then(time_of),
            market: if is_spot {
                Market::Spot
            } else {
                Market::OnDemand
            },
            zone: instance
                .placement()
                .and_then(|placement| placement.availability_zone()?.parse().ok()),
            root_volume_id: instance
                .block_device_mappings()
                .iter()
                .find(|mapping| mapping.device_name() == instance.root_device_name())
                .and_then(|mapping| Some(mapping.ebs()?.volume_id()?.to_owned())),
        }
    }
}

/// EC2 tells it as a code with a message; where it does not, the reason of the last change has it at times.
fn state_reason(instance: &SdkInstance) -> Option<String> {
    let reported =
        instance
            .state_reason()
            .and_then(|reason| match (reason.code(), reason.message()) {
                (Some(code), Some(message)) if !message.starts_with(code) => {
                    Some(format!("{code}: {message}"))
                }
                (code, message) => message
                    .or(code)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            });
    let transition = || {
        instance
            .state_transition_reason()
            .filter(|reason| reason.starts_with("Server."))
            .map(str::to_owned)
    };
    reported.or_else(transition)
}

/// `User initiated (2026-11-23 18:02:11 GMT)`: the only place where EC2 tells when an instance ended.
fn time_of(transition: &str) -> Option<SystemTime> {
    let (_, rest) = transition.rsplit_once('(')?;
    let (date, time) = rest
        .strip_suffix(" GMT)")
        .or_else(|| rest.strip_suffix(" UTC)"))?
        .split_once(' ')?;
    DateTime::from_str(&format!("{date}T{time}Z"), Format::DateTime)
        .ok()?
        .try_into()
        .ok()
}

/// An instance's state, under EC2's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    Stopping,
    Stopped,
    ShuttingDown,
    Terminated,
}

impl State {
    /// Whether it still costs money, or can again.
    pub(crate) fn is_alive(self) -> bool {
        !matches!(self, Self::ShuttingDown | Self::Terminated)
    }

    /// Whether a runner on it can still come online.
    pub(crate) fn can_run(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }
}

impl Instance {
    fn from_sdk(instance: &SdkInstance, region: &Region) -> Option<Self> {
        let state = match instance.state()?.name()? {
            InstanceStateName::Pending => State::Pending,
            InstanceStateName::Stopping => State::Stopping,
            InstanceStateName::Stopped => State::Stopped,
            InstanceStateName::ShuttingDown => State::ShuttingDown,
            InstanceStateName::Terminated => State::Terminated,
            // `running`, or a state that does not exist yet: alive until EC2 says otherwise, so that it gets terminated.
            _ => State::Running,
        };
        Some(Self {
            id: InstanceId::from_ec2(instance.instance_id()?).in_region(region),
            state,
            state_reason: state_reason(instance),
            instance_type: instance
                .instance_type()
                .map(|t| t.as_str().to_owned())
                .unwrap_or_default(),
            usage: Usage::from_sdk(instance),
            tags: instance
                .tags()
                .iter()
                .filter_map(|tag| {
                    Some((
                        tag.key()?.to_owned(),
                        tag.value().unwrap_or_default().to_owned(),
                    ))
                })
                .collect(),
        })
    }

    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    pub(crate) fn runner_id(&self) -> Option<RunnerId> {
        self.tag(tags::RUNNER_ID)?.parse().ok().map(RunnerId)
    }

    /// The name of its runner, unless somebody gave the instance another: nothing that GitHub could take for more than a name.
    pub(crate) fn runner_name(&self) -> Option<&str> {
        self.tag(tags::NAME).filter(|name| run::is_like_ours(name))
    }

    /// The unique label that its job asks for.
    pub(crate) fn label(&self) -> Option<&str> {
        self.tag(tags::LABEL)
    }

    /// The attempt of the run that launched it.
    pub(crate) fn attempt(&self) -> Option<&str> {
        self.tag(tags::RUN_ATTEMPT)
    }

    /// Whether `bake` launched it, to make an image of it.
    pub(crate) fn is_baking(&self) -> bool {
        self.tag(tags::IMAGE).is_some()
    }

    /// Where its runner registered, if not at the repository.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.tag(tags::SCOPE)
    }

    /// The root volume that the launch asked for.
    pub(crate) fn root_volume(&self) -> Option<RootVolume> {
        RootVolume::from_tag(self.tag(tags::ROOT)?)
    }

    /// The regions that its launch could have gone to.
    pub(crate) fn regions(&self) -> Vec<Region> {
        tags::parse_regions(self.tag(tags::REGIONS).unwrap_or_default())
    }

    /// The number of the job that launched it.
    pub(crate) fn job_id(&self) -> Option<u64> {
        self.tag(tags::JOB_ID)?.parse().ok()
    }

    /// Whether AWS took it back, as it may with spot instances: `Server.SpotInstanceTermination`, `Server.SpotInstanceShutdown`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>
    pub(crate) fn is_interrupted(&self) -> bool {
        self.state_reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with("Server.SpotInstance"))
    }

    /// The volume for the job's data that the launch asked for.
    pub(crate) fn temp_volume(&self) -> Option<TempVolume> {
        TempVolume::from_tag(self.tag(tags::TEMP)?)
    }

    pub(crate) fn expires(&self) -> Option<SystemTime> {
        tags::parse_expires(self.tag(tags::EXPIRES)?)
    }
}

pub(crate) const DESCRIBE_INSTANCES: &str = "ec2:DescribeInstances";
pub(crate) const TERMINATE_INSTANCES: &str = "ec2:TerminateInstances";

impl Ec2 {
    /// The instances that fit all filters. Always by filter and never by id: a fresh id may not be known everywhere yet, and
    /// would be an error.
    pub(crate) async fn instances(
        &self,
        filters: &[(&str, &[String])],
    ) -> Result<Vec<Instance>, Ec2Error> {
        let most = filters.iter().map(|(_, values)| values.len()).max();
        let parts = most.unwrap_or_default().div_ceil(MOST_VALUES).max(1);
        let mut all = Vec::new();
        for part in 0..parts {
            all.extend(self.instances_of(filters, part).await?);
        }
        Ok(all)
    }

    /// Those that fit one part of a filter's many values; filters with few values hold in every part.
    async fn instances_of(
        &self,
        filters: &[(&str, &[String])],
        part: usize,
    ) -> Result<Vec<Instance>, Ec2Error> {
        let filters: Vec<Filter> = filters
            .iter()
            .map(|(name, values)| {
                let values = match values.len() {
                    0..=MOST_VALUES => Some(*values),
                    _ => values.chunks(MOST_VALUES).nth(part),
                };
                Filter::builder()
                    .name(*name)
                    .set_values(values.map(<[String]>::to_vec))
                    .build()
            })
            .collect();
        let described = self
            .client
            .describe_instances()
            .set_filters(Some(filters))
            .max_results(PAGE);
        all_pages(DESCRIBE_INSTANCES, |token| {
            let asking = described.clone().set_next_token(token).send();
            async {
                let page = asking
                    .await
                    .map_err(|error| Ec2Error::from_sdk(DESCRIBE_INSTANCES, &error).of_search())?;
                let reservations = page.reservations().iter();
                let instances = reservations
                    .flat_map(Reservation::instances)
                    .filter_map(|instance| Instance::from_sdk(instance, &self.region));
                Ok((instances.collect(), page.next_token))
            }
        })
        .await
    }

    /// Terminates instances. Terminated ones stay terminated: repeating this is harmless. EC2's answer names each of them; one
    /// that does not may be anybody's.
    pub(crate) async fn terminate(&self, ids: &[InstanceId]) -> Result<(), Ec2Error> {
        let answer = self
            .client
            .terminate_instances()
            .set_instance_ids(Some(ids.iter().map(ToString::to_string).collect()))
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(TERMINATE_INSTANCES, &error))?;
        let named: Vec<&str> = answer
            .terminating_instances()
            .iter()
            .filter_map(|change| change.instance_id())
            .collect();
        match ids.iter().find(|id| !named.contains(&id.as_str())) {
            None => Ok(()),
            Some(id) => {
                let why = format!("it does not name `{id}`");
                Err(Ec2Error::unreadable(TERMINATE_INSTANCES, &why))
            }
        }
    }
}

/// The most values that a filter may have: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
const MOST_VALUES: usize = 200;
/// Instances on one page: EC2 gives up to 1,000, which with some 8 KB each, and with 50 tags several times that, would not fit
/// into the most that an answer may have.
const PAGE: i32 = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn when_it_ended_stands_in_the_transition_s_reason() {
        let reported = UNIX_EPOCH + Duration::from_secs(1_795_456_931);
        assert_eq!(
            time_of("User initiated (2026-11-23 18:02:11 GMT)"),
            Some(reported)
        );
        assert_eq!(
            time_of("User initiated (2026-11-23 18:02:11 UTC)"),
            Some(reported)
        );
        for silent in [
            "",
            "User initiated",
            "Server.SpotInstanceTermination",
            "(now)",
            "(x y GMT)",
        ] {
            assert_eq!(time_of(silent), None, "{silent}");
        }
    }
}
