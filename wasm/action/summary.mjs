// The job summary: for each file its verdict, permission by permission, and its findings.

/**
 * @import { Finding } from "./commands.mjs"
 * @import { Report } from "./engine.mjs"
 */

/** @typedef {{ name: string, report: Report, said: Finding[], bad: boolean }} Result */

const SIGN = { granted: "✅", conditional: "❔", missing: "❌", denied: "❌" };

const KIND = { ERROR: "error", SECURITY_WARNING: "security warning", WARNING: "warning", SUGGESTION: "suggestion" };

/** Text from a policy in a cell of a table: neither a new column nor markup. */
const cell = (/** @type {string} */ text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("|", "\\|").replace(/[\r\n]+/g, " ");

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

/** @param {Result[]} results */
export function summaryOf(results) {
  return `${["## Sprinters: IAM policies", "", ...results.flatMap(section)].join("\n")}\n`;
}
