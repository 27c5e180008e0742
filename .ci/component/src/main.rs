//! Makes a component for WASI 0.2 of a command for WASI 0.1: `component IN.wasm OUT.wasm`.

use std::{env, fs};

use anyhow::{Context, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = &arguments[..] else {
        bail!("usage: component IN.wasm OUT.wasm");
    };
    let module = fs::read(input).with_context(|| format!("could not read `{input}`"))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        )?
        .encode()?;
    fs::write(output, component).with_context(|| format!("could not write `{output}`"))
}
