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
  writeFileSync(file, name.endsWith(".js") ? lean(new TextDecoder().decode(bytes)) : bytes);
}
