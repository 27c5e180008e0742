// Building elements, without inline scripts, inline styles or HTML text.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes (`true` means present, `false` and `undefined` mean absent) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (typeof value === "string") made.setAttribute(key, value);
  }
  made.append(...children.filter((child): child is Node | string => !!child));
  return made;
}

/** A name in code, which breaks behind the marks that divide it and never inside of a word: as docs/web/finish/names.mjs does it for the book. */
function name(text: string): HTMLElement {
  const parts = text.split(/(?<=[:/=,@_](?=\S)|\.(?=[A-Za-z]))/);
  return element("code", {}, ...parts.flatMap((part, n) => (n === 0 ? [part] : [element("wbr"), part])));
}

/** Text in which `words in backticks` become code elements, as the engine's messages have them. */
export function prose(text: string): (Node | string)[] {
  return text
    .split(/(`[^`]+`)/)
    .filter((part) => part !== "")
    .map((part) => (/^`[^`]+`$/.test(part) ? name(part.slice(1, -1)) : part));
}

/** The engine's messages are parts of sentences, as compilers write them; here they stand alone. */
export function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
