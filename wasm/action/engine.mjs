// The engine that the action's release carries: dist/policy, built from wasm/ and compared with it byte for byte.
import { readFileSync } from "node:fs";
import * as bindings from "../../dist/policy/policy.mjs";

/** @import { Finding } from "./commands.mjs" */

/** @typedef {"granted" | "conditional" | "missing" | "denied"} Decision */
/** @typedef {{ action: string, decision: Decision, explanation: string }} Permission */
/** @typedef {"refused" | "lacks" | "depends" | "too-wide" | "works"} HeadlineKind */
/** @typedef {{ kind: HeadlineKind, text: string }} Headline The answer in one sentence. */
/** @typedef {{ action: string, finding: number, line: number }} Cause A permission that would be granted if one finding were fixed. */
/** @typedef {{ granted: boolean, permissions: Permission[] }} Verdict */
/** @typedef {{ headline: Headline, findings: Finding[], verdict: Verdict, advice: Finding[], causes?: Cause[] }} Report */
/** @typedef {{ features: string[], target: string }} Options */
/** @typedef {{ check(text: string, options: Options): Report }} Engine */

const file = (/** @type {string} */ name) => new URL(`../../dist/policy/${name}`, import.meta.url);

/**
 * The engine with the action names of all services.
 * @returns {Engine}
 */
export function startEngine() {
  bindings.initSync({ module: readFileSync(file("policy_bg.wasm")) });
  bindings.load_actions(readFileSync(file("actions.txt"), "utf8"));
  return { check: (text, options) => JSON.parse(bindings.check(text, JSON.stringify(options))) };
}
