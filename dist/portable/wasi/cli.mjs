// `wasi:cli`: arguments, environment, the three standard streams, and the exit code.

import { readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

import { codeOf } from "./files.mjs";
import { InputStream, OutputStream } from "./io.mjs";

// What GitHub, AWS and this project name, and the proxy, which the instance may need too. Whatever else the runner's environment holds is not the program's business.
const KNOWN = /^(?:GITHUB_|RUNNER_|ACTIONS_ID_TOKEN_REQUEST_|AWS_|SPRINTERS_)|^(?:CI|NO_COLOR|TERM|COLUMNS)$|^(?:https?|all|no)_proxy$/i;

class TerminalInput {}
class TerminalOutput {}

/**
 * @import { Environment } from "../authorities.mjs"
 * @import { Waiter } from "./poll.mjs"
 */

/** @param {{ args: string[], env: Environment, readsStdin: boolean, waiter: Waiter }} given */
export function cli({ args, env, readsStdin, waiter }) {
  const stdin = () => (readsStdin ? InputStream.make(undefined, fromStdin) : signals(waiter));
  /** @type {<Terminal>(fd: number, kind: new () => Terminal) => Terminal | undefined} */
  const terminal = (fd, kind) => (isatty(fd) ? new kind() : undefined);
  return {
    "wasi:cli/environment": {
      getArguments: () => ["sprinters", ...args],
      getEnvironment: () => Object.entries(env).filter(([name]) => KNOWN.test(name)),
      initialCwd: () => undefined,
    },
    "wasi:cli/exit": {
      exit: (/** @type {{ tag: string }} */ status) => process.exit(status.tag === "ok" ? 0 : 1),
      exitWithCode: (/** @type {number} */ code) => process.exit(code),
    },
    "wasi:cli/stdin": { getStdin: stdin },
    "wasi:cli/stdout": { getStdout: () => OutputStream.make(undefined, (bytes) => writeAll(1, bytes)) },
    "wasi:cli/stderr": { getStderr: () => OutputStream.make(undefined, (bytes) => writeAll(2, bytes)) },
    "wasi:cli/terminal-input": { TerminalInput },
    "wasi:cli/terminal-output": { TerminalOutput },
    "wasi:cli/terminal-stdin": { getTerminalStdin: () => (readsStdin ? terminal(0, TerminalInput) : undefined) },
    "wasi:cli/terminal-stdout": { getTerminalStdout: () => terminal(1, TerminalOutput) },
    "wasi:cli/terminal-stderr": { getTerminalStderr: () => terminal(2, TerminalOutput) },
  };
}

/**
 * The signals that this process got, by their names, a line each: see src/platform/signals/wasi.rs.
 * @param {Waiter} waiter
 */
function signals(waiter) {
  const take = () => {
    const signal = waiter.takeSignal();
    return signal === undefined ? new Uint8Array() : new TextEncoder().encode(`${signal}\n`);
  };
  return InputStream.make(waiter, take, () => waiter.hasSignal);
}

/** @param {number} length */
function fromStdin(length) {
  const bytes = new Uint8Array(length);
  const read = patiently(() => readSync(0, bytes), 0);
  return read === 0 ? undefined : bytes.subarray(0, read);
}

/**
 * @param {number} fd
 * @param {Uint8Array} bytes
 */
function writeAll(fd, bytes) {
  for (let rest = bytes; rest.length > 0; ) {
    const written = patiently(() => writeSync(fd, rest), rest.length);
    rest = rest.subarray(written);
  }
}

/**
 * A pipe may be full for the moment, and its reader may be gone: nobody is left to tell then.
 * @param {() => number} act
 * @param {number} gone
 */
function patiently(act, gone) {
  for (;;) {
    try {
      return act();
    } catch (error) {
      const code = codeOf(error);
      if (code === "EPIPE" || code === "EOF") return gone;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
