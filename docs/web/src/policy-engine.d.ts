// What `make dist` builds out of wasm/ (see .ci/policy), as far as this page uses it.
declare module "policy-engine/policy.mjs" {
  export default function init(options: { module_or_path: Promise<Response> }): Promise<unknown>;
  export function check(text: string, options: string): string;
  export function fix_all(text: string, options: string): string;
  export function format(text: string): string;
  export function tighten(options: string): string;
  export function load_actions(text: string): void;
}
declare module "policy-engine/policy_bg.wasm" {
  const url: string;
  export default url;
}
declare module "policy-engine/actions.txt" {
  const url: string;
  export default url;
}
