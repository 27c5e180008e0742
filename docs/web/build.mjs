// Finishes what mdBook wrote: `node build.mjs OUT`. Bundles our scripts and styles under names that carry their hash, puts
// those names into the pages, marks the current page in each one's contents, and takes away mdBook's own files, which no page
// of ours asks for.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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

/** The name of the file that an entry point became. */
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

for (const page of readdirSync(out).filter((entry) => entry.endsWith(".html"))) {
  const path = join(out, page);
  let html = readFileSync(path, "utf8");
  for (const [entry, file] of named) html = html.replaceAll(`assets/${entry}"`, `assets/${file}"`);
  html = html.replace(`<a href="${page}">`, `<a href="${page}" aria-current="page">`);
  if (/<script(?![^>]*\bsrc=)|<style|\sstyle="|\son\w+="/.test(html.replace(/<code[\s\S]*?<\/code>/g, ""))) {
    throw new Error(`${page} has an inline script or style, which its Content-Security-Policy forbids`);
  }
  writeFileSync(path, html);
}
writeFileSync(join(out, "assets", "LICENSES.txt"), licences());
console.log(`Wrote ${relative(process.cwd(), out) || "."}`);

/** The licence texts of the packages that were bundled: MIT asks that they go along. */
function licences() {
  const packages = new Set(
    Object.keys(bundled.metafile.inputs)
      .map((file) => file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
      .filter((name) => name !== undefined),
  );
  const text = (name) => readFileSync(join(here, "node_modules", name, "LICENSE"), "utf8").trim();
  const ours = [...packages].sort().map((name) => `${name}\n\n${text(name)}\n`);
  // What is inside the engine and its tables.
  return [...ours, readFileSync(join(engine, "LICENSES"), "utf8")].join(`\n${"=".repeat(80)}\n`);
}
