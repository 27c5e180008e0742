//! `RunInstances`: one instance, tagged, encrypted, gone when it powers off.

use aws_sdk_ec2::types::{
    BlockDeviceMapping, CpuOptionsRequest, EbsBlockDevice, HttpTokensState,
    IamInstanceProfileSpecification, InstanceMetadataEndpointState, InstanceMetadataOptionsRequest,
    InstanceMetadataTagsState, InstanceType as SdkInstanceType, NestedVirtualizationSpecification,
    Placement as SdkPlacement, ResourceType, ShutdownBehavior, Tag, TagSpecification, VolumeType,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::launch_options::{capacity, launch_template, market_options, on_network};
use super::{Ec2, Ec2Error};
use crate::boot::UserData;
use crate::values::candidate::Candidate;
use crate::values::launch_options::LaunchOptions;
use crate::values::network::{InstanceId, InstanceProfile, Placement, SecurityGroup};
use crate::values::temp::TempVolume;
use crate::values::volume::{RootVolume, Volumes};

/// Everything about one launch attempt.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub candidate: &'a Candidate,
    pub image_id: &'a str,
    /// The root device's name, which the volume's settings must repeat.
    pub root_device: &'a str,
    pub volumes: Volumes,
    pub security_groups: &'a [SecurityGroup],
    pub instance_profile: Option<&'a InstanceProfile>,
    pub options: &'a LaunchOptions,
    pub tags: &'a [(String, String)],
    pub user_data: &'a UserData,
    /// Makes a repeated call harmless: EC2 launches once per token.
    pub client_token: &'a str,
    pub power_off: PowerOff,
}

/// What becomes of the instance that powers itself off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PowerOff {
    /// It ends itself, without any permission.
    Terminates,
    /// Its volume stays, to become an image.
    Stops,
}

/// What EC2 launched.
#[derive(Clone, Debug)]
pub(crate) struct Launched {
    pub id: InstanceId,
    pub availability_zone: Option<String>,
    /// The image's real root device, where the answer tells it.
    pub root_device: Option<String>,
}

pub(crate) const RUN_INSTANCES: &str = "ec2:RunInstances";

impl Ec2 {
    /// Launches one instance.
    pub(crate) async fn run_instance(&self, launch: &Launch<'_>) -> Result<Launched, Ec2Error> {
        const ACTION: &str = RUN_INSTANCES;
        let answer = self
            .run_instances(launch)
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(ACTION, &error))?;
        let instance = answer.instances().first();
        let id = instance
            .and_then(|instance| instance.instance_id())
            .ok_or_else(|| Ec2Error::unreadable(ACTION, "no instance id in the answer"))?;
        Ok(Launched {
            id: InstanceId::from_ec2(id).in_region(&self.region),
            availability_zone: instance
                .and_then(|instance| instance.placement()?.availability_zone())
                .map(str::to_owned),
            root_device: instance
                .and_then(|instance| instance.root_device_name())
                .map(str::to_owned),
        })
    }

    /// The request itself; `check` sends it with `DryRun`.
    pub(super) fn run_instances(
        &self,
        launch: &Launch<'_>,
    ) -> aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder {
        let placement = &launch.candidate.placement;
        let options = launch.options;
        let call = self
            .client
            .run_instances()
            .image_id(launch.image_id)
            .instance_type(SdkInstanceType::from(
                launch.candidate.instance_type.as_str(),
            ))
            .min_count(1)
            .max_count(1)
            .client_token(launch.client_token)
            .user_data(BASE64_STANDARD.encode(launch.user_data.expose()))
            .instance_initiated_shutdown_behavior(match launch.power_off {
                PowerOff::Terminates => ShutdownBehavior::Terminate,
                PowerOff::Stops => ShutdownBehavior::Stop,
            })
            .metadata_options(metadata_options(launch.instance_profile))
            .set_block_device_mappings(Some(block_devices(launch)))
            .set_tag_specifications(
                (!launch.tags.is_empty()).then(|| tag_specifications(launch.tags, &TAGGED)),
            )
            .set_instance_market_options(market_options(
                launch.candidate.market,
                options.capacity.as_ref(),
            ))
            .set_placement(match placement {
                Placement::Zone(zone) => Some(
                    SdkPlacement::builder()
                        .availability_zone(zone.as_str())
                        .build(),
                ),
                Placement::Anywhere | Placement::Subnet(_) => None,
            })
            .set_iam_instance_profile(launch.instance_profile.map(|profile| {
                let specification = IamInstanceProfileSpecification::builder();
                match profile {
                    InstanceProfile::Name(name) => specification.name(name).build(),
                    InstanceProfile::Arn(arn) => specification.arn(arn).build(),
                }
            }))
            .set_launch_template(options.template.as_ref().map(launch_template))
            .set_capacity_reservation_specification(options.capacity.as_ref().map(capacity))
            .set_cpu_options(options.nested_virtualization.then(|| {
                CpuOptionsRequest::builder()
                    .nested_virtualization(NestedVirtualizationSpecification::Enabled)
                    .build()
            }));
        on_network(call, placement, launch.security_groups, options.public_ip)
    }
}

