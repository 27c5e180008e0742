//! Prints the user data for a boot test: the same code that `start` sends to EC2, told by JSON on standard input.

#[path = "../../src/boot/mod.rs"]
mod boot;

use std::io::{Write as _, stdin, stdout};
use std::time::Duration;

use boot::{BootSpec, Metadata, RunnerSource, user_data};
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
    setup: Option<String>,
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
        setup: spec.setup.as_deref(),
        start_timeout: Duration::from_secs(spec.start_timeout),
        idle_timeout: Duration::from_secs(spec.idle_timeout),
        max_lifetime: Duration::from_secs(spec.max_lifetime),
        metadata,
        label: &spec.label,
        name: &spec.name,
    })?;
    stdout().write_all(&user_data)?;
    Ok(())
}
