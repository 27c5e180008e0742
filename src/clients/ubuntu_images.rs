//! Canonical's public index of Ubuntu images: resolving a name needs no AWS permission.
//! It has a file for each release and purpose; minimal images have files of their own.
//! <https://cloud-images.ubuntu.com/query/noble/server/released.current.txt>

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::Failure;
use crate::http::extra_roots;
use crate::http::{GetError, get_text};
use crate::platform::files;
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
    files: Arc<Files>,
}

/// The index's files that were fetched, by their addresses. One fetch serves all processors and regions of a start, and in a
/// listener all launches, for a while. A file of minimal images is empty where the index does not have them.
#[derive(Debug, Default)]
struct Files(Mutex<HashMap<String, (Instant, IndexText)>>);

/// What a file holds, once it is fetched.
type IndexText = Arc<OnceCell<String>>;

impl Files {
    /// The file's text, or where to put it.
    fn of(&self, url: &str, now: Instant) -> IndexText {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, (since, _)| now.duration_since(*since) < LIFETIME);
        let (_, text) = files
            .entry(url.to_owned())
            .or_insert_with(|| (now, Arc::default()));
        text.clone()
    }
}

/// What kind of image Canonical publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Server,
    Minimal,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Minimal => "minimal",
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub ami: String,
    /// Where it is not quite what was asked for.
    pub note: Option<String>,
}

impl ImageIndex {
    pub(crate) fn new(environment: impl Fn(&str) -> Option<String>) -> Self {
        let base = environment("SPRINTERS_IMAGE_INDEX_URL");
        Self {
            cache: environment("RUNNER_TOOL_CACHE")
                .map(|tools| Path::new(&tools).join("sprinters").join("images")),
            base: base.unwrap_or_else(|| DEFAULT_URL.to_owned()),
            files: Arc::default(),
        }
    }

    /// The image of a release for a region and processor. Where the index has no minimal one, the server image is taken.
    pub(crate) async fn resolve(
        &self,
        connector: &SharedHttpConnector,
        wanted: UbuntuImage,
        region: &Region,
        deadline: Deadline,
    ) -> Result<Resolved, Failure> {
        let found = |ami, note| Resolved { ami, note };
        if wanted.is_minimal {
            let minimal = self
                .of(connector, wanted, Purpose::Minimal, region, deadline)
                .await?;
            if let Some(ami) = minimal {
                return Ok(found(ami, None));
            }
        }
        let server = self
            .of(connector, wanted, Purpose::Server, region, deadline)
            .await?;
        let UbuntuImage {
            release,
            architecture,
            is_minimal,
        } = wanted;
        let ami = server.ok_or_else(|| {
            let url = self.url(release, Purpose::Server);
            Failure::new(
                format!("the image index `{url}` has no {architecture} image for `{region}`"),
                WAY_OUT,
            )
        })?;
        let note = is_minimal.then(|| {
            let version = release.version();
            format!(
                "Canonical's server image: its index has no minimal {architecture} image of {version} in `{region}`"
            )
        });
        Ok(found(ami, note))
    }

    /// The image of one purpose, kept from an earlier start or fetched.
    async fn of(
        &self,
        connector: &SharedHttpConnector,
        wanted: UbuntuImage,
        purpose: Purpose,
        region: &Region,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let codename = wanted.release.codename();
        let variant = match purpose {
            Purpose::Server => "",
            Purpose::Minimal => "-minimal",
        };
        let name = format!("{codename}{variant}-{}-{region}", wanted.architecture);
        let file = self.cache.as_ref().map(|folder| folder.join(name));
        if let Some(image) = file.as_deref().and_then(kept) {
            return Ok(Some(image));
        }
        let url = self.url(wanted.release, purpose);
        let text = self.files.of(&url, Instant::now());
        let fetched = text.get_or_try_init(|| fetch(connector, &url, purpose, deadline));
        let text = fetched.await.map_err(|error| {
            let help = extra_roots::remedy(&format!("{error:#}")).unwrap_or(WAY_OUT);
            Failure::local(&error, help)
        })?;
        let image = pick(text, wanted.architecture, region);
        if let (Some(file), Some(image)) = (file, &image) {
            keep(&file, image);
        }
        Ok(image)
    }

    fn url(&self, release: Ubuntu, purpose: Purpose) -> String {
        format!(
            "{}/query/{}/{}/released.current.txt",
            self.base.trim_end_matches('/'),
            release.codename(),
            purpose.as_str()
        )
    }
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UbuntuImage {
    pub release: Ubuntu,
    pub architecture: Architecture,
    pub is_minimal: bool,
}

const WAY_OUT: &str = "name the image itself: `image: ami-…`";

async fn fetch(
    connector: &SharedHttpConnector,
    url: &str,
    purpose: Purpose,
    deadline: Deadline,
) -> anyhow::Result<String> {
    let could_not = || format!("could not read the image index `{url}`");
    let uri = url
        .parse()
        .map_err(|_| anyhow!("not a valid URL"))
        .with_context(could_not)?;
    let read = || async {
        let text = match get_text(connector, &uri).await {
            // Not every release has minimal images.
            Err(GetError::Status(404, _)) if purpose == Purpose::Minimal => {
                return Ok(String::new());
            }
            answer => answer?,
        };
        // Whatever a proxy says with status 200 is not an index.
        if text.lines().any(|line| columns(line).is_some()) {
            Ok(text)
        } else {
            Err(GetError::NoIndex)
        }
    };
    retry::until(READ, deadline.within(PATIENCE), read)
        .await
        .with_context(could_not)
}

/// What was resolved not long ago.
fn kept(file: &Path) -> Option<String> {
    let written = file.metadata().ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).ok()?;
    let image = files::read(file).ok()?;
    (age < LIFETIME && is_resource_id(&image, "ami-")).then_some(image)
}

/// Whole or not at all, for several jobs may start at once. That it cannot be kept costs a fetch next time, and nothing else.
fn keep(file: &Path, image: &str) {
    let fresh = file.with_extension(format!("{:x}", fastrand::u64(..)));
    let _ = files::create_new(&fresh, image).and_then(|()| std::fs::rename(&fresh, file));
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

/// Serial, root store, architecture, region and AMI of a released image for full virtualization.
fn columns(line: &str) -> Option<[&str; 5]> {
    let columns: Vec<&str> = line.split('\t').collect();
    match columns[..] {
        [
            _,
            "server" | "minimal",
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
    fn each_file_is_fetched_once_a_day() {
        let files = Files::default();
        let now = Instant::now();
        let (noble, resolute) = (files.of("noble", now), files.of("resolute", now));
        assert!(noble.set("of noble".to_owned()).is_ok());
        assert!(!resolute.initialized(), "another release has other images");
        assert_eq!(
            files.of("noble", now).get().map(String::as_str),
            Some("of noble")
        );
        let tomorrow = files.of("noble", now + LIFETIME);
        assert!(!tomorrow.initialized(), "a listener lives longer");
    }

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
