// The portable program's process: `node sprinters.mjs [MODE] [FLAGS]`.
//
// The component runs in a worker, where a call that waits may block. This thread never blocks: it owns the signals, and it
// is the only one with a network.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { brotliDecompressSync } from "node:zlib";

import { unreadable } from "./authorities.mjs";
import { isPolicy } from "./mode.mjs";
import { Endpoints } from "./endpoints.mjs";
import { Network } from "./network.mjs";
import { ACTIONS } from "./wasi/files.mjs";

const OLDEST_NODE = 20;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
// The program itself, which makes up nearly all of this folder, and the pieces of glue that jco puts around it.
const COMPRESSED = "sprinters.core.wasm";
const CORES = [COMPRESSED, "sprinters.core2.wasm", "sprinters.core3.wasm", "sprinters.core4.wasm"];

// What it may need unpacked. Only what is written to takes memory.
const ROOM_FOR_PROGRAM = 8 * 1024 * 1024;

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

// The program does little and waits long: what is called is compiled when it is, quickly, no thread makes it any faster, and nobody
// counts what is called. Nor is the heap tidied up meanwhile, which a Node that has nothing to do does again and again, or when it
// holds more than the few megabytes that it begins with.
const LITTLE_TO_DO = [
  "--wasm-lazy-compilation",
  "--no-wasm-tier-up",
  "--no-wasm-dynamic-tiering",
  "--no-wasm-inlining",
  "--no-opt",
  "--no-maglev",
  "--no-incremental-marking",
  "--initial-old-space-size=64",
];
for (const flag of LITTLE_TO_DO) setFlagsFromString(flag);

/** @param {string} name */
function compiled(name) {
  if (name !== COMPRESSED) return new WebAssembly.Module(readFileSync(beside(name)));
  // In one piece, and on this thread: what another one frees stays with the process, which would be 17 MB.
  const bytes = brotliDecompressSync(readFileSync(beside(`${name}.br`)), { chunkSize: ROOM_FOR_PROGRAM });
  const module = new WebAssembly.Module(bytes);
  release(bytes.buffer);
  return module;
}

/**
 * The module has a copy of its own. Node.js 20 knows no way to give this one back.
 * @param {ArrayBufferLike & { transfer?: (length: number) => ArrayBuffer }} buffer
 */
function release(buffer) {
  buffer.transfer?.(0);
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
  const checksPolicies = isPolicy(process.argv.slice(2), process.env);
  if (checksPolicies && !existsSync(ACTIONS)) fail(`no file \`${ACTIONS}\``, "check out the action again");
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
  const client = new Network(checksPolicies ? Endpoints.none() : Endpoints.of(process.env), process.env, tell);
  worker.on("message", (message) => client.receive(message));
  // From here on no signal ends the process: the component undoes what it began, and ends by itself. The first message that the
  // worker takes must be the program: it is sent below, before this thread hears of any signal.
  for (const signal of SIGNALS) process.on(signal, () => tell({ signal }));
  worker.on("error", (error) => fail(`the portable program broke: ${error?.message ?? error}`, "report this as a bug"));
  worker.on("exit", (code) => process.exit(code));
  try {
    worker.postMessage({ modules: Object.fromEntries(CORES.map((name) => [name, compiled(name)])) });
  } catch (error) {
    fail(`could not load the portable program: ${error instanceof Error ? error.message : error}`, "check out the action again");
  }
}

main();
