// The editor: CodeMirror in a shadow root. There it adopts its styles as style sheets, where in the page itself it would
// write <style> elements, which the Content-Security-Policy forbids.
import { defaultKeymap, history, historyKeymap, redo, undo } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { HighlightStyle, bracketMatching, ensureSyntaxTree, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics, setDiagnosticsEffect } from "@codemirror/lint";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { prose, sentence } from "./dom";
import type { Edit, Finding, FindingType, Fix } from "./engine";
import type { Remark } from "./findings";
import { lookOfEditor } from "./editor-look";

/** Nobody reads more underlines than this, and each costs time. */
const MOST_UNDERLINES = 400;
/** The syntax tree of text that is nested deeper than this would overflow the browser's stack. */
const DEEPEST = 400;

const SEVERITY: Record<FindingType, Diagnostic["severity"]> = {
  ERROR: "error",
  SECURITY_WARNING: "warning",
  WARNING: "warning",
  SUGGESTION: "info",
};

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-key)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--accent)" },
]);

export interface Editor {
  text(): string;
  /** Replaces everything, as one step that can be undone. */
  replace(text: string): void;
  apply(edits: Edit[]): void;
  /** Underlines remarks at another time than right after a change. */
  show(remarks: readonly Remark[]): void;
  /** Selects a place and scrolls to it. */
  goTo(start: number, end?: number): void;
  goToStatement(index: number): void;
  focus(): void;
  undo(): void;
  redo(): void;
}

interface Calls {
  /** What there is to say of a new text, or nothing yet. It goes into the very change that brings the text: one step for the browser. */
  check(text: string): readonly Remark[] | undefined;
  /** The text has changed, and is on the screen with its underlines. */
  changed(): void;
}

/** Puts an editor into `host`. */
export function makeEditor(host: HTMLElement, text: string, { check, changed }: Calls): Editor {
  const root = host.attachShadow({ mode: "open" });
  const language = new Compartment();
  let deep = isDeep(text);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        language.of(deep ? [] : json()),
        syntaxHighlighting(colours),
        placeholder("Paste a policy here: the JSON text from IAM, from { to }"),
        // Without a binding for Tab: it leads on to the next control, as everywhere else in the page.
        keymap.of([...lintKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.domEventHandlers({ beforeinput: replaceOurselves }),
        EditorView.contentAttributes.of({ "aria-label": "IAM policy", spellcheck: "false", autocapitalize: "off" }),
        EditorState.transactionExtender.of((change) => {
          const remarks = change.docChanged ? check(change.newDoc.toString()) : undefined;
          return remarks ? { effects: setDiagnosticsEffect.of(diagnostics(change.newDoc, remarks)) } : null;
        }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          const now = isDeep(update.state.doc.toString());
          if (now !== deep) {
            deep = now;
            // Not inside of the update that it follows from.
            queueMicrotask(() => view.dispatch({ effects: language.reconfigure(now ? [] : json()) }));
          }
          changed();
        }),
        lookOfEditor,
      ],
    }),
  });

  const goTo = (start: number, end = start): void => {
    const last = view.state.doc.length;
    view.dispatch({ selection: { anchor: Math.min(start, last), head: Math.min(end, last) }, scrollIntoView: true });
    view.focus();
  };

  return {
    text: () => view.state.doc.toString(),
    replace: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } }),
    apply: (edits) => applyTo(view, edits),
    show: (remarks) => view.dispatch(setDiagnostics(view.state, diagnostics(view.state.doc, remarks))),
    goTo,
    goToStatement(index) {
      const place = statementAt(view.state, index);
      if (place) goTo(place.from, place.to);
    },
    focus: () => view.focus(),
    undo: () => void undo(view),
    redo: () => void redo(view),
  };
}

function applyTo(view: EditorView, edits: Edit[]): void {
  view.dispatch({
    changes: edits.map(({ start, end, newText }) => ({ from: start, to: end, insert: newText })),
    userEvent: "input.fix",
    scrollIntoView: true,
  });
}

/** Left to Chromium, text over a selection of several lines gets style attributes, which the policy of this site forbids. */
function replaceOurselves(event: InputEvent, view: EditorView): boolean {
  const { state } = view;
  if (event.inputType !== "insertText" || event.data === null || view.composing || state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

function diagnostics(doc: Text, remarks: readonly Remark[]): Diagnostic[] {
  return remarks.slice(0, MOST_UNDERLINES).flatMap(({ finding, fix }) => underlines(doc, finding, fix));
}

function underlines(doc: Text, finding: Finding, fix: Fix | undefined): Diagnostic[] {
  return finding.locations.map(({ span }) => ({
    from: Math.min(span.start.offset, doc.length),
    // Of a whole statement, its first line: more would bury what is underlined inside.
    to: Math.min(span.end.offset, doc.lineAt(Math.min(span.start.offset, doc.length)).to),
    severity: SEVERITY[finding.findingType],
    source: finding.issueCode,
    message: finding.findingDetails,
    renderMessage: () => {
      const box = document.createElement("span");
      box.append(...prose(sentence(finding.findingDetails)));
      return box;
    },
    ...(fix ? { actions: [{ name: fix.title, apply: (view: EditorView) => applyTo(view, fix.edits) }] } : {}),
  }));
}

/** Where the statement of that number stands. */
function statementAt(state: EditorState, index: number): { from: number; to: number } | null {
  const top = ensureSyntaxTree(state, state.doc.length, 200)?.topNode.firstChild;
  for (const property of top?.getChildren("Property") ?? []) {
    const name = property.getChild("PropertyName");
    if (!name || state.sliceDoc(name.from, name.to) !== '"Statement"') continue;
    const list = property.getChild("Array");
    return (list ? list.getChildren("Object")[index] : property.getChild("Object")) ?? null;
  }
  return null;
}

function isDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === 0x5b || letter === 0x7b) {
      if (++depth > DEEPEST) return true;
    } else if (letter === 0x5d || letter === 0x7d) depth--;
  }
  return false;
}
