// The policy engine: Rust, compiled to WebAssembly. Everything about policies is decided there; this page only shows it.
import init, { check, fix_all, format, load_actions, tighten } from "policy-engine/policy.mjs";
import programUrl from "policy-engine/policy_bg.wasm";
import actionsUrl from "policy-engine/actions.txt";

export type Feature =
  | "instance-profile"
  | "spot-service-linked-role"
  | "ssm-image-parameter"
  | "console"
  | "launch-template"
  | "capacity-reservation"
  | "image-by-name"
  | "bake";
export type Target = "managed" | "inline-user" | "inline-role" | "inline-group";
export type Decision = "granted" | "conditional" | "missing" | "denied";
export type FindingType = "ERROR" | "SECURITY_WARNING" | "WARNING" | "SUGGESTION";

/** What to check for; what is left out is not known. */
export interface Options {
  features: Feature[];
  target: Target;
  regions?: string[];
  account?: string;
  images?: string[];
  subnets?: string[];
  securityGroups?: string[];
  instanceTypes?: string[];
  role?: string;
}

export interface Position {
  line: number;
  column: number;
  /** In UTF-16 units, as the editor counts. */
  offset: number;
}

export interface Finding {
  findingDetails: string;
  findingType: FindingType;
  issueCode: string;
  learnMoreLink: string;
  locations: { span: { start: Position; end: Position } }[];
}

export interface Edit {
  start: number;
  end: number;
  newText: string;
}

export interface Fix {
  list: "findings" | "advice";
  finding: number;
  title: string;
  edits: Edit[];
}

export interface Permission {
  action: string;
  decision: Decision;
  explanation: string;
  statements: number[];
  conditions?: string[];
}

export interface Verdict {
  granted: boolean;
  /** Why IAM would not save the text; then the permissions are what it would be worth once that is fixed. */
  refused?: { errors: number; line: number };
  assumed?: { regions?: string[]; account?: string; partition?: string };
  permissions: Permission[];
}

/** The answer in one sentence; the terminal and the workflow step say the same. */
export interface Headline {
  kind: "refused" | "lacks" | "depends" | "too-wide" | "works";
  text: string;
}

/** A permission that would be granted if one of the findings were fixed. */
export interface Cause {
  action: string;
  finding: number;
  line: number;
}

export interface Report {
  headline: Headline;
  causes?: Cause[];
  findings: Finding[];
  advice: Finding[];
  fixes: Fix[];
  verdict: Verdict;
}

export interface Engine {
  check(text: string, options: Options): Report;
  /** The text with every fix applied that takes nothing away that somebody may need. */
  fixAll(text: string, options: Options): string;
  /** The text laid out anew; as it is where it is no JSON. */
  format(text: string): string;
  tighten(options: Options): string;
}

/** Starts the engine. */
export async function start(): Promise<Engine> {
  await init({ module_or_path: fetch(new URL(programUrl, import.meta.url)) });
  return {
    check: (text, options) => JSON.parse(check(text, JSON.stringify(options))) as Report,
    fixAll: (text, options) => fix_all(text, JSON.stringify(options)),
    format,
    tighten: (options) => tighten(JSON.stringify(options)),
  };
}

/** Lets the engine know the actions of all services, not only of those that Sprinters calls. */
export async function loadActions(): Promise<void> {
  const answer = await fetch(new URL(actionsUrl, import.meta.url));
  if (answer.ok) load_actions(await answer.text());
}
