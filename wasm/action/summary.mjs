// The job summary: for each file its verdict, permission by permission, and its findings.

/**
 * @import { Finding } from "./commands.mjs"
 * @import { Report } from "./engine.mjs"
 */

/** @typedef {{ name: string, report: Report, said: Finding[], bad: boolean }} Result */

const SIGN = { granted: "✅", conditional: "❔", missing: "❌", denied: "❌" };

const KIND = { ERROR: "error", SECURITY_WARNING: "security warning", WARNING: "warning", SUGGESTION: "suggestion" };

/** Numeric references, which are characters and never syntax, for all that has a meaning in Markdown or HTML. */
const escaped = (/** @type {string} */ text) => text.replace(/[&<>|\\`*_[\]~$@]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** What a code span in a cell cannot hold is written as HTML. */
const code = (/** @type {string} */ text) => (/[|\\[]|^\s*$/.test(text) ? `<code>${escaped(text)}</code>` : `\`${text}\``);

/**
 * A message with text from a policy in it: code spans stay, and nothing in it ends the cell or is markup.
 * @param {string} text
 */
function cell(text) {
  const parts = text.replace(/\p{Cc}+/gu, " ").split("`");
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return escaped(part);
      // A backtick without its partner is a character.
      return index + 1 < parts.length ? code(part) : escaped(`\`${part}`);
    })
    .join("");
}

const table = (/** @type {string[]} */ head, /** @type {string[][]} */ rows) => [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`), ""];

/** @param {Result} result */
function section({ name, report, said, bad }) {
  const permissions = report.verdict.permissions.map(({ action, decision, explanation }) => [SIGN[decision], `\`${action}\``, explanation]);
  const findings = said.map((finding) => [
    String(finding.locations[0]?.span.start.line ?? ""),
    KIND[finding.findingType],
    `\`${finding.issueCode}\``,
    finding.findingDetails,
  ]);
  return [
    `### ${bad ? "❌" : "✅"} ${cell(name)}`,
    "",
    `${cell(report.headline.text)}.`,
    "",
    ...table(["", "Permission", "What follows"], permissions),
    ...(findings.length > 0 ? table(["Line", "Kind", "Check", "Finding"], findings) : ["No findings.", ""]),
  ];
}

/**
 * @param {Result[]} results
 * @param {string[]} unreadable What could not be checked, and why.
 */
export function summaryOf(results, unreadable) {
  const unchecked = unreadable.length > 0 ? ["### ❌ Not checked", "", ...unreadable.map((message) => `- ${cell(message)}`), ""] : [];
  return `${["## Sprinters: IAM policies", "", ...results.flatMap(section), ...unchecked].join("\n")}\n`;
}
