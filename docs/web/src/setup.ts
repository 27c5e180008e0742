// What the policy is for: the features in use, the kind of policy, and what is known of the account. Everything is optional.
import { element } from "./dom";
import type { Feature, Options, Target } from "./engine";
import { ACCOUNT, IMAGE, INSTANCE_TYPE, REGION, ROLE, SECURITY_GROUP, SUBNET } from "./forms";
import type { Carried } from "./share";

const FEATURES: [Feature, string][] = [
  ["instance-profile", "Instance profile"],
  ["spot-service-linked-role", "Spot's service-linked role"],
  ["ssm-image-parameter", "Image from SSM"],
  ["console", "Log of an instance that failed"],
  ["launch-template", "Launch template"],
  ["capacity-reservation", "Capacity reservation"],
  ["image-by-name", "Image by name"],
  ["bake", "Baking images"],
];

const TARGETS: [Target, string][] = [
  ["managed", "Managed policy"],
  ["inline-user", "Inline policy of a user"],
  ["inline-role", "Inline policy of a role"],
  ["inline-group", "Inline policy of a group"],
];

interface Field {
  key: "regions" | "account" | "images" | "subnets" | "securityGroups" | "instanceTypes" | "role";
  label: string;
  example: string;
  /** What each word must be. */
  pattern: string;
  list?: true;
  needs?: Feature;
}

// What is used in one of several regions says in which: `us-west-2=subnet-0123…`.
const FIELDS: Field[] = [
  { key: "regions", label: "Regions", example: "eu-central-1, us-west-2", pattern: REGION, list: true },
  { key: "account", label: "Account id", example: "111122223333", pattern: ACCOUNT },
  { key: "images", label: "Images", example: "ami-0123…", pattern: `((?:${REGION})=)?(?:${IMAGE})`, list: true },
  { key: "subnets", label: "Subnets", example: "subnet-0123…, subnet-4567…", pattern: `((?:${REGION})=)?(?:${SUBNET})`, list: true },
  { key: "securityGroups", label: "Security groups", example: "sg-0123…", pattern: `((?:${REGION})=)?(?:${SECURITY_GROUP})`, list: true },
  { key: "instanceTypes", label: "Instance types", example: "m7i.xlarge, m7a.xlarge", pattern: INSTANCE_TYPE, list: true },
  { key: "role", label: "Role of the instance profile", example: "build-role", pattern: ROLE, needs: "instance-profile" },
];

export interface Setup {
  /** Features and target. */
  bar: HTMLElement[];
  /** What `tighten` can narrow the policy to. */
  fields: HTMLElement;
  options(): Options;
  /** What is wrong with the first field that is. */
  wrong(): string | undefined;
  /** The choices in words, for a link; what is left as it was is left out. */
  carried(): Carried;
  /** Makes the choices that a link carries, and no others. */
  take(carried: Carried): void;
}

export function makeSetup(changed: () => void): Setup {
  const boxes = FEATURES.map(([feature, label]) => {
    const box = element("input", { type: "checkbox", name: feature });
    box.addEventListener("change", changed);
    return { feature, box, label: element("label", { class: "toggle" }, box, label) };
  });
  const target = element("select", { name: "target" });
  target.append(...TARGETS.map(([value, label]) => element("option", { value }, label)));
  target.addEventListener("change", changed);
  const inputs = FIELDS.map((field) => {
    const input = element("input", { type: "text", name: field.key, placeholder: field.example, autocomplete: "off", spellcheck: "false" });
    input.addEventListener("input", changed);
    return { field, input, label: element("label", { class: "field" }, field.label, input) };
  });

  const options = (): Options => {
    const chosen: Options = {
      features: boxes.filter(({ box }) => box.checked).map(({ feature }) => feature),
      target: target.value as Target,
    };
    for (const { field, input, label } of inputs) {
      label.hidden = field.needs !== undefined && !chosen.features.includes(field.needs);
      const words = label.hidden ? [] : input.value.split(/[\s,]+/).filter((word) => word !== "");
      const wrong = words.find((word) => !new RegExp(`^(${field.pattern})$`).test(word));
      input.setCustomValidity(wrong === undefined ? "" : `“${wrong}” is not one; write it like ${field.example}`);
      input.setAttribute("aria-invalid", String(wrong !== undefined));
      // A wrong word narrows nothing, and no policy is written with it.
      if (words.length === 0 || wrong !== undefined) continue;
      Object.assign(chosen, { [field.key]: field.list ? words : words[0] });
    }
    return chosen;
  };
  options();

  const carried = (): Carried => {
    const chosen: [string, string][] = inputs.map(({ field, input, label }) => [field.key, label.hidden ? "" : input.value.trim()]);
    const require = boxes.filter(({ box }) => box.checked).map(({ feature }) => feature);
    chosen.unshift(["target", target.value === "managed" ? "" : target.value], ["require", require.join(",")]);
    return Object.fromEntries(chosen.filter(([, value]) => value !== ""));
  };
  const take = (carried: Carried): void => {
    const require = (carried["require"] ?? "").split(",");
    for (const { feature, box } of boxes) box.checked = require.includes(feature);
    target.value = TARGETS.some(([name]) => name === carried["target"]) ? (carried["target"] ?? "managed") : "managed";
    // Links from before there were several regions carry `region`.
    for (const { field, input } of inputs) input.value = carried[field.key] ?? (field.key === "regions" ? carried["region"] : undefined) ?? "";
    options();
  };

  const features = element("fieldset", {}, element("legend", {}, "Beside the six permissions, it must grant"));
  features.append(...boxes.map(({ label }) => label));
  const fields = element("div", { class: "tight-fields" });
  fields.append(...inputs.map(({ label }) => label));
  const wrong = (): string | undefined => inputs.map(({ field, input }) => input.validationMessage && `${field.label}: ${input.validationMessage}`).find(Boolean);
  return { bar: [element("label", { class: "field" }, "Kind of policy", target), features], fields, options, wrong, carried, take };
}
