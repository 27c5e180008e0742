//! What some accounts ask of `RunInstances`: a template, a reservation, a market, an address.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    CapacityReservationPreference, CapacityReservationSpecification, CapacityReservationTarget,
    InstanceMarketOptionsRequest, InstanceNetworkInterfaceSpecification,
    LaunchTemplateSpecification, MarketType, SpotInstanceType, SpotMarketOptions,
};

use crate::values::launch_options::{CapacityReservation, LaunchTemplate, TemplateKey};
use crate::values::network::{Placement, SecurityGroup};
use crate::values::spot::Market;

pub(super) fn market_options(
    market: Market,
    reservation: Option<&CapacityReservation>,
) -> Option<InstanceMarketOptionsRequest> {
    if let Some(CapacityReservation::Block(_)) = reservation {
        let block = InstanceMarketOptionsRequest::builder().market_type(MarketType::CapacityBlock);
        return Some(block.build());
    }
    (market == Market::Spot).then(|| {
        InstanceMarketOptionsRequest::builder()
            .market_type(MarketType::Spot)
            .spot_options(
                SpotMarketOptions::builder()
                    .spot_instance_type(SpotInstanceType::OneTime)
                    .build(),
            )
            .build()
    })
}

/// Subnet and security groups stand beside the rest, or, where the public address is decided, with the interface: EC2 takes
/// them in one place only.
pub(super) fn on_network(
    call: RunInstancesFluentBuilder,
    placement: &Placement,
    security_groups: &[SecurityGroup],
    public_ip: Option<bool>,
) -> RunInstancesFluentBuilder {
    let subnet = match placement {
        Placement::Subnet(subnet) => Some(subnet.id.clone()),
        Placement::Anywhere | Placement::Zone(_) => None,
    };
    let groups: Vec<String> = security_groups
        .iter()
        .map(|group| group.as_str().to_owned())
        .collect();
    let groups = (!groups.is_empty()).then_some(groups);
    match public_ip {
        None => call.set_subnet_id(subnet).set_security_group_ids(groups),
        Some(public) => call.network_interfaces(
            InstanceNetworkInterfaceSpecification::builder()
                .device_index(0)
                .associate_public_ip_address(public)
                .delete_on_termination(true)
                .set_subnet_id(subnet)
                .set_groups(groups)
                .build(),
        ),
    }
}

pub(super) fn launch_template(template: &LaunchTemplate) -> LaunchTemplateSpecification {
    let specification = LaunchTemplateSpecification::builder();
    match &template.key {
        TemplateKey::Id(id) => specification.launch_template_id(id),
        TemplateKey::Name(name) => specification.launch_template_name(name),
    }
    .set_version(template.version.clone())
    .build()
}

pub(super) fn capacity(reservation: &CapacityReservation) -> CapacityReservationSpecification {
    let specification = CapacityReservationSpecification::builder();
    let target = CapacityReservationTarget::builder();
    match reservation {
        CapacityReservation::Open => {
            specification.capacity_reservation_preference(CapacityReservationPreference::Open)
        }
        CapacityReservation::None => {
            specification.capacity_reservation_preference(CapacityReservationPreference::None)
        }
        CapacityReservation::Id(id) | CapacityReservation::Block(id) => {
            specification.capacity_reservation_target(target.capacity_reservation_id(id).build())
        }
        CapacityReservation::Group(arn) => specification.capacity_reservation_target(
            target.capacity_reservation_resource_group_arn(arn).build(),
        ),
    }
    .build()
}
