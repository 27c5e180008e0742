import { Refused } from "./commands.mjs";

const FEATURES = ["instance-profile", "spot-service-linked-role", "ssm-image-parameter", "console", "launch-template", "capacity-reservation", "image-by-name", "bake"];
const TARGETS = ["managed", "inline-user", "inline-role", "inline-group"];

/**
 * A list as the program takes it: separated by commas or line breaks.
 * @param {string} text
 */
const words = (text) => text.split(/[,\n]/).map((word) => word.trim()).filter((word) => word !== "");
const listed = (/** @type {string[]} */ names) => names.map((name) => `\`${name}\``).join(", ");

/**
 * What is wrong with an input's words.
 * @param {string} name
 * @param {string[]} given
 * @param {string[]} accepted
 */
const unknown = (name, given, accepted) =>
  given.filter((word) => !accepted.includes(word)).map((word) => `input \`${name}\` is \`${word}\`; accepted: ${listed(accepted)}`);

/**
 * The action's inputs, as GitHub passes them to Node: `INPUT_` and the name in capitals.
 * @param {Record<string, string | undefined>} environment
 */
export function readInputs(environment) {
  const input = (/** @type {string} */ name) => (environment[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const patterns = words(input("policy"));
  const features = words(input("require"));
  const target = input("target") || "managed";
  const wrong = [
    ...(patterns.length === 0 ? ["input `policy`: it is empty; name the files to check, such as `policies/*.json`"] : []),
    ...unknown("require", features, FEATURES),
    ...unknown("target", [target], TARGETS),
  ];
  if (wrong.length > 0) throw new Refused(...wrong);
  return { patterns, options: { features, target } };
}
