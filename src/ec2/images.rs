//! `DescribeImages`: the newest image of a name and an owner. Not one of the six permissions: asked for only where an image is
//! named like that.

use aws_sdk_ec2::types::{Filter, Image as SdkImage};

use super::{Ec2, Ec2Error};
use crate::values::instance_type::Architecture;
use crate::values::named_image::NamedImage;

pub(crate) const DESCRIBE_IMAGES: &str = "ec2:DescribeImages";

/// An image as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MachineImage {
    pub id: String,
    pub name: String,
    /// In RFC 3339, as EC2 writes it: the order of the texts is that of the times.
    pub created: String,
    pub root_device: Option<String>,
    /// The size of the root volume's snapshot.
    pub root_gib: Option<u32>,
}

impl Ec2 {
    /// The images of that name and owner that can boot a runner on that processor, the newest first.
    pub(crate) async fn images(
        &self,
        named: &NamedImage,
        architecture: Architecture,
    ) -> Result<Vec<MachineImage>, Ec2Error> {
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let answer = self
            .client
            .describe_images()
            .owners(named.owner())
            .filters(filter("name", named.pattern()))
            .filters(filter("architecture", architecture.ec2()))
            .filters(filter("state", "available"))
            .filters(filter("root-device-type", "ebs"))
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(DESCRIBE_IMAGES, &error))?;
        // Windows has a platform; Linux has none.
        let linux = answer
            .images()
            .iter()
            .filter(|image| image.platform().is_none());
        let mut images: Vec<MachineImage> = linux.filter_map(MachineImage::from_sdk).collect();
        images.sort_by(|a, b| (&b.created, &b.name).cmp(&(&a.created, &a.name)));
        Ok(images)
    }
}

impl MachineImage {
    fn from_sdk(image: &SdkImage) -> Option<Self> {
        let root_device = image.root_device_name();
        let root = image
            .block_device_mappings()
            .iter()
            .find(|mapping| mapping.device_name() == root_device);
        Some(Self {
            id: image.image_id()?.to_owned(),
            name: image.name().unwrap_or_default().to_owned(),
            created: image.creation_date().unwrap_or_default().to_owned(),
            root_device: root_device.map(str::to_owned),
            root_gib: root.and_then(|root| u32::try_from(root.ebs()?.volume_size()?).ok()),
        })
    }
}
