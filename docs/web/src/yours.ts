// The reader's own repository, region and account in place of the examples': what is copied from the page then needs no change.
import { element } from "./dom";
import { ACCOUNT, REGION, REPOSITORY } from "./forms";
import { keep, recall } from "./stored";

interface Value {
  name: string;
  label: string;
  /** What stands in the page until the reader says better. */
  example: string;
  pattern: string;
}

const VALUES: Value[] = [
  { name: "repository", label: "Your repository", example: "octo/app", pattern: REPOSITORY },
  { name: "region", label: "Your AWS region", example: "eu-central-1", pattern: REGION },
  { name: "account", label: "Your AWS account", example: "111122223333", pattern: ACCOUNT },
];

const AREA = "localStorage";
const key = (name: string): string => `your-${name}`;

/** A place in the page whose text or address has examples in it. */
interface Spot {
  template: string;
  put(text: string): unknown;
}

/** Puts the fields into `place`, and what they say into the page. */
export function askForYours(place: HTMLElement): void {
  const spots = [...texts(), ...addresses()];
  const inputs = VALUES.map(({ name, example, pattern }) => {
    const input = element("input", { type: "text", name, placeholder: example, pattern, autocomplete: "off", spellcheck: "false" });
    input.value = recall(AREA, key(name)) ?? "";
    return input;
  });
  const show = (): void => {
    const chosen = VALUES.map(({ example }, n) => [example, valid(inputs[n]) || example] as const);
    // In one pass: a reader's value may contain another's example.
    const examples = new RegExp(chosen.map(([example]) => example).join("|"), "g");
    const found = new Map(chosen);
    for (const { template, put } of spots) put(template.replace(examples, (example) => found.get(example) ?? example));
  };
  inputs.forEach((input, n) =>
    input.addEventListener("input", () => {
      keep(AREA, key(VALUES[n]?.name ?? ""), valid(input) || null);
      show();
    }),
  );
  place.setAttribute("role", "group");
  place.setAttribute("aria-labelledby", "yours-title");
  const title = element("p", { id: "yours-title" }, "Fill these in, and everything below is ready to copy. They stay in this browser.");
  place.replaceChildren(title, ...inputs.map((input, n) => element("label", {}, VALUES[n]?.label, input)));
  show();
}

const valid = (input: HTMLInputElement | undefined): string => (input?.checkValidity() ? input.value : "");

const hasExample = (text: string): boolean => VALUES.some(({ example }) => text.includes(example));

function texts(): Spot[] {
  const found: Spot[] = [];
  // A name in a sentence has places to break in it, which are only needed for a name as long as the example's.
  for (const code of document.querySelectorAll("main :not(pre) > code")) {
    const template = code.textContent ?? "";
    if (hasExample(template)) found.push({ template, put: (now) => now === code.textContent || (code.textContent = now) });
  }
  for (const within of document.querySelectorAll("main pre, main svg.drawn text")) {
    const walk = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode() as Text | null; node; node = walk.nextNode() as Text | null) {
      const text = node;
      if (hasExample(text.data)) found.push({ template: text.data, put: (now) => (text.data = now) });
    }
  }
  return found;
}

function addresses(): Spot[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("main a.go")]
    .filter(({ href }) => hasExample(href))
    .map((link) => ({ template: link.href, put: (now) => (link.href = now) }));
}
