//! Images: the newest of a name and an owner, and those that `bake` makes. None of this is among the six permissions.

use aws_sdk_ec2::types::{
    Filter, Image as SdkImage, ImageState as SdkState, ResourceType, TagSpecification,
};

use super::dry_run::dry_run_result;
use super::launch::tag_specifications as specifications;
use super::{Ec2, Ec2Error};
use crate::values::instance_type::Architecture;
use crate::values::named_image::NamedImage;
use crate::values::network::InstanceId;

pub(crate) const DESCRIBE_IMAGES: &str = "ec2:DescribeImages";
pub(crate) const CREATE_IMAGE: &str = "ec2:CreateImage";
pub(crate) const DEREGISTER_IMAGE: &str = "ec2:DeregisterImage";
pub(crate) const DELETE_SNAPSHOT: &str = "ec2:DeleteSnapshot";
/// An image and a snapshot that nobody has.
const NO_IMAGE: &str = "ami-00000000000000000";
const NO_SNAPSHOT: &str = "snap-00000000000000000";

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
    pub state: ImageState,
}

/// Whether an image can be launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageState {
    Pending,
    Available,
    /// It never will: why.
    Failed(String),
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
            .map_err(|error| Ec2Error::from_sdk(DESCRIBE_IMAGES, &error).of_search())?;
        // Windows has a platform; Linux has none.
        let linux = answer
            .images()
            .iter()
            .filter(|image| image.platform().is_none());
        Ok(newest_first(linux))
    }

    /// This account's images that fit all filters, the newest first.
    pub(crate) async fn own_images(
        &self,
        filters: &[(&str, &str)],
    ) -> Result<Vec<MachineImage>, Ec2Error> {
        let filters = filters
            .iter()
            .map(|(name, value)| Filter::builder().name(*name).values(*value).build());
        let answer = self
            .client
            .describe_images()
            .owners("self")
            .set_filters(Some(filters.collect()))
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(DESCRIBE_IMAGES, &error).of_search())?;
        Ok(newest_first(answer.images().iter()))
    }

    /// Begins to make an image of a stopped instance. The tags are the image's and its snapshots'.
    pub(crate) async fn create_image(
        &self,
        instance: &InstanceId,
        name: &str,
        tags: &[(String, String)],
    ) -> Result<String, Ec2Error> {
        let answer = self
            .client
            .create_image()
            .instance_id(instance.as_str())
            .name(name)
            .set_tag_specifications(tags_of_image(tags))
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(CREATE_IMAGE, &error))?;
        let id = answer.image_id().map(str::to_owned);
        id.ok_or_else(|| Ec2Error::unreadable(CREATE_IMAGE, "no image id in the answer"))
    }

    /// Whether that image might be made, and why not.
    pub(crate) async fn dry_run_create_image(
        &self,
        instance: &InstanceId,
        name: &str,
        tags: &[(String, String)],
    ) -> Result<(), Ec2Error> {
        let call = self
            .client
            .create_image()
            .instance_id(instance.as_str())
            .name(name)
            .set_tag_specifications(tags_of_image(tags))
            .dry_run(true);
        dry_run_result(CREATE_IMAGE, call.send().await)
    }

    /// Deletes an image with its snapshots.
    pub(crate) async fn deregister_image(&self, image: &str) -> Result<(), Ec2Error> {
        self.client
            .deregister_image()
            .image_id(image)
            .delete_associated_snapshots(true)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| Ec2Error::from_sdk(DEREGISTER_IMAGE, &error))
    }

    /// Whether `bake` may do all that it does beyond a launch.
    pub(crate) async fn dry_run_bake(&self, instance: &InstanceId) -> Result<(), Ec2Error> {
        let deregister = async {
            let call = self
                .client
                .deregister_image()
                .image_id(NO_IMAGE)
                .dry_run(true);
            match dry_run_result(DEREGISTER_IMAGE, call.send().await) {
                // EC2 says so only to callers that are allowed to ask.
                Err(error) if error.is_unknown_image() => Ok(()),
                answer => answer,
            }
        };
        let delete = async {
            let call = self
                .client
                .delete_snapshot()
                .snapshot_id(NO_SNAPSHOT)
                .dry_run(true);
            dry_run_result(DELETE_SNAPSHOT, call.send().await)
        };
        tokio::try_join!(
            self.dry_run_create_image(instance, "sprinters-check", &[]),
            self.dry_run_describe_images(),
            deregister,
            delete
        )
        .map(|_| ())
    }

    pub(crate) async fn dry_run_describe_images(&self) -> Result<(), Ec2Error> {
        let call = self.client.describe_images().owners("self").dry_run(true);
        dry_run_result(DESCRIBE_IMAGES, call.send().await)
    }
}

fn newest_first<'a>(images: impl Iterator<Item = &'a SdkImage>) -> Vec<MachineImage> {
    let mut images: Vec<MachineImage> = images.filter_map(MachineImage::from_sdk).collect();
    images.sort_by(|a, b| (&b.created, &b.name).cmp(&(&a.created, &a.name)));
    images
}

fn tags_of_image(tags: &[(String, String)]) -> Option<Vec<TagSpecification>> {
    let kinds = [ResourceType::Image, ResourceType::Snapshot];
    (!tags.is_empty()).then(|| specifications(tags, &kinds))
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
            state: match image.state() {
                Some(SdkState::Available) => ImageState::Available,
                Some(SdkState::Pending) | None => ImageState::Pending,
                Some(other) => {
                    let reason = image.state_reason().and_then(|reason| reason.message());
                    ImageState::Failed(reason.unwrap_or(other.as_str()).to_owned())
                }
            },
            root_gib: root.and_then(|root| u32::try_from(root.ebs()?.volume_size()?).ok()),
        })
    }
}
