//! What the instance does with itself: the user data that `RunInstances` carries.
//!
//! [`render`] fills in the boothook script beside this file, [`user_data`] packs it for EC2. The script and its comments are
//! the documentation of what happens on the instance.

pub(crate) mod quote;
mod render;
mod user_data;

use std::time::Duration;

use secrecy::SecretString;

pub(crate) use render::render;
pub(crate) use user_data::{UserData, UserDataError};

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

/// The user data for `RunInstances`. The same specification gives the same bytes.
pub(crate) fn user_data(spec: &BootSpec<'_>) -> Result<UserData, UserDataError> {
    let given = [
        ("setup", spec.setup),
        ("job-started", spec.job_started),
        ("job-completed", spec.job_completed),
    ];
    UserData::pack(&render(spec), &given)
}

#[cfg(test)]
mod tests;
