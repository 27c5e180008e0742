// How fast JavaScript's side is: `node policy.mjs ENGINE PEERS POLICY…` prints one JSON object. Rates are the best tenth
// of a second. With `--cold` behind them, only how long the start took; with `--alone`, how long Node needs to compile and
// instantiate the module, with nothing of ours around it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";

const [engine, peers, ...given] = process.argv.slice(2);
const files = given.filter((file) => !file.startsWith("--"));

const begun = performance.now();
if (given.includes("--alone")) {
  // By itself V8 only checks the module and compiles each function when it is first called: one that nobody calls would cost
  // nothing. What is measured here is the module compiled, all of it, on as many threads as V8 takes for it.
  setFlagsFromString("--no-wasm-lazy-compilation");
  const module = new WebAssembly.Module(readFileSync(join(engine, "policy_bg.wasm")));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  new WebAssembly.Instance(module, imports);
  console.log(JSON.stringify({ load: performance.now() - begun, first: 0 }));
  process.exit();
}
const policy = await import(resolve(engine, "policy.mjs"));
policy.initSync({ module: readFileSync(join(engine, "policy_bg.wasm")) });
const loaded = performance.now();
policy.check(readFileSync(files[0], "utf8"), "");
const checked = performance.now();
if (given.includes("--cold")) {
  console.log(JSON.stringify({ load: loaded - begun, first: checked - loaded }));
  process.exit();
}

function rate(run) {
  for (const until = performance.now() + 500; performance.now() < until; ) run();
  let best = 0;
  for (let n = 0; n < 10; n++) {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < 100) {
      for (let k = 0; k < 10; k++) run();
      count += 10;
    }
    best = Math.max(best, (count * 1000) / (performance.now() - start));
  }
  return best;
}

const { validateIdentityPolicy } = createRequire(join(resolve(peers), "x.js"))("@cloud-copilot/iam-policy");
const rates = files.map((file) => {
  const text = readFileSync(file, "utf8");
  return {
    verdict: rate(() => policy.verdict(text, "")),
    lint: rate(() => policy.lint(text, "")),
    check: rate(() => policy.check(text, "")),
    peer: rate(() => validateIdentityPolicy(JSON.parse(text))),
  };
});
console.log(JSON.stringify({ rates }));
