//! What the instance does with itself: the user data that `RunInstances` carries.
//!
//! [`render`] fills in the boothook script beside this file, [`user_data`] packs it for EC2. The script and its comments are
//! the documentation of what happens on the instance.

pub(crate) mod quote;
mod render;

use std::io::Write as _;
use std::time::Duration;

use flate2::{Compression, GzBuilder};
use secrecy::SecretString;

pub(crate) use render::render;

/// The most that EC2 takes as user data, in bytes before base64.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>
pub(crate) const LIMIT: usize = 16_384;

/// What one instance is to run, and when it is to give up.
#[derive(Debug)]
pub(crate) struct BootSpec<'a> {
    /// The just-in-time configuration as GitHub gave it: base64, good for one runner and one job.
    pub jit_config: &'a SecretString,
    /// Where the runner program comes from.
    pub runner: RunnerSource<'a>,
    /// The account that runs the job, created where the image lacks it. Never root.
    pub user: &'a str,
    /// Whether that account has sudo and Docker.
    pub sudo: bool,
    /// A script that root runs before the runner starts.
    pub setup: Option<&'a str>,
    /// What the job's account runs before the job's first step.
    pub job_started: Option<&'a str>,
    /// What the job's account runs after the job's last step.
    pub job_completed: Option<&'a str>,
    /// Where the job's data goes; `None` leaves it on the root volume.
    pub temp: Option<TempDisk>,
    /// Swap space in GiB.
    pub swap_gib: u32,
    /// How the instance reaches the network, where not directly.
    pub proxy: Option<&'a Proxy>,
    /// How long the runner may take to come online, setup and download included. Whole seconds.
    pub start_timeout: Duration,
    /// How long the runner may be online without a job. Whole seconds.
    pub idle_timeout: Duration,
    /// How long the instance may live at all. Whole seconds.
    pub max_lifetime: Duration,
    /// Whether the job may ask the instance metadata service.
    pub metadata: Metadata,
    /// The label that the job asks for. For the log only.
    pub label: &'a str,
    /// The runner's name. For the log only.
    pub name: &'a str,
}

/// Where the runner program comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RunnerSource<'a> {
    /// The image has it in this folder; nothing is downloaded.
    Home(&'a str),
    /// The image may have it at a usual place; else it is downloaded and run only if its SHA-256 is right.
    ImageOrDownload {
        /// `download_url` of GitHub's list of runner downloads.
        url: &'a str,
        /// `sha256_checksum` of the same entry, in hexadecimal.
        sha256: &'a str,
    },
}

/// The disk for the runner's work folder, Docker's data and `/tmp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TempDisk {
    /// The blank EBS volume of that size, which the launch attached.
    Volume { gib: u32 },
    /// The `NVMe` disks of the instance's host.
    InstanceStore,
    /// Compressed memory; `None` is twice the memory.
    Zram { gib: Option<u32> },
}

/// The way to the network, for the runner, its download, the job and Docker.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    /// `http_proxy`, `https_proxy` and `no_proxy` with their values, which may hold a password.
    pub variables: Vec<(&'static str, SecretString)>,
    /// Certificates to trust beside the image's own, in PEM.
    pub certificates: Option<String>,
}

/// Whether the job may ask the instance metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// It may not: the default.
    Closed,
    /// It may, because it was given an instance profile, whose credentials come from there.
    Open,
}

/// Why a specification makes no user data.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum UserDataError {
    /// EC2 would refuse it.
    #[error(
        "the user data is too large: {packed} bytes compressed, and EC2 takes {LIMIT}; `setup`, `job-started` and `job-completed` \
         are {scripts} bytes of it before compression: shorten them, for example by letting them fetch their larger part"
    )]
    TooLarge {
        /// Its size as sent, in bytes.
        packed: usize,
        /// The size of the user's scripts, in bytes.
        scripts: usize,
    },
    /// The shell would drop it silently.
    #[error("`{0}` contains a NUL character, which no shell script can hold: remove it")]
    Nul(&'static str),
}

/// The user data for `RunInstances`, before base64: the script, compressed. The same specification gives the same bytes.
pub(crate) fn user_data(spec: &BootSpec<'_>) -> Result<Vec<u8>, UserDataError> {
    let scripts = [
        ("setup", spec.setup),
        ("job-started", spec.job_started),
        ("job-completed", spec.job_completed),
    ];
    let has_nul = |(_, script): &&(_, Option<&str>)| script.is_some_and(|s| s.contains('\0'));
    if let Some((input, _)) = scripts.iter().find(has_nul) {
        return Err(UserDataError::Nul(input));
    }
    let packed = pack(&render(spec));
    if packed.len() > LIMIT {
        return Err(UserDataError::TooLarge {
            packed: packed.len(),
            scripts: scripts
                .iter()
                .filter_map(|(_, script)| *script)
                .map(str::len)
                .sum(),
        });
    }
    Ok(packed)
}

/// Compresses with gzip, which cloud-init unpacks by itself, without a time stamp.
pub(crate) fn pack(script: &str) -> Vec<u8> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    // Writing to memory cannot fail; were it to, the packed script would be empty and cloud-init would run nothing, so
    // fall back to the script itself, which cloud-init takes as well.
    match gzip
        .write_all(script.as_bytes())
        .and_then(|()| gzip.finish())
    {
        Ok(packed) => packed,
        Err(_) => script.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests;
