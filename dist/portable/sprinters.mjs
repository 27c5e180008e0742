// The portable program's process: `node sprinters.mjs [MODE] [FLAGS]`.
//
// The component runs in a worker, where a call that waits may block. This thread never blocks: it owns the signals, and it
// is the only one with a network.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { brotliDecompress } from "node:zlib";

import { unreadable } from "./authorities.mjs";
import { isPolicy } from "./mode.mjs";
import { Endpoints } from "./endpoints.mjs";
import { Network } from "./network.mjs";

const OLDEST_NODE = 20;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
// The program itself, which makes up nearly all of this folder, and the pieces of glue that jco puts around it.
const COMPRESSED = "sprinters.core.wasm";
const CORES = [COMPRESSED, "sprinters.core2.wasm", "sprinters.core3.wasm", "sprinters.core4.wasm"];

const beside = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Ends the process, with an error as the program itself writes it.
 * @param {string} what
 * @param {string} remedy
 */
function fail(what, remedy, code = 1) {
  const inWorkflow = process.env.GITHUB_ACTIONS === "true";
  process.stdout.write(inWorkflow ? `::error title=Sprinters::${what}%0A→ ${remedy}\n` : `error: ${what}\n  help: ${remedy}\n`);
  process.exit(code);
}

// The program runs for seconds: what is called is compiled when it is, quickly, and no thread makes it any faster.
for (const flag of ["--wasm-lazy-compilation", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);

/**
 * @param {string} name
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function core(name) {
  if (name !== COMPRESSED) return readFile(beside(name));
  return promisify(brotliDecompress)(await readFile(beside(`${name}.br`)));
}

function main() {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    fail(`Node.js ${process.versions.node} is too old for the portable program`, `install Node.js ${OLDEST_NODE} or newer on this runner`);
  }
  const unread = unreadable(process.env);
  if (unread !== undefined) {
    const what = `variable \`${unread}\` is \`${process.env[unread]}\`; accepted: a file of certificates (PEM)`;
    fail(what, "fix the path, or unset the variable", 2);
  }
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(beside("worker.mjs"), {
    workerData: { bell, arguments: process.argv.slice(2) },
    // A policy may come through standard input; otherwise nobody reads it.
    stdin: false,
    // What a run leaves behind is little: a small nursery costs no time, and saves 10 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const tell = (/** @type {unknown} */ message, /** @type {ArrayBuffer[]} */ transfer = []) => {
    worker.postMessage(message, transfer);
    Atomics.add(bell, 0, 1);
    Atomics.notify(bell, 0);
  };
  const network = isPolicy(process.argv.slice(2), process.env) ? Endpoints.none() : Endpoints.of(process.env);
  const client = new Network(network, process.env, tell);
  worker.on("message", (message) => client.receive(message));
  // From here on no signal ends the process: the component undoes what it began, and ends by itself. The first message that the
  // worker takes must be the program: a signal that comes before waits until that is sent.
  /** @type {string[] | undefined} */
  let early = [];
  for (const signal of SIGNALS) process.on(signal, () => (early ? early.push(signal) : tell({ signal })));
  worker.on("error", (error) => fail(`the portable program broke: ${error?.message ?? error}`, "report this as a bug"));
  worker.on("exit", (code) => process.exit(code));
  Promise.all(CORES.map((name) => core(name).then((bytes) => WebAssembly.compile(bytes)))).then(
    (modules) => {
      worker.postMessage({ modules: Object.fromEntries(modules.map((module, index) => [CORES[index], module])) });
      const held = early ?? [];
      early = undefined;
      for (const signal of held) tell({ signal });
    },
    (error) => fail(`could not load the portable program: ${error.message}`, "check out the action again"),
  );
}

main();
