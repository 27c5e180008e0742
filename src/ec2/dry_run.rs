//! Each permission asked for with `DryRun`: nothing is launched, changed or ended.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::{Ec2, Ec2Error, Launch, tags};
use crate::values::network::InstanceId;

/// A volume that does not exist: EC2 decides about permissions before it looks for the resource.
const NO_VOLUME: &str = "vol-00000000000000000";

impl Ec2 {
    pub(crate) async fn dry_run_launch(&self, launch: &Launch<'_>) -> Result<(), Ec2Error> {
        dry_run_result(
            "ec2:RunInstances",
            self.run_instances(launch).dry_run(true).send().await,
        )
    }

    pub(crate) async fn dry_run_create_tags(&self, instance: &InstanceId) -> Result<(), Ec2Error> {
        let tag = Tag::builder().key(tags::OURS).value("true").build();
        let call = self
            .client
            .create_tags()
            .resources(instance.as_str())
            .tags(tag)
            .dry_run(true);
        dry_run_result("ec2:CreateTags", call.send().await)
    }

    pub(crate) async fn dry_run_describe_instances(&self) -> Result<(), Ec2Error> {
        dry_run_result(
            "ec2:DescribeInstances",
            self.client.describe_instances().dry_run(true).send().await,
        )
    }

    pub(crate) async fn dry_run_get_console_output(
        &self,
        instance: &InstanceId,
    ) -> Result<(), Ec2Error> {
        let call = self
            .client
            .get_console_output()
            .instance_id(instance.as_str())
            .dry_run(true);
        dry_run_result(super::GET_CONSOLE_OUTPUT, call.send().await)
    }

    pub(crate) async fn dry_run_modify_volume(&self) -> Result<(), Ec2Error> {
        let call = self
            .client
            .modify_volume()
            .volume_id(NO_VOLUME)
            .iops(3_000)
            .dry_run(true);
        dry_run_result("ec2:ModifyVolume", call.send().await)
    }

    pub(crate) async fn dry_run_terminate(&self, instance: &InstanceId) -> Result<(), Ec2Error> {
        let call = self
            .client
            .terminate_instances()
            .instance_ids(instance.as_str())
            .dry_run(true);
        dry_run_result("ec2:TerminateInstances", call.send().await)
    }

    pub(crate) async fn dry_run_describe_spot_price_history(&self) -> Result<(), Ec2Error> {
        let call = self
            .client
            .describe_spot_price_history()
            .max_results(1)
            .dry_run(true);
        dry_run_result("ec2:DescribeSpotPriceHistory", call.send().await)
    }
}

/// `DryRunOperation`, an error, is the success of a dry run. "There is no such resource" is one as well: EC2 says so only to callers
/// that are allowed to ask.
pub(super) fn dry_run_result<T, E>(
    action: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<(), Ec2Error>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    SdkError<E, HttpResponse>: aws_sdk_ec2::operation::RequestId + std::error::Error,
{
    let answer = answer.map(drop);
    judged(
        action,
        answer.map_err(|error| Ec2Error::from_sdk(action, &error)),
    )
}

fn judged(action: &'static str, answer: Result<(), Ec2Error>) -> Result<(), Ec2Error> {
    let Err(error) = answer else {
        // EC2 answers every dry run with an error. What answers otherwise is not EC2.
        return Err(Ec2Error::unreadable(
            action,
            "a dry run was answered as if it were a real call",
        ));
    };
    let missing = matches!(
        error.code(),
        Some(
            "InvalidInstanceID.NotFound"
                | "InvalidVolume.NotFound"
                | "InvalidSnapshot.NotFound"
                | "InvalidID"
        )
    );
    if error.is_dry_run_success() || missing {
        Ok(())
    } else {
        Err(error)
    }
}
