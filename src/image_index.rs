//! Canonical's public index of Ubuntu images: resolving a name needs no AWS permission.
//! <https://cloud-images.ubuntu.com/query/noble/server/released.current.txt>

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use crate::failure::Failure;
use crate::http_edge::{self, GetError};
use crate::retry::{self, Deadline};
use crate::spec::image::Ubuntu;
use crate::spec::instance_type::Architecture;
use crate::spec::region::Region;

/// Where the index is, unless `SPRINTERS_IMAGE_INDEX_URL` names a mirror.
pub(crate) const DEFAULT_URL: &str = "https://cloud-images.ubuntu.com";

const READ: &str = "read the image index";
/// There is a way round the index, so it is not worth waiting for long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fetches the index of a release and picks the image for a region and processor.
pub(crate) async fn resolve(
    connector: &SharedHttpConnector,
    base: &str,
    release: Ubuntu,
    architecture: Architecture,
    region: &Region,
    deadline: Deadline,
) -> Result<String, Failure> {
    let url = format!(
        "{}/query/{}/server/released.current.txt",
        base.trim_end_matches('/'),
        release.codename()
    );
    let way_out = "name the image itself: `image: ami-…`";
    let failure = |why: &str| {
        Failure::new(
            format!("could not read the image index `{url}`: {why}"),
            way_out,
        )
    };
    let uri = url.parse().map_err(|_| failure("this is no URL"))?;
    let read = || async {
        let text = http_edge::get_text(connector, &uri).await?;
        // Whatever a proxy says with status 200 is no index.
        if text.lines().any(|line| columns(line).is_some()) {
            Ok(text)
        } else {
            Err(GetError::NoIndex)
        }
    };
    let text = retry::until(READ, deadline.within(PATIENCE), read)
        .await
        .map_err(|error| failure(&error.to_string()))?;
    pick(&text, architecture, region).ok_or_else(|| {
        Failure::new(
            format!("the image index `{url}` has no {architecture} image for `{region}`"),
            way_out,
        )
    })
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
