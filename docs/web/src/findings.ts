// The list of everything that is wrong, risky or better said otherwise: the same as the underlines, for people who read
// lists, listen to pages or use no mouse.
import { element, prose, sentence } from "./dom";
import type { Edit, Finding, FindingType, Fix, Report } from "./engine";

export interface Remark {
  finding: Finding;
  fix: Fix | undefined;
}

/** What of a remark can be seen in the list: its places move with every key, its words do not. */
export function visible({ finding, fix }: Remark): string {
  return [finding.issueCode, finding.findingDetails, finding.locations[0]?.span.start.line, fix?.title].join("\n");
}

interface Actions {
  goTo(start: number, end: number): void;
  apply(edits: Edit[]): void;
}

/** The list shows this many; the heading counts all. */
const MOST = 100;

const LOOK: Record<FindingType, { class: string; word: string; order: number }> = {
  ERROR: { class: "is-error", word: "Error", order: 0 },
  SECURITY_WARNING: { class: "is-warning", word: "Security warning", order: 1 },
  WARNING: { class: "is-warning", word: "Warning", order: 2 },
  SUGGESTION: { class: "is-info", word: "Suggestion", order: 3 },
};

// The verdict's rows say these already, each with its reason.
const IN_VERDICT = new Set(["SPRINTERS_MISSING_PERMISSION", "SPRINTERS_DENIED_PERMISSION", "SPRINTERS_CONDITIONAL_PERMISSION"]);

/** All remarks of a report, with their fixes, errors first. */
export function remarks(report: Report): Remark[] {
  const of = (list: Fix["list"]): Remark[] =>
    report[list].map((finding, at) => ({ finding, fix: report.fixes.find((fix) => fix.list === list && fix.finding === at) }));
  return [...of("findings"), ...of("advice")]
    .filter(({ finding, fix }) => fix !== undefined || !IN_VERDICT.has(finding.issueCode))
    .sort((a, b) => LOOK[a.finding.findingType].order - LOOK[b.finding.findingType].order);
}

/** Shows the list of what `current` gives; a click takes the place that the remark has by then. */
export function showFindings(place: HTMLElement, current: () => readonly Remark[], actions: Actions): void {
  const all = current();
  const heading = all.length === 0 ? "No findings" : all.length === 1 ? "1 finding" : `${all.length} findings`;
  const list = element("ul", { class: "findings", "aria-label": "Findings" });
  list.append(...all.slice(0, MOST).map((remark, at) => item(remark, () => current()[at], actions)));
  // A region that scrolls must be reachable by keyboard, even where nothing in it is.
  list.tabIndex = 0;
  const rest = all.length > MOST ? element("p", {}, `and ${all.length - MOST} more, underlined in the text`) : "";
  place.replaceChildren(element("h3", {}, heading), all.length > 0 ? list : "", rest);
}

function item({ finding, fix }: Remark, now: () => Remark | undefined, actions: Actions): HTMLElement {
  const look = LOOK[finding.findingType];
  const span = finding.locations[0]?.span;
  const place = span && element("button", { type: "button", class: "link" }, `line ${span.start.line}`);
  place?.addEventListener("click", () => {
    const at = now()?.finding.locations[0]?.span;
    if (at) actions.goTo(at.start.offset, at.end.offset);
  });
  const button = fix && element("button", { type: "button", class: "fix" }, ...prose(fix.title));
  button?.addEventListener("click", () => actions.apply(now()?.fix?.edits ?? []));
  const code = /^https:\/\/(docs\.aws\.amazon\.com|sprinters\.github\.io)\//.test(finding.learnMoreLink)
    ? element("a", { class: "issue", href: finding.learnMoreLink, rel: "noreferrer" }, finding.issueCode)
    : element("span", { class: "issue" }, finding.issueCode);
  return element(
    "li",
    { class: look.class, "data-code": finding.issueCode },
    element("p", {}, ...prose(sentence(finding.findingDetails))),
    element("div", { class: "about" }, element("strong", {}, look.word), place, code),
    button,
  );
}
