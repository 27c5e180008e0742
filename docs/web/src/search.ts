// The search: a dialog over an index of this book, which is a file of this site.
import { announce } from "./copy";
import { element } from "./dom";

/** `[address, title, page's title, text]`, as docs/web/finish/search-index.mjs writes it. */
type Entry = [address: string, title: string, page: string, text: string];

interface Found {
  entry: Entry;
  terms: string[];
}

const MOST = 20;
const EXCERPT = 140;

/** Names such as `ec2:RunInstances` and `start-timeout` are found whole and in parts. */
const words = (text: string): string[] => text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");

async function load(): Promise<(query: string) => Found[]> {
  const place = document.querySelector<HTMLMetaElement>('meta[name="search-index"]')?.content ?? "";
  // Most readers never search: engine and index are loaded when the dialog first opens, and the dialog takes what is typed meanwhile.
  const [{ default: MiniSearch }, answer] = await Promise.all([import("minisearch"), fetch(new URL(place, document.baseURI))]);
  if (!answer.ok) throw new Error(`the index answered ${answer.status}`);
  const entries = (await answer.json()) as Entry[];
  const index = new MiniSearch<{ id: number; title: string; page: string; text: string }>({
    fields: ["title", "page", "text"],
    tokenize: words,
    searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : false), combineWith: "AND" },
  });
  index.addAll(entries.map(([, title, page, text], id) => ({ id, title, page, text })));
  return (query) =>
    index
      .search(query)
      .slice(0, MOST)
      .flatMap(({ id, terms }) => {
        const entry = entries[id as number];
        return entry ? [{ entry, terms }] : [];
      });
}

/** The words around the first hit. */
function excerpt(text: string, terms: string[]): string {
  const low = text.toLowerCase();
  const hit = Math.min(...terms.map((term) => low.indexOf(term)).filter((at) => at >= 0), text.length);
  const from = hit < EXCERPT / 2 || hit === text.length ? 0 : text.lastIndexOf(" ", hit - EXCERPT / 3) + 1;
  const until = from + EXCERPT >= text.length ? text.length : text.lastIndexOf(" ", from + EXCERPT);
  return `${from > 0 ? "… " : ""}${text.slice(from, until)}${until < text.length ? " …" : ""}`;
}

function result({ entry: [address, title, page, text], terms }: Found): HTMLElement {
  const link = element("a", { href: address }, element("strong", {}, title), page === "" ? "" : element("span", { class: "of" }, page));
  link.append(element("span", { class: "excerpt" }, excerpt(text, terms)));
  return element("li", {}, link);
}

let dialog: HTMLDialogElement | undefined;

export function openSearch(): void {
  dialog ??= build();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input")?.select();
}

function build(): HTMLDialogElement {
  const input = element("input", { type: "text", role: "searchbox", "aria-label": "Search this book", placeholder: "Search", autocomplete: "off", spellcheck: "false" });
  const results = element("ul", { class: "results", "aria-label": "Results" });
  const said = element("p", { class: "said" }, "Type a word, an input or an error.");
  const close = element("button", { type: "button" }, "Close");
  const made = element("dialog", { class: "search", "aria-label": "Search" }, element("div", { class: "search-bar" }, input, close), said, results);
  const index = load();

  const search = async (): Promise<void> => {
    const query = input.value.trim();
    let found: Found[] = [];
    let told = "Type a word, an input or an error.";
    try {
      const ask = await index;
      if (query !== input.value.trim()) return;
      if (query !== "") {
        found = ask(query);
        told = found.length === 0 ? `Nothing about “${query}”` : found.length === 1 ? "1 section" : `${found.length === MOST ? "The best " : ""}${found.length} sections`;
      }
    } catch (error) {
      told = `The search did not start (${error instanceof Error ? error.message : String(error)}). Reload the page to try again.`;
    }
    said.textContent = told;
    if (query !== "") announce(told);
    results.replaceChildren(...found.map(result));
  };

  input.addEventListener("input", () => void search());
  close.addEventListener("click", () => made.close());
  made.addEventListener("keydown", (event) => move(event, input, results));
  made.addEventListener("click", (event) => {
    // The dialog itself is hit only beside what is in it; a link within this page must not stay behind the dialog.
    if (event.target === made || (event.target as Element).closest("a")) made.close();
  });
  document.body.append(made);
  return made;
}

/** Arrows lead from the field through the results; Enter in the field opens the first. */
function move(event: KeyboardEvent, input: HTMLInputElement, results: HTMLElement): void {
  const stops: HTMLElement[] = [input, ...results.querySelectorAll("a")];
  if (event.key === "Enter" && document.activeElement === input) {
    event.preventDefault();
    stops[1]?.click();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  stops[Math.min(Math.max(at + step, 0), stops.length - 1)]?.focus();
}
