// "Make it tight": the tightest policy for what was chosen, shown as a difference to what stands in the editor.
import { copyButton } from "./copy";
import { type Line, diff } from "./diff";
import { element } from "./dom";

interface Parts {
  fields: HTMLElement;
  current(): string;
  tight(): string;
  /** What is wrong with a field: then no policy is written. */
  wrong(): string | undefined;
  use(text: string): void;
}

/** How many unchanged lines are shown around changed ones. */
const CONTEXT = 3;

export interface Tight {
  button: HTMLButtonElement;
  section: HTMLElement;
  /** Call it when the text or the choices have changed. */
  update(): void;
}

export function makeTight({ fields, current, tight, wrong, use }: Parts): Tight {
  const changes = element("pre", { class: "diff", role: "group", "aria-label": "What would change" });
  changes.tabIndex = 0;
  const said = element("p", { class: "why" });
  const take = element("button", { type: "button", class: "primary" }, "Use this policy");
  const close = element("button", { type: "button" }, "Close");
  const copy = copyButton("Copy it", tight);
  const section = element(
    "section",
    { class: "checker-tight", id: "tight", "aria-labelledby": "tight-title", hidden: true },
    element("h3", { id: "tight-title" }, "The tightest policy"),
    element("p", { class: "why" }, "For the features chosen above. Everything that you fill in narrows it further; what is empty stays open."),
    fields,
    said,
    changes,
    element("div", { class: "tight-buttons" }, take, copy, close),
  );
  const button = element("button", { type: "button", class: "primary", "aria-expanded": "false", "aria-controls": "tight" }, "Make it tight…");

  const update = (): void => {
    if (section.hidden) return;
    const mistake = wrong();
    copy.hidden = changes.hidden = mistake !== undefined;
    if (mistake !== undefined) {
      said.textContent = mistake;
      take.disabled = true;
      return;
    }
    const lines = diff(current(), tight());
    const changed = lines.length - count(lines, "same");
    said.textContent =
      changed === 0
        ? "This is what the editor has."
        : `${count(lines, "added")} lines are new, ${count(lines, "removed")} go:`;
    take.disabled = changed === 0;
    changes.replaceChildren(...shown(lines));
  };
  const set = (open: boolean): void => {
    section.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    update();
    (open ? section.querySelector("input") : button)?.focus({ preventScroll: !open });
  };
  button.addEventListener("click", () => set(section.hidden));
  close.addEventListener("click", () => set(false));
  take.addEventListener("click", () => {
    use(tight());
    set(false);
  });
  return { button, section, update };
}

const count = (lines: Line[], which: Line["kind"]): number => lines.filter(({ kind }) => kind === which).length;

function shown(lines: Line[]): HTMLElement[] {
  const near = (at: number): boolean => lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== "same");
  const out: HTMLElement[] = [];
  let skipped = 0;
  const skip = (): void => {
    if (skipped > 0) out.push(element("span", { class: "skipped" }, `  … ${skipped === 1 ? "one line" : `${skipped} lines`} as before`));
    skipped = 0;
  };
  lines.forEach(({ kind, text }, at) => {
    if (kind === "same" && !near(at)) {
      skipped++;
      return;
    }
    skip();
    const sign = { same: "  ", added: "+ ", removed: "- " }[kind];
    out.push(element("span", { class: kind }, sign + text));
  });
  skip();
  return out;
}
