//! What the script becomes for given values, and that no value can break out of it.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::Command;

use flate2::read::GzDecoder;

use super::quote::quote;
use super::render::BODY;
use super::*;

const DISPATCH: &str = "if [ $# -gt 0 ]; then \"$@\"; exit; fi\n";

fn spec<'a>(jit_config: &'a SecretString, setup: Option<&'a str>) -> BootSpec<'a> {
    BootSpec {
        jit_config,
        runner: RunnerSource::ImageOrDownload {
            url: "https://github.com/actions/runner/releases/download/v2.330.0/actions-runner-linux-x64-2.330.0.tar.gz",
            sha256: "AF5C33FA94F3CC33B8E97937939136A6B04197E6DADFCFB3B6E33AE1BF41E79A",
        },
        user: "runner",
        sudo: true,
        setup,
        job_started: None,
        job_completed: None,
        temp: None,
        swap_gib: 0,
        proxy: None,
        start_timeout: Duration::from_mins(5),
        idle_timeout: Duration::from_mins(10),
        max_lifetime: Duration::from_hours(6),
        metadata: Metadata::Closed,
        label: "sprinters-o-r-42-1",
        name: "sprinters-o-r-42-1-x7f3",
    }
}

fn jit() -> SecretString {
    SecretString::from("eyJqaXQiOiJjb25maWcifQ==")
}

/// The values around the body, which is readable enough in its own file.
fn values(script: &str) -> String {
    script.replace(BODY, "[boothook.sh]\n")
}

fn unpack(user_data: &UserData) -> String {
    let mut script = String::new();
    GzDecoder::new(user_data.expose())
        .read_to_string(&mut script)
        .expect("gzip");
    script
}

#[test]
fn a_runner_from_the_image_or_github() {
    insta::assert_snapshot!(values(&render(&spec(&jit(), None))));
}

#[test]
fn a_runner_home_a_setup_script_and_open_metadata() {
    let jit = jit();
    let setup = "#!/usr/bin/env bash\necho \"it's $HOME\"\n# --- secrets: not these\njit=mine\n";
    insta::assert_snapshot!(values(&render(&BootSpec {
        runner: RunnerSource::Home("/opt/my runner"),
        metadata: Metadata::Open,
        ..spec(&jit, Some(setup))
    })));
}

#[test]
fn the_user_data_is_the_script_compressed_and_the_same_each_time() {
    let jit = jit();
    let spec = spec(&jit, Some("echo hello"));
    let sent = user_data(&spec).expect("it fits");
    assert_eq!(unpack(&sent), render(&spec));
    assert_eq!(sent.expose(), user_data(&spec).expect("it fits").expose());
}

#[test]
fn the_script_leaves_room_for_a_jit_config_and_a_setup_script() {
    // A real JIT config holds an RSA key and is about 5,000 characters of base64 that hardly compress.
    let jit = SecretString::from(noise(5_000));
    let sent = user_data(&spec(&jit, None)).expect("it fits");
    let size = sent.expose().len();
    assert!(size <= 10_800, "{size} bytes");
}

#[test]
fn comments_stay_at_home_but_for_the_linter_s_and_the_user_s() {
    let jit = jit();
    let setup = "# mine\nsleep 1 # and this\n";
    let script = render(&spec(&jit, Some(setup)));
    let (ours, theirs) = script.split_once("\n# --- secrets").expect("the marker");
    let comments: Vec<_> = ours
        .lines()
        .filter(|line| line.trim_start().starts_with('#'))
        .collect();
    assert!(
        comments[4..]
            .iter()
            .all(|line| line.trim_start().starts_with("# shellcheck ")),
        "{comments:?}"
    );
    assert!(theirs.contains(setup));
}

#[test]
fn scripts_with_windows_line_ends_run_on_unix() {
    let jit = jit();
    let script = render(&spec(&jit, Some("#!/bin/sh\r\necho a\r\n")));
    assert!(script.contains("setup='#!/bin/sh\necho a\n'\n"), "{script}");
    // A line end of Windows in the middle may be meant.
    let script = render(&spec(&jit, Some("#!/bin/sh\nprintf 'a\r\n'\n")));
    assert!(script.contains("a\r\n"), "{script}");
}

#[test]
fn too_large_names_setup() {
    let jit = jit();
    let setup = noise(40_000);
    let error = user_data(&spec(&jit, Some(&setup))).expect_err("40 KB");
    let message = error.to_string();
    assert!(
        message.contains("are 40000 bytes") && message.contains("EC2 takes 16384"),
        "{message}"
    );
}

#[test]
fn a_nul_in_setup_is_refused() {
    let jit = jit();
    assert_eq!(
        user_data(&spec(&jit, Some("echo \0"))).err(),
        Some(UserDataError::Nul("setup"))
    );
}

#[test]
fn the_spec_does_not_print_the_jit_config() {
    let jit = jit();
    assert!(!format!("{:?}", spec(&jit, None)).contains("eyJqaXQ"));
}

