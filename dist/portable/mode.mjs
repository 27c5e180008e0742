// Which mode will run: the first argument, or `mode` of the action's inputs.

/** @import { Environment } from "./authorities.mjs" */

/**
 * @param {string[]} args
 * @param {Environment} env
 */
export function isPolicy(args, env) {
  const named = args.find((argument) => !argument.startsWith("-"));
  if (named !== undefined) return named === "policy";
  try {
    return String(JSON.parse(env.SPRINTERS_INPUTS ?? "{}").mode ?? "").trim() === "policy";
  } catch {
    // The program says what is wrong with its inputs.
    return false;
  }
}