/// `IMDSv2` only, and no further than the instance itself: a container behind a bridge is one hop away. It comes that far where
/// the job has a profile, whose credentials its containers are to use. No tags: an account may have them there by default, where
/// EC2 refuses tag keys with a `/`.
fn metadata_options(profile: Option<&InstanceProfile>) -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_endpoint(InstanceMetadataEndpointState::Enabled)
        .http_tokens(HttpTokensState::Required)
        .http_put_response_hop_limit(if profile.is_some() { 2 } else { 1 })
        .instance_metadata_tags(InstanceMetadataTagsState::Disabled)
        .build()
}

/// Where the volume for the job's data is attached: the last of the names that AWS reserves for data volumes, so that it does
/// not take one of the image's. On Nitro it appears as another `NVMe` disk, whatever its name.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>
const TEMP_DEVICE: &str = "/dev/sdp";

fn block_devices(launch: &Launch<'_>) -> Vec<BlockDeviceMapping> {
    let Volumes { root, temp } = launch.volumes;
    let mut devices = vec![root_volume(launch.root_device, root)];
    devices.extend(temp.map(temp_volume));
    devices
}

fn temp_volume(temp: TempVolume) -> BlockDeviceMapping {
    let number = |n: u32| i32::try_from(n).ok();
    BlockDeviceMapping::builder()
        .device_name(TEMP_DEVICE)
        .ebs(
            EbsBlockDevice::builder()
                .volume_type(VolumeType::Gp3)
                .encrypted(true)
                .delete_on_termination(true)
                .set_volume_size(number(temp.gib))
                .set_iops(number(temp.iops))
                .set_throughput(number(temp.throughput))
                .build(),
        )
        .build()
}

fn root_volume(device: &str, root: RootVolume) -> BlockDeviceMapping {
    let number = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    BlockDeviceMapping::builder()
        .device_name(device)
        .ebs(
            EbsBlockDevice::builder()
                .volume_type(VolumeType::Gp3)
                .encrypted(true)
                .delete_on_termination(true)
                .set_volume_size(number(root.gib))
                .set_iops(number(root.iops))
                .set_throughput(number(root.throughput))
                .set_volume_initialization_rate(number(root.initialization))
                .build(),
        )
        .build()
}

/// Instance and volumes, nothing else: a tightened policy allows `CreateTags` on no other resource.
const TAGGED: [ResourceType; 2] = [ResourceType::Instance, ResourceType::Volume];

/// The same tags on resources of each kind.
pub(super) fn tag_specifications(
    tags: &[(String, String)],
    kinds: &[ResourceType],
) -> Vec<TagSpecification> {
    let tags: Vec<Tag> = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect();
    kinds
        .iter()
        .map(|kind| {
            TagSpecification::builder()
                .resource_type(kind.clone())
                .set_tags(Some(tags.clone()))
                .build()
        })
        .collect()
}
