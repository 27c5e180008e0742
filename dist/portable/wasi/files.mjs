// Which files the component may touch: those that GitHub names, under names of their own, and the workspace to read.
//
// A folder of its own for each of them: the component cannot even name any other file, and no path of Windows ever reaches it.

import { existsSync, mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

// In the component's eyes.
const GITHUB = "/github";
const EVENT = "/event";
const TOOLS = "/tools";
const WORKSPACE = "/workspace";
const NAMES = "/names";
// The program's own part of the tool cache; the rest is other actions'.
const OURS = "sprinters";

// Those of all AWS services' actions, which lie beside the portable program for the engine that checks policies without it.
export const ACTIONS = fileURLToPath(new URL("../../policy/actions.txt", import.meta.url));

/** @import { Environment } from "../authorities.mjs" */

/** @typedef {NamedFiles | Tree} Folder */

/** Files by name, and nothing else. */
export class NamedFiles {
  #files;
  canWrite;

  /**
   * @param {Record<string, string>} files
   * @param {boolean} canWrite
   */
  constructor(files, canWrite) {
    this.#files = files;
    this.canWrite = canWrite;
  }

  /** @param {string} name */
  real(name) {
    if (name === "." || name === "") return undefined;
    if (!Object.hasOwn(this.#files, name)) throw "no-entry";
    return this.#files[name];
  }

  prepare() {}
}

/** A folder with all that is below it. No link leads out of it. */
export class Tree {
  #root;
  canWrite;

  /**
   * @param {string} root
   * @param {boolean} canWrite
   */
  constructor(root, canWrite) {
    this.#root = root;
    this.canWrite = canWrite;
  }

  /** Before the first write. */
  prepare() {
    // Not `recursive`: Node never comes back from that below /proc.
    for (const folder of [path.dirname(this.#root), this.#root]) {
      if (!existsSync(folder)) mkdirSync(folder);
    }
  }

  /** @param {string} name */
  real(name) {
    const found = path.resolve(this.#root, name);
    // What is not there yet lies where its folder lies.
    const place = realpath(found) ?? path.join(realpath(path.dirname(found)) ?? outside(), path.basename(found));
    const inside = path.relative(realpathSync(this.#root), place);
    if (inside === ".." || inside.startsWith(`..${path.sep}`) || path.isAbsolute(inside)) outside();
    return place;
  }
}

/** @returns {never} */
function outside() {
  throw "no-entry";
}

/**
 * What the system calls a failure, such as `ENOENT`.
 * @param {unknown} error
 */
export function codeOf(error) {
  return /** @type {{ code?: string } | undefined} */ (error)?.code;
}

/** @param {string} name */
function realpath(name) {
  try {
    return realpathSync(name);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** What the component sees: its preopened folders, and the environment that names them. */
export class Files {
  /**
   * @param {Environment} environment
   * @param {[folder: Folder, name: string][]} preopens
   */
  constructor(environment, preopens) {
    this.environment = environment;
    this.preopens = preopens;
  }

  /**
   * @param {Environment} env
   * @param {string} workspace
   * @param {NodeJS.Platform} platform
   */
  static of(env, workspace, platform) {
    const environment = { ...env };
    const named = (/** @type {string} */ folder, /** @type {Record<string, string>} */ variables) => {
      /** @type {Record<string, string>} */
      const files = {};
      for (const [variable, name] of Object.entries(variables)) {
        const file = env[variable];
        if (!file) continue;
        environment[variable] = `${folder}/${name}`;
        files[name] = file;
      }
      return files;
    };
    /** @type {[folder: Folder, name: string][]} */
    const preopens = [
      [new NamedFiles(named(GITHUB, { GITHUB_OUTPUT: "output", GITHUB_STEP_SUMMARY: "summary" }), true), GITHUB],
      [new NamedFiles(named(EVENT, { GITHUB_EVENT_PATH: "event.json" }), false), EVENT],
      [new NamedFiles({ "actions.txt": ACTIONS }, false), NAMES],
    ];
    if (env.RUNNER_TOOL_CACHE) {
      environment.RUNNER_TOOL_CACHE = TOOLS;
      preopens.push([new Tree(path.join(env.RUNNER_TOOL_CACHE, OURS), true), `${TOOLS}/${OURS}`]);
    }
    const readOnly = new Tree(workspace, false);
    if (env.GITHUB_WORKSPACE) environment.GITHUB_WORKSPACE = WORKSPACE;
    preopens.push([readOnly, WORKSPACE], [readOnly, "."]);
    if (platform !== "win32") preopens.push([readOnly, workspace]);
    return new Files(environment, preopens);
  }
}
