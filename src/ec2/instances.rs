//! `DescribeInstances` and `TerminateInstances`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_sdk_ec2::types::{Filter, Instance as SdkInstance, InstanceStateName};

use super::{Ec2, Ec2Error, tags};
use crate::github::RunnerId;
use crate::spec::network::InstanceId;

/// An instance as EC2 describes it.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub id: InstanceId,
    pub state: State,
    /// Why it is in that state: `Server.SpotInstanceTermination: …`.
    pub state_reason: Option<String>,
    pub instance_type: String,
    pub tags: BTreeMap<String, String>,
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
    fn from_sdk(instance: &SdkInstance) -> Option<Self> {
        let state = match instance.state()?.name()? {
            InstanceStateName::Pending => State::Pending,
            InstanceStateName::Stopping => State::Stopping,
            InstanceStateName::Stopped => State::Stopped,
            InstanceStateName::ShuttingDown => State::ShuttingDown,
            InstanceStateName::Terminated => State::Terminated,
            // `running`, or a state that does not exist yet: alive until EC2 says otherwise, so that it gets terminated.
            _ => State::Running,
        };
        let reason = instance.state_reason();
        Some(Self {
            id: InstanceId::from_ec2(instance.instance_id()?),
            state,
            state_reason: reason.and_then(|reason| match (reason.code(), reason.message()) {
                (Some(code), Some(message)) if !message.starts_with(code) => {
                    Some(format!("{code}: {message}"))
                }
                (code, message) => message
                    .or(code)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            }),
            instance_type: instance
                .instance_type()
                .map(|t| t.as_str().to_owned())
                .unwrap_or_default(),
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
        let filters: Vec<Filter> = filters
            .iter()
            .map(|(name, values)| {
                Filter::builder()
                    .name(*name)
                    .set_values(Some(values.to_vec()))
                    .build()
            })
            .collect();
        let mut pages = self
            .client
            .describe_instances()
            .set_filters(Some(filters))
            .into_paginator()
            .page_size(PAGE)
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Ec2Error::from_sdk(DESCRIBE_INSTANCES, &error))?;
            let instances = page
                .reservations()
                .iter()
                .flat_map(aws_sdk_ec2::types::Reservation::instances);
            all.extend(instances.filter_map(Instance::from_sdk));
        }
        Ok(all)
    }

    /// Terminates instances. Terminated ones stay terminated: repeating this is harmless.
    pub(crate) async fn terminate(&self, ids: &[InstanceId]) -> Result<(), Ec2Error> {
        self.client
            .terminate_instances()
            .set_instance_ids(Some(ids.iter().map(ToString::to_string).collect()))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Ec2Error::from_sdk(TERMINATE_INSTANCES, &error))
    }
}

/// The most that `DescribeInstances` gives on one page.
const PAGE: i32 = 1_000;
