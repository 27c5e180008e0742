// Takes out of jco's glue what this component has no use for.
//
// It waits in `wasi:io/poll` alone and its host answers every call at once, but jco keeps a task and a subtask for every
// import that is called, for the calls of WASI 0.3 that end later. A request makes some hundred calls: their bookkeeping took
// more of the processor than the program itself.

// Its debug log asks the environment for its variable at every call of every import.
const DEBUGGED = /\bglobalThis\?\.process\?\.env\?\.JCO_DEBUG\b/g;
// What jco puts between the module and the function that carries a call out.
const LOWERED = /^ {2}let (trampoline\d+) = _\1\.manuallyAsync \? [^]*?^ {2}\);$/gm;
const TRAMPOLINE = /^ {2}const _trampoline\d+ = function\([^]*?^ {2}\}$/gm;

// Within each: what is there, and what takes its place.
/** @type {[string, RegExp, string][]} */
const BOOKKEEPING = [
  ["a task's beginning", /^ {4}const hostProvided = true;$[^]*?^ {4}const started = task\.enterSync\(\);$\n/m, ""],
  [
    "a call within a task",
    /_withGlobalCurrentTaskMeta\(\{\s*componentIdx: task\.componentIdx\(\),\s*taskID: task\.id\(\),\s*fn: \(\) => _trackHostOperation\(\(\) => (.+)\),\s*\}\)\s*;/,
    "$1;",
  ],
  ["a task's end", /^ {4}task\.resolve\(\[.*\]\);\n {4}task\.exit\(\);\n/m, ""],
];
// And in every function. This host answers with objects of its own classes alone and keeps each until the component drops it, so that
// none has to be made up for a call, and none is lent for a call that could outlive it.
/** @type {[string, RegExp, string][]} */
const RESOURCES = [
  [
    "an object made up for a handle",
    /if \(!(rsc\d+)\) \{\n *\1 = Object\.create\(\w+\.prototype\);\n(?: *Object\.defineProperty\(\1, .*\n){2} *\}/g,
    "if (!$1) { throw new TypeError('unknown resource'); }",
  ],
  ["a loan", /^ *curResourceBorrows\.push\(rsc\d+\);\n/gm, ""],
  ["the end of loans", /^ *for \(const entry of curResourceBorrows\) \{$[^]*?^ *\}\n *curResourceBorrows = \[\];\n/gm, ""],
  ["a list of all handles that there ever were", /^ *table\._createdReps\.add\(rep\);\n/gm, ""],
  ["a guard before a drop", /_guardMayLeave\(0, (trampoline\d+)\)/g, "$1"],
];
const LOGGED = /^ *_debugLog\((?:'[^'\n]*'|"[^"\n]*")(?:, \{[^{}]*\})?\);\n/gm;
const FAILED = /^ *task\.(?:setErrored|reject)\(err\);\n|^ *task\.exit\(\);\n/gm;

/** @param {string} glue */
export function lean(glue) {
  const lowered = glue.match(LOWERED)?.length ?? 0;
  const trampolines = glue.match(TRAMPOLINE)?.length ?? 0;
  if (lowered === 0 || lowered !== trampolines) {
    throw new Error(`jco's glue has changed: ${trampolines} functions for imports, ${lowered} of them found lowered`);
  }
  const without = glue
    .replace(DEBUGGED, "false")
    .replace(LOWERED, "  const $1 = _$1;")
    .replace(TRAMPOLINE, withoutTask);
  const result = RESOURCES.reduce((rest, [what, pattern, instead]) => replaced(rest, what, pattern, instead), without);
  if ((result.match(/\bcurResourceBorrows\b/g) ?? []).length !== 1) throw new Error("jco's glue has changed: a loan is left");
  return result;
}

/**
 * @param {string} glue
 * @param {string} what
 * @param {RegExp} pattern
 * @param {string} instead
 */
function replaced(glue, what, pattern, instead) {
  const result = glue.replace(pattern, instead);
  if (result === glue) throw new Error(`jco's glue has changed: no sign of ${what}`);
  return result;
}

/** @param {string} trampoline */
function withoutTask(trampoline) {
  const name = trampoline.trim().split("\n", 1)[0];
  let rest = trampoline;
  for (const [what, pattern, instead] of BOOKKEEPING) {
    if (!pattern.test(rest)) throw new Error(`jco's glue has changed: no sign of ${what} in \`${name}\``);
    rest = rest.replace(pattern, instead);
  }
  rest = rest.replace(LOGGED, "").replace(FAILED, "");
  if (/\b(?:task|subtask|parentTask)\b/.test(rest)) throw new Error(`jco's glue has changed: a task is left in \`${name}\``);
  return rest;
}
