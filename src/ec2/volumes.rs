//! `ModifyVolume`: only ever downwards.

use aws_sdk_ec2::types::VolumeType;

use super::{Ec2, Ec2Error};
use crate::values::gp3::{BASELINE_IOPS, BASELINE_THROUGHPUT};

impl Ec2 {
    /// Brings a volume to what gp3 has without paying for more.
    pub(crate) async fn bring_volume_down(&self, volume: &str) -> Result<(), Ec2Error> {
        let number = |n: u32| i32::try_from(n).ok();
        self.client
            .modify_volume()
            .volume_id(volume)
            .volume_type(VolumeType::Gp3)
            .set_iops(number(BASELINE_IOPS))
            .set_throughput(number(BASELINE_THROUGHPUT))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Ec2Error::from_sdk("ec2:ModifyVolume", &error))
    }
}
