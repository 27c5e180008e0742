// The verdict: one banner, and one row for each permission.
import { element, prose, sentence } from "./dom";
import type { Decision, Headline, Permission, Report, Verdict } from "./engine";

const WORD: Record<Decision, string> = {
  granted: "granted",
  conditional: "depends",
  missing: "missing",
  denied: "denied",
};

const SIGN: Record<Decision, string> = { granted: "✓", conditional: "?", missing: "✕", denied: "✕" };

const mark = (sign: string): HTMLElement => element("span", { class: "mark", "aria-hidden": "true" }, sign);

const LOOK: Record<Headline["kind"], string> = {
  refused: "error",
  lacks: "missing",
  depends: "conditional",
  "too-wide": "conditional",
  works: "granted",
};

const HEADLINE_SIGN: Record<Headline["kind"], string> = { refused: "!", lacks: "✕", depends: "?", "too-wide": "!", works: "✓" };

/** Shows the verdict in `place`; `goTo` leads to a statement. */
export function showVerdict(place: HTMLElement, report: Report, goTo: (statement: number) => void): void {
  const { headline, verdict, causes = [] } = report;
  const line = (action: string): number | undefined => causes.find((cause) => cause.action === action)?.line;
  place.replaceChildren(
    element("p", { class: `banner is-${LOOK[headline.kind]}`, "data-kind": headline.kind }, mark(HEADLINE_SIGN[headline.kind]), headline.text),
    element("ul", { class: "permissions", "aria-label": "Permissions" }, ...verdict.permissions.map((p) => row(p, line(p.action), goTo))),
    assumed(verdict),
  );
}

/** Shows one sentence instead of a verdict. */
export function showInstead(place: HTMLElement, kind: "info" | "error", ...text: (Node | string)[]): void {
  const words = element("span", {}, ...text);
  place.replaceChildren(element("p", { class: `banner is-${kind}` }, mark(kind === "error" ? "!" : "i"), words));
}

function row(permission: Permission, cause: number | undefined, goTo: (statement: number) => void): HTMLElement {
  const { action, decision, explanation, statements, conditions = [] } = permission;
  const words = cause === undefined ? [explanation, ...conditions] : [`follows from line ${cause}`];
  const why = element("p", { class: "why" }, ...words.flatMap((text, n) => [n === 0 ? "" : " ", ...prose(sentence(text))]));
  for (const [n, statement] of statements.entries()) {
    const link = element("button", { type: "button", class: "link" }, `statement ${statement + 1}`);
    link.addEventListener("click", () => goTo(statement));
    why.append(n === 0 ? (decision === "denied" ? " Denied by " : " See ") : ", ", link);
  }
  return element(
    "li",
    { class: `is-${decision}`, "data-action": action, "data-decision": decision },
    mark(SIGN[decision]),
    element("span", { class: "action" }, action),
    element("span", { class: "chip" }, WORD[decision]),
    why,
  );
}

function assumed({ assumed }: Verdict): HTMLElement | string {
  const known = [assumed?.regions && `region \`${assumed.regions.join("`, `")}\``, assumed?.account && `account \`${assumed.account}\``, assumed?.partition && `partition \`${assumed.partition}\``].filter(Boolean);
  if (known.length === 0) return "";
  return element("p", { class: "why" }, ...prose(`Judged for ${known.join(" and ")}, the only one that the policy names.`));
}
