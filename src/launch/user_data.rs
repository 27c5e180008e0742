//! The user data of a launch: the specification, put into the boot script's words.

use secrecy::{ExposeSecret, SecretString};

use crate::boot::{
    self, BootSpec, Metadata, Proxy, RunnerSource, TempDisk, UserData, UserDataError,
};
use crate::launch::spec::StartSpec;
use crate::values::base36::letters;
use crate::values::temp::{Temp, TempVolume};

/// The script for one runner, as it goes to EC2.
pub(crate) fn render(
    spec: &StartSpec,
    runner: RunnerSource<'_>,
    jit_config: &SecretString,
    label: &str,
    name: &str,
) -> Result<UserData, UserDataError> {
    let proxy = spec.proxy.as_ref().map(|given| Proxy {
        variables: given.variables.clone(),
        certificates: given.certificates.clone(),
    });
    boot::user_data(&BootSpec {
        jit_config,
        runner,
        user: &spec.runner_user,
        sudo: spec.sudo,
        setup: spec.setup.as_deref(),
        job_started: spec.job_started.as_deref(),
        job_completed: spec.job_completed.as_deref(),
        temp: spec.temp.map(temp_disk),
        swap_gib: spec.swap.gib,
        proxy: proxy.as_ref(),
        start_timeout: spec.start_timeout.as_duration(),
        idle_timeout: spec.idle_timeout.as_duration(),
        max_lifetime: spec.max_lifetime.as_duration(),
        // Whoever passes a profile wants its credentials, and they come from there.
        metadata: if spec.instance_profile.is_some() {
            Metadata::Open
        } else {
            Metadata::Closed
        },
        label,
        name,
    })
}

fn temp_disk(temp: Temp) -> TempDisk {
    match temp {
        Temp::Gp3(TempVolume { gib, .. }) => TempDisk::Volume { gib },
        Temp::Ephemeral => TempDisk::InstanceStore,
        Temp::Zram { gib } => TempDisk::Zram { gib },
    }
}

/// So many bytes of the user's own fit in any case: to compress them before anybody is asked would only take time.
const ALWAYS_FITS: usize = 4_096;

/// Whether the user data will fit, whatever GitHub puts into the JIT config: found before anyone is called.
pub(crate) fn fits(spec: &StartSpec) -> Result<(), UserDataError> {
    if is_small(spec) { Ok(()) } else { packs(spec) }
}

/// Whether scripts and proxy are so short that no compression is needed to know, and nothing in them is refused.
fn is_small(spec: &StartSpec) -> bool {
    let scripts = [&spec.setup, &spec.job_started, &spec.job_completed];
    let scripts = scripts.into_iter().flatten();
    let (mut bytes, mut has_nul) = (0, false);
    for script in scripts {
        bytes += script.len();
        has_nul |= script.contains('\0');
    }
    if let Some(proxy) = &spec.proxy {
        let variables = proxy.variables.iter();
        // Each is written in lower and upper case.
        bytes += 2 * variables
            .map(|(_, value)| value.expose_secret().len())
            .sum::<usize>();
        bytes += proxy.certificates.as_ref().map_or(0, String::len);
    }
    bytes <= ALWAYS_FITS && !has_nul
}

fn packs(spec: &StartSpec) -> Result<(), UserDataError> {
    /// GitHub's have about 4,000 characters; random ones stand for the keys in them, which do not compress.
    const JIT_CONFIG: usize = 5_000;
    let (url, sha256, name) = (letters(200), letters(64), letters(64));
    let runner = RunnerSource::ImageOrDownload {
        url: &url,
        sha256: &sha256,
    };
    render(spec, runner, &letters(JIT_CONFIG).into(), &name, &name).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{Inputs, Problems};
    use crate::launch::instance_proxy::InstanceProxy;
    use crate::values::per_region::regions;

    fn spec(setup: String) -> StartSpec {
        let flags = [
            ("instance-type", "m7i.xlarge".to_owned()),
            ("temp", "zram".to_owned()),
            ("swap", "8".to_owned()),
            ("setup", setup),
        ];
        let (_, inputs) = Inputs::gather(flags.into(), None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        StartSpec::parse(
            &inputs,
            regions("eu-central-1").ok().as_ref(),
            &mut problems,
        )
        .unwrap_or_else(|| unreachable!("{:?}", problems.into_errors()))
    }

    #[test]
    fn what_is_small_fits_without_being_packed() {
        let largest = spec(letters(ALWAYS_FITS));
        assert!(is_small(&largest));
        assert!(packs(&largest).is_ok());
        let larger = spec(letters(ALWAYS_FITS + 1));
        assert!(!is_small(&larger));
        assert!(!is_small(&spec("\0".to_owned())), "it is refused");
        assert!(fits(&spec(letters(40_000))).is_err());
    }

    #[test]
    fn a_proxy_counts_twice_and_its_certificates_once() {
        let with = |value: usize, certificates: usize| {
            let mut spec = spec("echo".to_owned());
            spec.proxy = Some(InstanceProxy {
                variables: vec![("https_proxy", letters(value).into())],
                certificates: Some(letters(certificates)),
            });
            is_small(&spec)
        };
        assert!(with(2_000, 92) && !with(2_000, 93));
        assert!(with(2_046, 0) && !with(2_047, 0));
    }
}
