// The policy checker: the editor, what the engine says about its text, and what one can do about that.
import { announce, copyButton } from "./copy";
import { element, prose, sentence } from "./dom";
import { makeEditor } from "./editor";
import { type Engine, type Report, loadActions, start } from "./engine";
import { BROKEN, type Example, GOOD } from "./examples";
import { type Remark, remarks, showFindings, visible } from "./findings";
import { keepFocus } from "./focus";
import { type Setup, makeSetup } from "./setup";
import { TooLarge, carriedInAddress, isShared, linkTo, policyInAddress } from "./share";
import { keep, recall } from "./stored";
import { makeTight } from "./tight";
import { showInstead, showVerdict } from "./verdict";

/** Texts longer than this are checked when the typing rests, not at every key. */
const LARGE = 100_000;
const REST = 150;
const DRAFT = "policy-draft";

const EMPTY = "The box is empty. Paste the JSON of an IAM policy, from { to }, or load an example.";

const PROMISE =
  "Checked in this page, by WebAssembly: what you type does not leave it. The page may not connect to any other site, and once loaded the " +
  "checker asks for nothing. The text stays in this tab until you close it. A copied link carries the policy and what you " +
  "filled in behind its #, which browsers do not send to servers.";

export async function mount(place: HTMLElement): Promise<void> {
  let engine: Engine;
  try {
    engine = await start();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    place.replaceChildren(element("p", { class: "checker-loading" }, `The checker did not start (${why}). Reload the page to try again.`));
    return;
  }
  build(place, engine, await firstText());
  // A link that carries a policy means the checker, far down in its page.
  if (isShared()) showChecker(place);
}

function showChecker(place: HTMLElement): void {
  (document.getElementById("check-a-policy") ?? place).scrollIntoView();
}

interface First {
  text: string;
  note?: string;
}

async function firstText(): Promise<First> {
  const fallback = recall("sessionStorage", DRAFT) ?? GOOD[0]?.text ?? "";
  try {
    return { text: (await policyInAddress()) ?? fallback };
  } catch (error) {
    const what = error instanceof TooLarge ? "has more than 1 MB, which no policy has" : "is damaged";
    return { text: fallback, note: `The policy in this link ${what}: ask for the link again, or paste the policy.` };
  }
}

function build(place: HTMLElement, engine: Engine, first: First): void {
  const verdict = element("section", { class: "checker-verdict", "aria-label": "Verdict" });
  const findings = element("section", { class: "checker-findings", "aria-label": "Findings" });
  const host = element("div", { class: "checker-host" });
  let report: Report | undefined;
  let all: Remark[] = [];
  const check = (text: string): Remark[] => {
    report = text.trim() === "" ? undefined : engine.check(text, setup.options());
    all = report ? remarks(report) : [];
    return all;
  };
  let resting: ReturnType<typeof setTimeout> | undefined;
  const setup = makeSetup(() => checkAgain());
  setup.take(carriedInAddress());
  const editor = makeEditor(host, first.text, {
    check: (text) => (text.length < LARGE ? check(text) : undefined),
    changed: () => {
      clearTimeout(resting);
      if (editor.text().length < LARGE) show();
      else resting = setTimeout(checkAgain, REST);
    },
  });
  const checkAgain = (): void => {
    editor.show(check(editor.text()));
    show();
  };
  const tight = makeTight({
    fields: setup.fields,
    current: editor.text,
    tight: () => engine.tighten(setup.options()),
    wrong: setup.wrong,
    use: (text) => {
      editor.replace(text);
      editor.focus();
    },
  });

  let shown = "";
  const show = (): void => {
    const now = JSON.stringify([report?.headline, report?.verdict, all.map(visible)]);
    // Most keystrokes change nothing but the text: then the lists stay as they are, and so does what has the focus in them.
    if (now !== shown) {
      shown = now;
      const unreadable = report && notAPolicy(report, editor.text());
      const judged = report;
      keepFocus(verdict, () => {
        if (!judged) showInstead(verdict, "info", EMPTY);
        else if (unreadable) showInstead(verdict, "error", ...prose(sentence(unreadable)));
        else showVerdict(verdict, judged, editor.goToStatement);
      });
      keepFocus(findings, () => showFindings(findings, () => all, { goTo: editor.goTo, apply: editor.apply }));
      announceSoon(report ? (unreadable ?? `${report.headline.text}, ${all.length} findings`) : EMPTY);
    }
    tight.update();
  };

  place.replaceChildren(
    element("div", { class: "checker-bar" }, chooser((text) => editor.replace(text)), ...setup.bar),
    element("div", { class: "checker-work" }, element("div", { class: "checker-editor" }, host, actions(editor, engine, setup, tight.button)), verdict),
    tight.section,
    findings,
    element("p", { class: "checker-note" }, PROMISE),
  );
  checkAgain();
  keepOnLeaving(editor.text);
  if (first.note) showInstead(verdict, "error", first.note);
  window.addEventListener("hashchange", async () => {
    const { text, note } = await firstText();
    if (note) showInstead(verdict, "error", note);
    else if (isShared()) {
      setup.take(carriedInAddress());
      editor.replace(text);
      checkAgain();
      showChecker(place);
    }
  });
  // At rest, and not when a policy first needs them: by then the reader may be offline, and was promised that nothing is asked for.
  void loadActions().then(checkAgain, () => undefined);
}

