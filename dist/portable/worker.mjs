// Where the component runs. Its calls may block here: the other thread answers meanwhile, and rings the bell.

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

import { isPolicy } from "./mode.mjs";
import { instantiate } from "./sprinters.js";
import { Waiter } from "./wasi/poll.mjs";
import { cli } from "./wasi/cli.mjs";
import { clocks } from "./wasi/clocks.mjs";
import { Files } from "./wasi/files.mjs";
import { filesystem } from "./wasi/filesystem.mjs";
import { httpInterfaces } from "./wasi/http.mjs";
import { io } from "./wasi/io.mjs";
import { random } from "./wasi/random.mjs";

if (!parentPort) throw new Error("worker.mjs is started by sprinters.mjs");
const port = parentPort;

/** @param {Record<string, WebAssembly.Module>} modules */
function run(modules) {
  const args = workerData.arguments;
  const files = Files.of(process.env, process.env.GITHUB_WORKSPACE || process.cwd(), process.platform);
  const waiter = new Waiter(workerData.bell, () => receiveMessageOnPort(port)?.message);
  const imports = {
    ...io(waiter),
    ...cli({ args, env: files.environment, readsStdin: isPolicy(args, process.env), waiter }),
    ...clocks(waiter),
    ...filesystem(files),
    ...httpInterfaces(waiter, (message) => port.postMessage(message)),
    ...random(),
  };
  const { run: command } = instantiate((name) => module(modules, name), imports);
  command.run();
  process.exit(0);
}

/**
 * @param {Record<string, WebAssembly.Module>} modules
 * @param {string} name
 */
function module(modules, name) {
  const found = modules[name];
  if (!found) throw new Error(`the component asks for \`${name}\`, which sprinters.mjs does not load`);
  return found;
}

port.once("message", (/** @type {{ modules: Record<string, WebAssembly.Module> }} */ { modules }) => run(modules));
