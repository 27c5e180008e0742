// GitHub's workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions

/** Inputs or a file that we can do nothing with; each message has all three parts. */
export class Refused extends Error {
  /** @param {string[]} messages */
  constructor(...messages) {
    super(messages.join("\n"));
    this.messages = messages;
  }
}

/** @typedef {{ line: number, column: number }} Position */
/** @typedef {"ERROR" | "SECURITY_WARNING" | "WARNING" | "SUGGESTION"} FindingType As IAM Access Analyzer names them. */
/** @typedef {{ span: { start: Position, end: Position } }} Location */
/** @typedef {{ findingType: FindingType, issueCode: string, findingDetails: string, locations: Location[] }} Finding */

/** The runner takes the old form of a command anywhere in a line: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
const broken = (/** @type {string} */ text) => text.replaceAll("##[", "##\u200b[");
const escaped = (/** @type {string} */ text) => broken(text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A"));
const property = (/** @type {string | number} */ text) => escaped(String(text)).replaceAll(":", "%3A").replaceAll(",", "%2C");

/**
 * `::name key=value,…::message`
 * @param {string} name
 * @param {Record<string, string | number>} properties
 * @param {string} message
 */
export function command(name, properties, message) {
  const listed = Object.entries(properties).map(([key, value]) => `${key}=${property(value)}`);
  return `::${name} ${listed.join(",")}::${escaped(message)}`;
}

/**
 * One line of the log with text from elsewhere in it (a file's name, a policy's Sid), which is never a command.
 * @param {string} text
 */
export function line(text) {
  const one = text.replace(/\p{Cc}+/gu, " ");
  return broken(one.replace(/^(\s*)::/, "$1\u200b::"));
}

const KIND = { ERROR: "error", SECURITY_WARNING: "warning", WARNING: "warning", SUGGESTION: "notice" };

/**
 * One finding as an annotation on its line. GitHub counts columns from 1, and takes them only on a single line.
 * @param {string} file
 * @param {Finding} finding
 */
export function annotation(file, finding) {
  const properties = { file };
  const span = finding.locations[0]?.span;
  if (span) {
    Object.assign(properties, { line: span.start.line, endLine: span.end.line });
    if (span.start.line === span.end.line) {
      Object.assign(properties, { col: span.start.column + 1, endColumn: span.end.column + 1 });
    }
  }
  return command(KIND[finding.findingType] ?? "notice", { ...properties, title: finding.issueCode }, finding.findingDetails);
}
