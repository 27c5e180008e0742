//! Compresses the action names of all AWS services, which the policy checker looks up: 480 KB become 100 KB.

use std::io::Write;
use std::path::PathBuf;
use std::{env, fs, io};

use flate2::{Compression, GzBuilder};

const ACTIONS: &str = "wasm/data/actions.txt";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={ACTIONS}");
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    // No time stamp: the same names give the same bytes.
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    gzip.write_all(&fs::read(ACTIONS)?)?;
    fs::write(out.join("actions.txt.gz"), gzip.finish()?)
}
