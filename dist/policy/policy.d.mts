/* tslint:disable */
/* eslint-disable */

/**
 * Checks a policy; `options` is JSON or empty, the answer a report in JSON.
 *
 * # Errors
 * If the options are not valid.
 */
export function check(text: string, options: string): string;

/**
 * The text with every fix applied that takes nothing away that somebody may need.
 *
 * # Errors
 * If the options are not valid.
 */
export function fix_all(text: string, options: string): string;

/**
 * The text laid out anew; as it is where it is no JSON.
 */
export function format(text: string): string;

/**
 * The findings alone, in JSON.
 *
 * # Errors
 * If the options are not valid.
 */
export function lint(text: string, options: string): string;

/**
 * Takes every service's action names and condition keys, the contents of `actions.txt`.
 */
export function load_actions(text: string): void;

/**
 * Answers `simulate-custom-policy`'s question, JSON in and out.
 *
 * # Errors
 * If the question or one of its policies is not valid.
 */
export function simulate(question: string): string;

/**
 * The tightest policy for the options.
 *
 * # Errors
 * If the options are not valid.
 */
export function tighten(options: string): string;

/**
 * The verdict alone, in JSON.
 *
 * # Errors
 * If the options are not valid.
 */
export function verdict(text: string, options: string): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly check: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly fix_all: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly format: (a: number, b: number) => [number, number];
    readonly lint: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly load_actions: (a: number, b: number) => void;
    readonly simulate: (a: number, b: number) => [number, number, number, number];
    readonly tighten: (a: number, b: number) => [number, number, number, number];
    readonly verdict: (a: number, b: number, c: number, d: number) => [number, number, number, number];
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
