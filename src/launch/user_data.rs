//! The user data of a launch: the specification, put into the boot script's words.

use secrecy::SecretString;

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

/// Whether the user data will fit, whatever GitHub puts into the JIT config: found before anyone is called.
pub(crate) fn fits(spec: &StartSpec) -> Result<(), UserDataError> {
    /// GitHub's have about 4,000 characters; random ones stand for the keys in them, which do not compress.
    const JIT_CONFIG: usize = 5_000;
    let (url, sha256, name) = (letters(200), letters(64), letters(64));
    let runner = RunnerSource::ImageOrDownload {
        url: &url,
        sha256: &sha256,
    };
    render(spec, runner, &letters(JIT_CONFIG).into(), &name, &name).map(|_| ())
}
