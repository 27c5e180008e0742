//! Compresses the tables that the programs hold: the action names and condition keys of AWS's services, which the policy
//! checker looks up (250 KB become 70 KB), and the prices of EC2's types (38 KB become 10 KB). Takes the comments out of what
//! instances boot with. And hands on what the version tells.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::{Compression, GzBuilder};

const TABLES: [&str; 2] = ["wasm/data/actions.txt", "src/pricing/ec2_on_demand.ini"];
const BOOT: [&str; 3] = [
    "src/boot/boothook.sh",
    "src/boot/storage.sh",
    "src/boot/proxy.sh",
];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    for table in TABLES.map(Path::new) {
        println!("cargo::rerun-if-changed={}", table.display());
        // No time stamp: the same text gives the same bytes.
        let mut gzip = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::best());
        gzip.write_all(&fs::read(table)?)?;
        let name = table.file_name().unwrap_or_default();
        fs::write(out.join(name).with_added_extension("gz"), gzip.finish()?)?;
    }
    for script in BOOT.map(Path::new) {
        println!("cargo::rerun-if-changed={}", script.display());
        let name = script.file_name().unwrap_or_default();
        fs::write(out.join(name), code(&fs::read_to_string(script)?))?;
    }
    // What `sprinters --version` tells. A plain build does not know the hash of its sources.
    let sources = env::var("SPRINTERS_SOURCES").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rerun-if-env-changed=SPRINTERS_SOURCES");
    println!("cargo::rustc-env=SPRINTERS_SOURCES={sources}");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=SPRINTERS_TARGET={target}");
    Ok(())
}

/// Without comments, which would be a quarter of the user data. The shell's linter goes by some of them.
fn code(script: &str) -> String {
    script
        .split_inclusive('\n')
        .filter(|line| {
            let line = line.trim_start();
            !line.starts_with('#') || line.starts_with("# shellcheck")
        })
        .collect()
}
