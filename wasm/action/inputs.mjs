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
 * The action's inputs, as GitHub passes them to Node: `INPUT_` and the name in capitals.
 * @param {Record<string, string | undefined>} environment
 */
export function readInputs(environment) {
  const input = (/** @type {string} */ name) => (environment[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const patterns = words(input("policy"));
  if (patterns.length === 0) throw new Refused("input `policy`: it is empty; name the files to check, such as `policies/*.json`");
  const features = words(input("require"));
  const unknown = features.find((feature) => !FEATURES.includes(feature));
  if (unknown) throw new Refused(`input \`require\` is \`${unknown}\`; accepted: ${listed(FEATURES)}`);
  const target = input("target") || "managed";
  if (!TARGETS.includes(target)) throw new Refused(`input \`target\` is \`${target}\`; accepted: ${listed(TARGETS)}`);
  return { patterns, options: { features, target } };
}
