//! Makes a component for WASI 0.2 of a command for WASI 0.1, `component encode IN.wasm OUT.wasm`, and compresses what Node
//! unpacks again, `component compress IN OUT.br`: the same bytes on every machine, which Node's own Brotli does not promise.

use std::{env, fs};

use anyhow::{Context, bail};
use brotli::enc::BrotliEncoderParams;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [command, input, output] = &arguments[..] else {
        bail!("usage: component encode|compress IN OUT");
    };
    let bytes = fs::read(input).with_context(|| format!("could not read `{input}`"))?;
    let made = match command.as_str() {
        "encode" => encode(&bytes)?,
        "compress" => compress(&bytes)?,
        other => bail!("no command `{other}`; there is: encode, compress"),
    };
    fs::write(output, made).with_context(|| format!("could not write `{output}`"))
}

fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        )?
        .encode()
}

fn compress(mut bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 24, // 16 MB: all of it
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}
