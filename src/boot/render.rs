//! The boothook script with its values.

use std::fmt::Write as _;

use secrecy::ExposeSecret as _;

use super::quote::quote;
use super::{BootSpec, Metadata, RunnerSource};

/// The part that is the same on every instance.
const BODY: &str = include_str!("boothook.sh");

/// The plain script: values, the body, then what is secret and does not stay on the instance.
pub(crate) fn render(spec: &BootSpec<'_>) -> String {
    let (home, url, sha256) = match spec.runner {
        RunnerSource::Home(home) => (home, "", String::new()),
        RunnerSource::ImageOrDownload { url, sha256 } => ("", url, sha256.to_ascii_lowercase()),
    };
    let metadata = match spec.metadata {
        Metadata::Closed => "closed",
        Metadata::Open => "open",
    };
    let mut script = String::from(
        "#cloud-boothook\n#!/bin/sh\n\
         # Sprinters: this instance runs one GitHub Actions job and then powers off, which terminates it.\n\n",
    );
    for (name, value) in [
        ("name", spec.name),
        ("label", spec.label),
        ("user", spec.user),
        ("home", home),
        ("url", url),
        ("sha256", &sha256),
        ("metadata", metadata),
        ("start_timeout", &spec.start_timeout.as_secs().to_string()),
        ("idle_timeout", &spec.idle_timeout.as_secs().to_string()),
        ("max_lifetime", &spec.max_lifetime.as_secs().to_string()),
    ] {
        assign(&mut script, name, value);
    }
    script.push('\n');
    script.push_str(BODY);
    script.push_str("\n# --- secrets: not in the copy\n");
    assign(&mut script, "jit", spec.jit_config.expose_secret());
    assign(&mut script, "setup", spec.setup.unwrap_or_default());
    script.push_str("boot\n");
    script
}

fn assign(script: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(script, "{name}={}", quote(value));
}