function actions(editor: ReturnType<typeof makeEditor>, engine: Engine, setup: Setup, tighten: HTMLButtonElement): HTMLElement {
  const change = (label: string, to: (text: string) => string): HTMLButtonElement => {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => {
      const text = editor.text();
      const changed = to(text);
      if (changed !== text) editor.replace(changed);
    });
    return button;
  };
  const undo = element("button", { type: "button" }, "Undo");
  undo.addEventListener("click", editor.undo);
  const redo = element("button", { type: "button" }, "Redo");
  redo.addEventListener("click", editor.redo);
  return element(
    "div",
    { class: "checker-actions" },
    change("Fix all", (text) => engine.fixAll(text, setup.options())),
    change("Format", engine.format),
    tighten,
    copyButton("Copy policy", editor.text),
    copyButton("Copy link", () => linkTo(editor.text(), setup.carried())),
    element("span", { class: "pair" }, undo, redo),
  );
}

/** The examples, to load one. */
function chooser(load: (text: string) => void): HTMLElement {
  const select = element("select", { name: "example" }, element("option", { value: "" }, "Choose…"));
  const group = (label: string, examples: Example[], from: number): HTMLElement =>
    element("optgroup", { label }, ...examples.map(({ name }, n) => element("option", { value: String(from + n) }, name)));
  select.append(group("That work", GOOD, 0), group("Broken", BROKEN, GOOD.length));
  select.addEventListener("change", () => {
    const example = [...GOOD, ...BROKEN][Number(select.value)];
    if (select.value !== "" && example) load(example.text);
    select.value = "";
  });
  return element("label", { class: "field" }, "Load an example", select);
}

/** One sentence, where the text is nothing that a verdict could be about: what the engine says first of it. */
function notAPolicy(report: Report, text: string): string | undefined {
  if (/"Statement"\s*:/i.test(text)) return undefined;
  return report.findings.find(({ findingType }) => findingType === "ERROR")?.findingDetails ?? "There is no `Statement` in this text: it is not a policy";
}

let announcing: ReturnType<typeof setTimeout> | undefined;

/** Says the result to people who listen, once the typing rests. */
function announceSoon(text: string): void {
  clearTimeout(announcing);
  announcing = setTimeout(() => announce(text), 700);
}

/** Keeps the text over a reload. */
function keepOnLeaving(text: () => string): void {
  window.addEventListener("pagehide", () => keep("sessionStorage", DRAFT, text()));
}
