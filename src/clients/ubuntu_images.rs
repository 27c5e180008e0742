//! Canonical's public index of Ubuntu images: resolving a name needs no AWS permission.
//! <https://cloud-images.ubuntu.com/query/noble/server/released.current.txt>

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use tokio::sync::OnceCell;

use crate::error::Failure;
use crate::http::extra_roots;
use crate::http::{GetError, get_text};
use crate::retry::{self, Deadline};
use crate::values::image::{Ubuntu, is_resource_id};
use crate::values::instance_type::Architecture;
use crate::values::region::Region;

/// Where the index is, unless `SPRINTERS_IMAGE_INDEX_URL` names a mirror.
const DEFAULT_URL: &str = "https://cloud-images.ubuntu.com";
/// Canonical publishes every few weeks, and what it published before stays for months.
const LIFETIME: Duration = Duration::from_hours(24);

const READ: &str = "read the image index";
/// There is a way round the index, so it is not worth waiting for long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The index, and where its answers are kept.
#[derive(Clone, Debug)]
pub(crate) struct ImageIndex {
    base: String,
    /// In the runner's tool directory, which outlives the job on a self-hosted runner. Whoever may write there may replace
    /// the action itself, so that nothing new has to be trusted.
    cache: Option<PathBuf>,
    /// One fetch serves all processors of a start.
    text: OnceCell<String>,
}

impl ImageIndex {
    pub(crate) fn new(environment: impl Fn(&str) -> Option<String>) -> Self {
        let base = environment("SPRINTERS_IMAGE_INDEX_URL");
        Self {
            cache: environment("RUNNER_TOOL_CACHE")
                .map(|tools| Path::new(&tools).join("sprinters").join("images")),
            base: base.unwrap_or_else(|| DEFAULT_URL.to_owned()),
            text: OnceCell::new(),
        }
    }

    /// The image of a release for a region and processor.
    pub(crate) async fn resolve(
        &self,
        connector: &SharedHttpConnector,
        release: Ubuntu,
        architecture: Architecture,
        region: &Region,
        deadline: Deadline,
    ) -> Result<String, Failure> {
        let name = format!("{}-{architecture}-{region}", release.codename());
        let file = self.cache.as_ref().map(|folder| folder.join(name));
        if let Some(image) = file.as_deref().and_then(kept) {
            return Ok(image);
        }
        let url = format!(
            "{}/query/{}/server/released.current.txt",
            self.base.trim_end_matches('/'),
            release.codename()
        );
        let text = self
            .text
            .get_or_try_init(|| fetch(connector, &url, deadline))
            .await
            .map_err(|error| {
                let help = extra_roots::remedy(&error).unwrap_or(WAY_OUT);
                Failure::new(
                    format!("could not read the image index `{url}`: {error}"),
                    help,
                )
            })?;
        let image = pick(text, architecture, region).ok_or_else(|| {
            Failure::new(
                format!("the image index `{url}` has no {architecture} image for `{region}`"),
                WAY_OUT,
            )
        })?;
        if let Some(file) = file {
            keep(&file, &image);
        }
        Ok(image)
    }
}

const WAY_OUT: &str = "name the image itself: `image: ami-…`";

async fn fetch(
    connector: &SharedHttpConnector,
    url: &str,
    deadline: Deadline,
) -> Result<String, String> {
    let uri = url.parse().map_err(|_| "this is no URL".to_owned())?;
    let read = || async {
        let text = get_text(connector, &uri).await?;
        // Whatever a proxy says with status 200 is no index.
        if text.lines().any(|line| columns(line).is_some()) {
            Ok(text)
        } else {
            Err(GetError::NoIndex)
        }
    };
    retry::until(READ, deadline.within(PATIENCE), read)
        .await
        .map_err(|error| error.to_string())
}

/// What was resolved not long ago.
fn kept(file: &Path) -> Option<String> {
    let written = file.metadata().ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).ok()?;
    let image = std::fs::read_to_string(file).ok()?;
    (age < LIFETIME && is_resource_id(&image, "ami-")).then_some(image)
}

/// Whole or not at all, for several jobs may start at once. That it cannot be kept costs a fetch next time, and nothing else.
fn keep(file: &Path, image: &str) {
    let fresh = file.with_extension(format!("{:x}", fastrand::u64(..)));
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let _ = folder
        .and_then(|()| std::fs::write(&fresh, image))
        .and_then(|()| std::fs::rename(&fresh, file));
}

/// The newest image of that region and processor, from the gp3 store where there is one. The other stores (instance
/// store, provisioned IOPS) cost more or do not boot everywhere.
///
/// Columns: suite, purpose, release type, serial, root store, architecture, region, AMI, kernel, (unused), virtualization.
fn pick(index: &str, architecture: Architecture, region: &Region) -> Option<String> {
    index
        .lines()
        .filter_map(|line| {
            let [serial, store, arch, place, ami] = columns(line)?;
            let fits = arch == architecture.debian()
                && place == region.as_str()
                && ami.starts_with("ami-");
            let rank = ["ebs-ssd", "ebs-ssd-gp3"]
                .iter()
                .position(|known| *known == store);
            fits.then_some((serial, rank?, ami))
        })
        .max()
        .map(|(_, _, ami)| ami.to_owned())
}

#[cfg(test)]
pub(crate) fn fuzzed(index: &str) {
    if let Ok(region) = "eu-central-1".parse() {
        let _ = pick(index, Architecture::X64, &region);
    }
}

/// Serial, root store, architecture, region and AMI of a released server image for full virtualization.
fn columns(line: &str) -> Option<[&str; 5]> {
    let columns: Vec<&str> = line.split('\t').collect();
    match columns[..] {
        [
            _,
            "server",
            "release",
            serial,
            store,
            architecture,
            region,
            ami,
            _,
            _,
            "hvm",
            ..,
        ] => Some([serial, store, architecture, region, ami]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
noble\tserver\trelease\t20260210\tebs-ssd\tamd64\teu-central-1\tami-old\t\t\thvm
noble\tserver\trelease\t20260310\tebs-ssd\tamd64\teu-central-1\tami-gp2\t\t\thvm
noble\tserver\trelease\t20260310\tebs-ssd-gp3\tamd64\teu-central-1\tami-gp3\t\t\thvm
noble\tserver\trelease\t20260310\tebs-io1\tamd64\teu-central-1\tami-io1\t\t\thvm
noble\tserver\trelease\t20260310\tinstance-store\tamd64\teu-central-1\tami-store\t\t\thvm
noble\tserver\trelease\t20260310\tebs-ssd-gp3\tarm64\teu-central-1\tami-arm\t\t\thvm
noble\tserver\trelease\t20260310\tebs-ssd-gp3\tamd64\tus-east-1\tami-us\t\t\thvm
noble\tserver\tdaily\t20260401\tebs-ssd-gp3\tamd64\teu-central-1\tami-daily\t\t\thvm
broken line
";

    #[test]
    fn newest_on_gp3() {
        let pick = |architecture, region: &str| {
            region
                .parse()
                .ok()
                .and_then(|region| pick(INDEX, architecture, &region))
        };
        assert_eq!(
            pick(Architecture::X64, "eu-central-1").as_deref(),
            Some("ami-gp3")
        );
        assert_eq!(
            pick(Architecture::Arm64, "eu-central-1").as_deref(),
            Some("ami-arm")
        );
        assert_eq!(pick(Architecture::Arm64, "us-east-1"), None);
    }
}
