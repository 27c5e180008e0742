//! User data as `RunInstances` carries it: a script, compressed, within EC2's limit, and shown to nobody.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use secrecy::{ExposeSecret as _, SecretSlice};

/// The most that EC2 takes as user data, in bytes before base64.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>
const LIMIT: usize = 16_384;

/// The user data of one launch. It may hold a runner's JIT config and a proxy's password, so that its `Debug` shows neither.
#[derive(Debug)]
pub(crate) struct UserData(SecretSlice<u8>);

/// Why a script makes no user data.
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

impl UserData {
    /// Compresses the script with gzip, which cloud-init unpacks by itself, without a time stamp: the same script gives the
    /// same bytes. `given` are the user's own scripts in it, by the names of their inputs.
    pub(crate) fn pack(
        script: &str,
        given: &[(&'static str, Option<&str>)],
    ) -> Result<Self, UserDataError> {
        let has_nul = |(_, script): &&(_, Option<&str>)| script.is_some_and(|s| s.contains('\0'));
        if let Some((input, _)) = given.iter().find(has_nul) {
            return Err(UserDataError::Nul(input));
        }
        let packed = gzip(script);
        if packed.len() > LIMIT {
            let scripts = given.iter().filter_map(|(_, script)| *script);
            return Err(UserDataError::TooLarge {
                packed: packed.len(),
                scripts: scripts.map(str::len).sum(),
            });
        }
        Ok(Self(packed.into()))
    }

    /// The bytes for EC2, not yet encoded.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// A script that does nothing, for a launch that is only asked about.
impl Default for UserData {
    fn default() -> Self {
        Self(b"#!/bin/sh\n".to_vec().into())
    }
}

fn gzip(script: &str) -> Vec<u8> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
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
mod tests {
    use super::*;

    #[test]
    fn what_it_holds_is_not_shown() {
        let shown = format!("{:?}", UserData::pack("jit=secret", &[]));
        assert_eq!(shown, "Ok(UserData(SecretBox<[u8]>([REDACTED])))");
    }
}
