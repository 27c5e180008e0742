// The verdict: one banner, and one row for each permission.
import { element, prose, sentence } from "./dom";
import type { Decision, Permission, Verdict } from "./engine";

const WORD: Record<Decision, string> = {
  granted: "granted",
  conditional: "depends",
  missing: "missing",
  denied: "denied",
};

const SIGN: Record<Decision, string> = { granted: "✓", conditional: "?", missing: "✕", denied: "✕" };

const mark = (sign: string): HTMLElement => element("span", { class: "mark", "aria-hidden": "true" }, sign);

const plural = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** What the banner says: its look and its words. */
export function summary(verdict: Verdict): { decision: Decision; text: string } {
  const count = (decision: Decision): number => verdict.permissions.filter((p) => p.decision === decision).length;
  const all = verdict.permissions.length;
  if (verdict.granted) return { decision: "granted", text: `All ${all} permissions are granted` };
  const parts = [
    count("missing") > 0 && plural(count("missing"), "permission is missing", "permissions are missing"),
    count("denied") > 0 && plural(count("denied"), "is denied", "are denied"),
    count("conditional") > 0 && plural(count("conditional"), "depends on a condition", "depend on conditions"),
  ].filter((part) => part !== false);
  const decision = count("missing") > 0 ? "missing" : count("denied") > 0 ? "denied" : "conditional";
  return { decision, text: `Of ${all} permissions, ${parts.join(", ").replace(/permissions? /, "")}` };
}

/** Shows the verdict in `place`; `goTo` leads to a statement. */
export function showVerdict(place: HTMLElement, verdict: Verdict, goTo: (statement: number) => void): void {
  const { decision, text } = summary(verdict);
  place.replaceChildren(
    element("p", { class: `banner is-${decision}` }, mark(SIGN[decision]), text),
    element("ul", { class: "permissions", "aria-label": "Permissions" }, ...verdict.permissions.map((p) => row(p, goTo))),
    assumed(verdict),
  );
}

/** Shows one sentence instead of a verdict. */
export function showInstead(place: HTMLElement, kind: "info" | "error", ...text: (Node | string)[]): void {
  const words = element("span", {}, ...text);
  place.replaceChildren(element("p", { class: `banner is-${kind}` }, mark(kind === "error" ? "!" : "i"), words));
}

function row(permission: Permission, goTo: (statement: number) => void): HTMLElement {
  const { action, decision, explanation, statements, conditions = [] } = permission;
  const why = element("p", { class: "why" }, ...prose(sentence(explanation)));
  for (const condition of conditions) why.append(" ", ...prose(sentence(condition)));
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
  const known = [assumed?.region && `region \`${assumed.region}\``, assumed?.account && `account \`${assumed.account}\``].filter(Boolean);
  if (known.length === 0) return "";
  return element("p", { class: "why" }, ...prose(`Judged for ${known.join(" and ")}, the only one that the policy names.`));
}
