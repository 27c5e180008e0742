//! The certificate authorities that the system trusts, from its one file of all.
//!
//! Most systems keep them twice, as a file and as a folder with a file for each. rustls-native-certs reads both, which takes longer
//! than all else that a start does before its first request; what a system trusts stands in either.

use super::extra_roots::{certificates, pem};

/// In the place of the system's: rustls-native-certs reads these as OpenSSL does.
#[cfg(target_os = "linux")]
const INSTEAD: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The system's file, as PEM; `None` where there is none to be used, or another system than Linux.
pub(super) fn bundle() -> Option<Vec<u8>> {
    read(std::fs::read(file()?).ok()?)
}

#[cfg(target_os = "linux")]
fn file() -> Option<std::path::PathBuf> {
    if INSTEAD.iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    openssl_probe::probe().cert_file
}

#[cfg(not(target_os = "linux"))]
fn file() -> Option<std::path::PathBuf> {
    None
}

/// The text as it is where each certificate in it is usable; else those that are, for a connector takes all or none.
fn read(text: Vec<u8>) -> Option<Vec<u8>> {
    let found: Vec<_> = certificates(&text).collect();
    if found.iter().all(Option::is_some) && !found.is_empty() {
        return Some(text);
    }
    let usable: String = found.iter().flatten().map(|der| pem(der)).collect();
    (!usable.is_empty()).then(|| usable.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "-----BEGIN CERTIFICATE-----
MIIBtjCCAVugAwIBAgITBmyf1XSXNmY/Owua2eiedgPySjAKBggqhkjOPQQDAjA5
MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6b24g
Um9vdCBDQSAzMB4XDTE1MDUyNjAwMDAwMFoXDTQwMDUyNjAwMDAwMFowOTELMAkG
A1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJvb3Qg
Q0EgMzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCmXp8ZBf8ANm+gBG1bG8lKl
ui2yEujSLtf6ycXYqm0fc4E7O5hrOXwzpcVOho6AF2hiRVd9RFgdszflZwjrZt6j
QjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBSr
ttvXBp43rDCGB5Fwx5zEGbF4wDAKBggqhkjOPQQDAgNJADBGAiEA4IWSoxe3jfkr
BqWTrBqYaGFy+uGh0PsceGCmQ5nFuMQCIQCcAu/xlJyzlvnrxir4tiz+OpAUFteM
YyRIHN8wfdVoOw==
-----END CERTIFICATE-----
";
    const USELESS: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    const NO_PEM: &str = "-----BEGIN CERTIFICATE-----\n@\n-----END CERTIFICATE-----\n";

    #[test]
    fn only_usable_certificates_reach_the_connector() {
        let text = |parts: &[&str]| read(parts.concat().into());
        let with_comments = ["# a comment\n", ROOT, ROOT];
        assert_eq!(text(&with_comments), Some(with_comments.concat().into()));
        for useless in [USELESS, NO_PEM] {
            let kept = text(&[useless, ROOT, useless]).unwrap_or_default();
            let found: Vec<_> = certificates(&kept).collect();
            assert!(matches!(found[..], [Some(_)]), "{useless}");
            assert_eq!(text(&[useless]), None);
        }
        assert_eq!(text(&["no certificate"]), None);
    }
}
