// Finishes what mdBook wrote: `node build.mjs OUT`. Bundles our scripts and styles under names that carry their hash, colours the code, draws the
// pictures, gives each page its own contents, writes the index for the search, and takes away mdBook's own files, which no page of ours asks for.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { draw } from "./finish/draw.mjs";
import { highlight } from "./finish/highlight.mjs";
import { breakNames } from "./finish/names.mjs";
import { addOutline } from "./finish/outline.mjs";
import { searchable } from "./finish/search-index.mjs";
import { stackTables } from "./finish/tables.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const out = process.argv[2];
const engine = process.env.POLICY_ENGINE || join(root, "dist", "policy");
if (!out) throw new Error("usage: node build.mjs OUT");
if (!existsSync(join(engine, "policy_bg.wasm"))) throw new Error(`no policy engine in ${engine}; run \`make dist\` first`);

const bundled = await build({
  absWorkingDir: here,
  entryPoints: ["src/site.ts", "src/theme.ts", "src/site.css"],
  outdir: join(out, "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  alias: { "policy-engine": engine },
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  loader: { ".wasm": "file", ".txt": "file", ".json": "text" },
  metafile: true,
  logLevel: "warning",
});

/** The names of the files that entry points became. */
const named = new Map(
  Object.entries(bundled.metafile.outputs)
    .filter(([, output]) => output.entryPoint)
    .map(([file, output]) => [basename(output.entryPoint).replace(/\.ts$/, ".js"), basename(file)]),
);

const ours = readdirSync(join(root, "docs", "src")).filter((entry) => !entry.endsWith(".md"));
const keep = new Set(["assets", ".nojekyll", ...ours]);
for (const entry of readdirSync(out)) {
  if (keep.has(entry) || (entry.endsWith(".html") && entry !== "toc.html")) continue;
  rmSync(join(out, entry), { recursive: true });
}

const version = readFileSync(join(root, "Cargo.toml"), "utf8").match(/^version = "([^"]+)"/m)?.[1];
if (!version) throw new Error("no version in Cargo.toml");

const pages = new Map(
  readdirSync(out)
    .filter((entry) => entry.endsWith(".html"))
    .map((page) => [page, finish(page, readFileSync(join(out, page), "utf8"))]),
);

const index = JSON.stringify([...pages].filter(([page]) => page !== "404.html").flatMap(([page, html]) => searchable(html, page)));
const indexName = `search-${createHash("sha256").update(index).digest("hex").slice(0, 8)}.json`;
writeFileSync(join(out, "assets", indexName), index);

for (const [page, html] of pages) {
  if (/<script(?![^>]*\bsrc=)|<style|\sstyle="|\son\w+="/.test(html.replace(/<code[\s\S]*?<\/code>/g, ""))) {
    throw new Error(`${page} has an inline script or style, which its Content-Security-Policy forbids`);
  }
  writeFileSync(join(out, page), html.replaceAll("assets/search.json", `assets/${indexName}`));
}
writeFileSync(join(out, "assets", "LICENSES.txt"), licences());
console.log(`Wrote ${relative(process.cwd(), out) || "."}`);

/** A page as readers get it. */
function finish(page, written) {
  let html = written.replace(`<a href="${page}">`, `<a href="${page}" aria-current="page">`).replaceAll("{version}", version);
  for (const [entry, file] of named) html = html.replaceAll(`assets/${entry}"`, `assets/${file}"`);
  return addOutline(stackTables(breakNames(highlight(draw(html)))), page);
}

/** The licence texts of the packages that were bundled: MIT asks that they go along. */
function licences() {
  const packages = new Set(
    Object.keys(bundled.metafile.inputs)
      .map((file) => file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
      .filter((name) => name !== undefined),
  );
  const text = (name) => {
    const folder = join(here, "node_modules", name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    return readFileSync(join(folder, file), "utf8").trim();
  };
  const ours = [...packages].sort().map((name) => `${name}\n\n${text(name)}\n`);
  // What is inside the engine and its tables.
  return [...ours, readFileSync(join(engine, "LICENSES"), "utf8")].join(`\n${"=".repeat(80)}\n`);
}
