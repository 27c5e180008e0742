// Transpiles a component for Node: `node transpile.mjs MODULES IN.wasm OUT_FOLDER`, where MODULES is the folder with
// jco's packages. What it imports is given at its start, by portable/worker.mjs.

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { lean } from "./lean.mjs";

const [modules, component, folder] = process.argv.slice(2).map((name) => path.resolve(name));
const jco = createRequire(path.join(modules, "package.json")).resolve("@bytecodealliance/jco-transpile");
const { transpile } = await import(pathToFileURL(jco));
// jco's own, with which it would minify what is not lean yet.
const { minifySync } = await import(pathToFileURL(createRequire(jco).resolve("oxc-minify")));

const { files } = await transpile(component, {
  name: "sprinters",
  instantiation: "sync",
  asyncMode: "sync",
  emitTypescriptDeclarations: false,
  nodejsCompat: true,
  validLiftingOptimization: true,
  wasiShim: false,
  minify: false,
});
for (const [name, bytes] of Object.entries(files)) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, name.endsWith(".js") ? small(name, lean(new TextDecoder().decode(bytes))) : bytes);
}

/**
 * Two thirds of the glue are for components of other kinds: nobody need download, read and keep it.
 * @param {string} name
 * @param {string} glue
 */
function small(name, glue) {
  const { code, errors } = minifySync(name, glue, { module: true, compress: true, mangle: true });
  if (errors.length > 0) throw new Error(`the glue cannot be minified: ${errors[0].message}`);
  return code;
}