#[test]
fn a_shell_reads_every_quoted_text_back_unchanged() {
    let mut texts: Vec<String> = [
        "",
        "'",
        "''",
        "\\",
        "'\\''",
        "$(reboot)",
        "`x`",
        "\n\r\n\t",
        "-n",
        "é\u{1F3C3}",
        "!!",
    ]
    .map(String::from)
    .into();
    let mut random = Random(42);
    texts.extend((0..300).map(|_| random.text()));
    // One shell reads them all; a text that breaks out of its quotes spoils the comparison for all.
    let mut script = String::new();
    let mut expected = String::new();
    for text in &texts {
        let _ = writeln!(script, "printf '%s\\036' {}", quote(text));
        expected.push_str(text);
        expected.push('\u{1e}');
    }
    for shell in ["sh", "bash"] {
        let file =
            std::env::temp_dir().join(format!("sprinters-quote-{}-{shell}", std::process::id()));
        std::fs::write(&file, &script).expect("a temporary file");
        let output = Command::new(shell).arg(&file).output().expect(shell);
        std::fs::remove_file(&file).expect("a temporary file");
        assert!(output.status.success(), "{shell}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{shell}");
    }
}

#[test]
fn every_value_arrives_in_the_script_whatever_it_contains() {
    let mut random = Random(7);
    for _ in 0..50 {
        let [name, label, home, setup, secret] = std::array::from_fn(|_| random.text());
        let jit = SecretString::from(secret.clone());
        let script = render(&BootSpec {
            runner: RunnerSource::Home(&home),
            name: &name,
            label: &label,
            ..spec(&jit, Some(&setup))
        });
        // The script without its body and without the last line, which starts it, is nothing but assignments.
        let assignments = script
            .replace(BODY, "")
            .replace(DISPATCH, "")
            .replace("\nboot\n", "\n");
        let file = std::env::temp_dir().join(format!("sprinters-values-{}", std::process::id()));
        std::fs::write(
            &file,
            assignments + "printf '%s\\036' \"$name\" \"$label\" \"$home\" \"$setup\" \"$jit\"",
        )
        .expect("a temporary file");
        let output = Command::new("sh").arg(&file).output().expect("sh");
        std::fs::remove_file(&file).expect("a temporary file");
        let expected =
            [&name, &label, &home, &setup, &secret].map(|value| format!("{value}\u{1e}"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected.concat());
    }
}

fn noise(length: usize) -> String {
    let mut random = Random(1);
    (0..length)
        .map(|_| {
            char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    [random.below(64)],
            )
        })
        .collect()
}

/// A repeatable source of hostile text (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    /// Up to 40 characters: half of them special to a shell, the others any but NUL and the separator of these tests.
    fn text(&mut self) -> String {
        const SPECIAL: &[char] = &[
            '\'', '"', '\\', '$', '`', '\n', '\r', ' ', '#', '!', '(', ')', '{', '}', '&', ';',
            '~', '*', '=',
        ];
        (0..self.below(40))
            .map(|_| match self.below(4) {
                0 | 1 => SPECIAL[self.below(SPECIAL.len())],
                2 => char::from(u8::try_from(1 + self.below(127)).expect("ASCII")),
                _ => char::from_u32(u32::try_from(0xa0 + self.below(0x2000)).expect("small"))
                    .unwrap_or('x'),
            })
            .filter(|c| *c != '\u{1e}')
            .collect()
    }
}

#[test]
fn the_instance_s_programs_get_the_proxy_in_both_cases() {
    let jit = jit();
    let secret = |text: &str| SecretString::from(text.to_owned());
    let lines = |proxy: &Proxy| {
        let script = render(&BootSpec {
            proxy: Some(proxy),
            ..spec(&jit, None)
        });
        let (_, secrets) = script.split_once("# --- secrets").unwrap_or_default();
        secrets.to_owned()
    };
    let both = lines(&Proxy {
        variables: vec![
            ("https_proxy", secret("http://us\"er:pa$s@proxy:3128\n")),
            ("no_proxy", secret(".example.com")),
        ],
        certificates: Some("PEM".to_owned()),
    });
    for line in [
        r#"https_proxy="http://us\"er:pa\$s@proxy:3128""#,
        r#"HTTPS_PROXY="http://us\"er:pa\$s@proxy:3128""#,
        r#"no_proxy=".example.com,localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254""#,
        r#"NO_PROXY=".example.com,localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254""#,
        r#"NODE_EXTRA_CA_CERTS="/run/sprinters/ca.pem""#,
        "ca='PEM'",
    ] {
        assert!(
            both.lines()
                .any(|found| found.trim_start_matches("proxy='") == line),
            "{line} is not in {both}"
        );
    }
    assert!(!both.contains("no_proxy=\".example.com\""));
    let certificates_alone = lines(&Proxy {
        variables: Vec::new(),
        certificates: Some("PEM".to_owned()),
    });
    assert!(
        !certificates_alone.contains("no_proxy")
            && certificates_alone.contains("NODE_EXTRA_CA_CERTS")
    );
    let proxy_alone = lines(&Proxy {
        variables: vec![("http_proxy", secret("http://proxy:3128"))],
        certificates: None,
    });
    assert!(
        proxy_alone.contains("no_proxy=\"localhost,")
            && !proxy_alone.contains("NODE_EXTRA_CA_CERTS")
    );
}
