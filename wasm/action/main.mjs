// The workflow step: checks the named files and says what it found, as annotations on their lines and as a job summary.
// It reads files and writes to what GitHub gave it. It has no dependency, needs no credentials and opens no connection.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { Refused, annotation, command, line } from "./commands.mjs";
import { startEngine } from "./engine.mjs";
import { filesOf, read } from "./files.mjs";
import { readInputs } from "./inputs.mjs";
import { summaryOf } from "./summary.mjs";

const workspace = process.env.GITHUB_WORKSPACE || process.cwd();

/**
 * @import { Finding } from "./commands.mjs"
 * @import { Engine, Options, Report } from "./engine.mjs"
 * @import { Result } from "./summary.mjs"
 */

/**
 * Where GitHub takes outputs and summaries; at a terminal there is no such file.
 * @param {string} variable
 * @param {string} text
 */
function hand(variable, text) {
  const file = process.env[variable];
  if (file) appendFileSync(file, text);
}

/** GitHub shows no more for one step, so that the first must be the causes: https://docs.github.com/actions/reference/limits */
const MOST_ANNOTATIONS = 10;
const ORDER = ["ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"];

/**
 * Errors before warnings; what is missing only because of an error somewhere else is not said again.
 * @param {Report} report
 */
function causesFirst({ findings, advice, causes = [] }) {
  const follows = (/** @type {Finding} */ finding) =>
    finding.issueCode === "SPRINTERS_MISSING_PERMISSION" && causes.some(({ action }) => finding.findingDetails.startsWith(`\`${action}\``));
  const all = [...findings, ...advice.filter((finding) => !follows(finding))];
  return all.sort((a, b) => ORDER.indexOf(a.findingType) - ORDER.indexOf(b.findingType));
}

/**
 * @param {Engine} engine
 * @param {string} file
 * @param {Options} options
 * @returns {Result}
 */
function checkFile(engine, file, options) {
  const name = relative(workspace, file).replaceAll("\\", "/");
  const report = engine.check(read(file, workspace), options);
  const said = causesFirst(report);
  for (const finding of said.slice(0, MOST_ANNOTATIONS)) console.log(annotation(name, finding));
  const fails = ["refused", "lacks"].includes(report.headline.kind);
  const bad = fails || said.some(({ findingType }) => findingType === "ERROR");
  console.log(line(`${bad ? "✗" : "✓"} ${name}: ${report.headline.text}`));
  return { name, report, said, bad };
}

function main() {
  const { patterns, options } = readInputs(process.env);
  const { files, wrong: unreadable } = filesOf(patterns, workspace);
  const engine = startEngine();
  const results = files.flatMap((file) => {
    try {
      return [checkFile(engine, file, options)];
    } catch (error) {
      // One file that cannot be read does not hide what is found in the others.
      if (!isExpected(error)) throw error;
      unreadable.push(error.message);
      return [];
    }
  });
  const granted = unreadable.length === 0 && results.every(({ report }) => report.verdict.granted);
  hand("GITHUB_OUTPUT", `granted=${granted}\n`);
  hand("GITHUB_STEP_SUMMARY", summaryOf(results, unreadable));
  const bad = results.filter((result) => result.bad);
  if (bad.length > 0) {
    const names = bad.map(({ name }) => `\`${name}\``).join(", ");
    const message = `${bad.length} of ${results.length} policies failed: ${names}; annotations and summary say what to change`;
    console.log(command("error", { title: "Sprinters" }, message));
    process.exitCode = 1;
  }
  for (const message of unreadable) {
    console.log(command("error", { title: "Sprinters" }, message));
    process.exitCode = 2;
  }
}

/**
 * What has a code comes from the system: a file that cannot be read.
 * @param {unknown} error
 * @returns {error is Error}
 */
function isExpected(error) {
  return error instanceof Refused || (error instanceof Error && "code" in error);
}

try {
  main();
} catch (error) {
  if (!isExpected(error)) throw error;
  const messages = error instanceof Refused ? error.messages : [error.message];
  for (const message of messages) console.log(command("error", { title: "Sprinters" }, message));
  process.exitCode = 2;
}
