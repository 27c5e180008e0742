//! Prints the user data for a boot test: the same code that `start` sends to EC2, told by JSON on standard input.

#[path = "../../src/boot/mod.rs"]
mod boot;

use std::io::{Write as _, stdin, stdout};
use std::time::Duration;

use boot::{BootSpec, Metadata, Proxy, RunnerSource, TempDisk, user_data};
use secrecy::SecretString;

/// `BootSpec` as the boot tests write it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    jit_config: String,
    home: Option<String>,
    url: String,
    sha256: String,
    user: String,
    sudo: bool,
    setup: Option<String>,
    job_started: Option<String>,
    job_completed: Option<String>,
    temp: Option<String>,
    temp_gib: Option<u32>,
    #[serde(default)]
    swap_gib: u32,
    https_proxy: Option<String>,
    http_proxy: Option<String>,
    no_proxy: Option<String>,
    certificates: Option<String>,
    start_timeout: u64,
    idle_timeout: u64,
    max_lifetime: u64,
    metadata_open: bool,
    label: String,
    name: String,
}

fn main() -> anyhow::Result<()> {
    let spec: Spec = serde_json::from_reader(stdin())?;
    let runner = match &spec.home {
        Some(home) => RunnerSource::Home(home),
        None => RunnerSource::ImageOrDownload {
            url: &spec.url,
            sha256: &spec.sha256,
        },
    };
    let metadata = if spec.metadata_open {
        Metadata::Open
    } else {
        Metadata::Closed
    };
    let user_data = user_data(&BootSpec {
        jit_config: &SecretString::from(spec.jit_config.clone()),
        runner,
        user: &spec.user,
        sudo: spec.sudo,
        setup: spec.setup.as_deref(),
        job_started: spec.job_started.as_deref(),
        job_completed: spec.job_completed.as_deref(),
        temp: temp(&spec),
        swap_gib: spec.swap_gib,
        proxy: proxy(&spec).as_ref(),
        start_timeout: Duration::from_secs(spec.start_timeout),
        idle_timeout: Duration::from_secs(spec.idle_timeout),
        max_lifetime: Duration::from_secs(spec.max_lifetime),
        metadata,
        label: &spec.label,
        name: &spec.name,
    })?;
    stdout().write_all(user_data.expose())?;
    Ok(())
}

fn temp(spec: &Spec) -> Option<TempDisk> {
    match (spec.temp.as_deref()?, spec.temp_gib) {
        ("gp3", Some(gib)) => Some(TempDisk::Volume { gib }),
        ("zram", gib) => Some(TempDisk::Zram { gib }),
        _ => Some(TempDisk::InstanceStore),
    }
}

fn proxy(spec: &Spec) -> Option<Proxy> {
    let given = [
        ("http_proxy", &spec.http_proxy),
        ("https_proxy", &spec.https_proxy),
        ("no_proxy", &spec.no_proxy),
    ];
    let variables: Vec<_> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, SecretString::from(value.clone()?))))
        .collect();
    let certificates = spec.certificates.clone();
    let is_set = !variables.is_empty() || certificates.is_some();
    is_set.then_some(Proxy {
        variables,
        certificates,
    })
}
