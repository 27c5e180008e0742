//! The boothook script with its values.

use std::borrow::Cow;
use std::fmt::Write as _;

use secrecy::ExposeSecret as _;

use super::quote::quote;
use super::{BootSpec, Metadata, Proxy, RunnerSource, TempDisk};

/// The part that is the same on every instance. It and the others come without their comments from `build.rs`.
pub(super) const BODY: &str = include_str!(concat!(env!("OUT_DIR"), "/boothook.sh"));
/// Only where `temp` or `swap` is asked for.
const STORAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/storage.sh"));
/// Only where a proxy or a certificate authority is given.
const PROXY: &str = include_str!(concat!(env!("OUT_DIR"), "/proxy.sh"));

/// The plain script: values, the body, then what is secret and does not stay on the instance.
pub(crate) fn render(spec: &BootSpec<'_>) -> String {
    let mut script = String::from(
        "#cloud-boothook\n#!/bin/sh\n\
         # Sprinters: this instance runs one GitHub Actions job and then powers off, which terminates it.\n\
         # With comments: https://github.com/sprinters/action/tree/main/src/boot\n\n",
    );
    values(&mut script, spec);
    script.push('\n');
    script.push_str(BODY);
    if needs_storage(spec) {
        script.push_str(STORAGE);
    }
    if spec.proxy.is_some() {
        script.push_str(PROXY);
    }
    script.push_str("if [ $# -gt 0 ]; then \"$@\"; exit; fi\n");
    script.push_str("\n# --- secrets: not in the copy\n");
    assign(&mut script, "jit", spec.jit_config.expose_secret());
    for (name, text) in [
        ("setup", spec.setup),
        ("hook_started", spec.job_started),
        ("hook_completed", spec.job_completed),
    ] {
        assign(&mut script, name, &unix_lines(text.unwrap_or_default()));
    }
    if let Some(proxy) = spec.proxy {
        assign(&mut script, "proxy", &environment_file(proxy));
        let certificates = proxy.certificates.as_deref().unwrap_or_default();
        assign(&mut script, "ca", certificates);
    }
    script.push_str("boot\n");
    script
}

fn values(script: &mut String, spec: &BootSpec<'_>) {
    let (home, url, sha256) = match spec.runner {
        RunnerSource::Home(home) => (home, "", String::new()),
        RunnerSource::ImageOrDownload { url, sha256 } => ("", url, sha256.to_ascii_lowercase()),
    };
    let (temp, gib) = match spec.temp {
        None => ("", None),
        Some(TempDisk::Volume { gib }) => ("gp3", Some(gib)),
        Some(TempDisk::InstanceStore) => ("ephemeral", None),
        Some(TempDisk::Zram { gib }) => ("zram", gib),
    };
    let metadata = match spec.metadata {
        Metadata::Closed => "closed",
        Metadata::Open => "open",
    };
    for (name, value) in [
        ("name", spec.name),
        ("label", spec.label),
        ("user", spec.user),
        ("home", home),
        ("url", url),
        ("sha256", &sha256),
        ("metadata", metadata),
        ("no_sudo", if spec.sudo { "no" } else { "yes" }),
        ("temp", temp),
        ("swap", &spec.swap_gib.to_string()),
        (
            "proxy_is_set",
            if spec.proxy.is_some() { "yes" } else { "" },
        ),
        ("start_timeout", &spec.start_timeout.as_secs().to_string()),
        ("idle_timeout", &spec.idle_timeout.as_secs().to_string()),
        ("max_lifetime", &spec.max_lifetime.as_secs().to_string()),
    ] {
        assign(script, name, value);
    }
    if needs_storage(spec) {
        let gib = gib.map_or_else(String::new, |gib| gib.to_string());
        assign(script, "temp_gib", &gib);
    }
}

/// A script that was written on Windows, or into a form of a web page, as a shell takes it. What ends its first line in Unix's
/// way keeps every byte.
fn unix_lines(script: &str) -> Cow<'_, str> {
    match script.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => Cow::Owned(script.replace("\r\n", "\n")),
        _ => Cow::Borrowed(script),
    }
}

fn needs_storage(spec: &BootSpec<'_>) -> bool {
    spec.temp.is_some() || spec.swap_gib > 0
}

/// What stays on the instance, whatever proxy there is: its own services, and above all the metadata service.
const NEVER_BY_PROXY: &str = "localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254";

/// As systemd reads `EnvironmentFile=`: in double quotes, where only these four are special.
/// <https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=>
fn environment_file(proxy: &Proxy) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| {
        let mut quoted = String::new();
        for character in value.chars().filter(|c| !c.is_control()) {
            if matches!(character, '"' | '\\' | '`' | '$') {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name}=\"{quoted}\"");
    };
    let mut past = String::from(NEVER_BY_PROXY);
    for (name, value) in &proxy.variables {
        let value = value.expose_secret();
        if name.eq_ignore_ascii_case("no_proxy") {
            past = format!("{value},{past}");
        } else {
            // Programs differ in which of the two they read.
            line(&name.to_ascii_lowercase(), value);
            line(&name.to_ascii_uppercase(), value);
        }
    }
    if !proxy.variables.is_empty() {
        line("no_proxy", &past);
        line("NO_PROXY", &past);
    }
    if proxy.certificates.is_some() {
        line("NODE_EXTRA_CA_CERTS", "/run/sprinters/ca.pem");
    }
    lines
}

fn assign(script: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(script, "{name}={}", quote(value));
}
