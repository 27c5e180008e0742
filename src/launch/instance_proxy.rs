//! The step's way to the network, for the instance: it most often stands in the same network.

use anyhow::{Context, ensure};
use secrecy::SecretString;

/// What every program reads, in lower and upper case.
const VARIABLES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
/// Names a file with certificates to trust beside the usual ones.
const CERTIFICATES: &str = "NODE_EXTRA_CA_CERTS";
/// What fits into user data beside all else.
const MOST_CERTIFICATES: usize = 8_192;

/// Proxies, and certificates to trust.
#[derive(Debug, Default)]
pub(crate) struct InstanceProxy {
    /// In lower case, with their values, which may hold a password.
    pub variables: Vec<(&'static str, SecretString)>,
    /// In PEM.
    pub certificates: Option<String>,
}

impl InstanceProxy {
    /// From the step's own environment; `None` where it has nothing of the kind. What cannot be handed over is reported as a note.
    pub(crate) fn of(
        environment: impl Fn(&str) -> Option<String>,
        read: impl Fn(&str) -> std::io::Result<String>,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let mut given = Self::default();
        for name in VARIABLES {
            let value = environment(name).or_else(|| environment(&name.to_ascii_uppercase()));
            let Some(value) = value else { continue };
            if name != "no_proxy" && is_on_this_machine(&value) {
                notes.push(format!(
                    "`{name}` points to this machine itself, so the instance does not get it"
                ));
            } else {
                given.variables.push((name, value.into()));
            }
        }
        // Without a proxy there is nothing to except from it.
        if given.variables.iter().all(|(name, _)| *name == "no_proxy") {
            given.variables.clear();
        }
        given.certificates = environment(CERTIFICATES).and_then(|path| {
            certificates(&path, read)
                .map_err(|why| {
                    notes.push(format!(
                        "`{CERTIFICATES}` is not handed to the instance: {why:#}"
                    ));
                })
                .ok()
        });
        let is_empty = given.variables.is_empty() && given.certificates.is_none();
        (!is_empty).then_some(given)
    }
}

/// A proxy on the loopback interface is of no use to anybody else.
fn is_on_this_machine(proxy: &str) -> bool {
    let rest = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]")
}

/// The certificates of a file, without what people write between them.
fn certificates(
    path: &str,
    read: impl Fn(&str) -> std::io::Result<String>,
) -> anyhow::Result<String> {
    let text = read(path).with_context(|| format!("`{path}` cannot be read"))?;
    let mut is_inside = false;
    let mut kept = String::new();
    for line in text.lines().map(str::trim) {
        is_inside |= line == "-----BEGIN CERTIFICATE-----";
        if is_inside {
            kept.push_str(line);
            kept.push('\n');
        }
        is_inside &= line != "-----END CERTIFICATE-----";
    }
    ensure!(!kept.is_empty(), "`{path}` holds no certificate in PEM");
    let size = kept.len();
    ensure!(
        size <= MOST_CERTIFICATES,
        "`{path}` holds {size} bytes of certificates, and user data has room for {MOST_CERTIFICATES}; name a file with \
         just your own authority, or bake it into the image"
    );
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    type Told = (Vec<(&'static str, String)>, Option<String>, Vec<String>);

    fn of(environment: &[(&str, &str)], file: Option<&str>) -> Option<Told> {
        let mut notes = Vec::new();
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let read = |_: &str| {
            let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
            file.map(str::to_owned).ok_or_else(missing)
        };
        let proxy = InstanceProxy::of(value, read, &mut notes);
        if proxy.is_none() && notes.is_empty() {
            return None;
        }
        let proxy = proxy.unwrap_or_default();
        let variables = proxy.variables.iter();
        let shown = variables.map(|(name, value)| (*name, value.expose_secret().to_owned()));
        Some((shown.collect(), proxy.certificates, notes))
    }

    #[test]
    fn the_step_s_own_lower_case_first() {
        let environment = [
            ("https_proxy", "http://proxy:3128"),
            ("HTTPS_PROXY", "http://other:1"),
            ("NO_PROXY", ".example.com"),
        ];
        let proxy = of(&environment, None).map(|(variables, ..)| variables);
        let expected = [
            ("https_proxy", "http://proxy:3128".to_owned()),
            ("no_proxy", ".example.com".to_owned()),
        ];
        assert_eq!(proxy, Some(expected.into()));
        assert!(of(&[], None).is_none());
        assert!(of(&[("NO_PROXY", "*")], None).is_none());
    }

    #[test]
    fn a_proxy_on_this_machine_stays_here() {
        for own in [
            "http://127.0.0.1:8080",
            "localhost:3128",
            "http://user:pass@[::1]:80",
        ] {
            let proxy = of(&[("HTTPS_PROXY", own)], None);
            assert!(
                proxy.is_some_and(|(variables, _, notes)| variables.is_empty() && notes.len() == 1),
                "{own}"
            );
        }
    }

    #[test]
    fn certificates_alone_and_not_too_many() {
        let one = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let given = |file: Option<&str>| of(&[(CERTIFICATES, "/ca.pem")], file);
        let file = format!("# ours\r\n{one}\nsubject: us\n{one}");
        let kept = given(Some(&file)).and_then(|(_, certificates, _)| certificates);
        assert_eq!(kept, Some(one.repeat(2)));
        for (file, why) in [
            (None, "cannot be read"),
            (Some("nothing"), "no certificate"),
            (Some(&*one.repeat(200)), "has room for 8192"),
        ] {
            let proxy = given(file);
            assert!(
                proxy.is_some_and(|(_, certificates, notes)| certificates.is_none()
                    && notes.concat().contains(why)),
                "{why}"
            );
        }
    }
}
