// Which files a pattern names. Node's own glob is newer than some runners' Node, and this needs three signs only.
import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { Refused } from "./commands.mjs";

/**
 * A pattern with `*`, `**` and `?` as an expression over whole paths with `/`.
 * @param {string} pattern
 */
export function expression(pattern) {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === "**/") return "(?:[^/]+/)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}

/**
 * All files below `folder`, as paths with `/`, without what no policy lies in.
 * @param {string} folder
 * @returns {Generator<string, void>}
 */
function* walk(folder, under = "") {
  for (const entry of readdirSync(join(folder, under), { withFileTypes: true })) {
    const path = under === "" ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== ".git" && entry.name !== "node_modules") yield* walk(folder, path);
    } else if (entry.isFile() || entry.isSymbolicLink()) yield path;
  }
}

/**
 * The files that the patterns name, each once, in order; and what is wrong with the patterns that name none.
 * @param {string[]} patterns
 * @param {string} folder
 */
export function filesOf(patterns, folder) {
  const all = [...walk(folder)];
  /** @type {Set<string>} */
  const found = new Set();
  /** @type {string[]} */
  const wrong = [];
  for (const pattern of patterns) {
    const wanted = expression(pattern.replaceAll("\\", "/").replace(/^(\.\/)+/, ""));
    const matching = all.filter((path) => wanted.test(path)).sort();
    if (matching.length === 0) {
      wrong.push(`input \`policy\`: no file is named by \`${pattern}\`; patterns start at the checkout's root, and the checkout must come before this step`);
    }
    for (const path of matching) found.add(join(folder, path.replaceAll("/", sep)));
  }
  return { files: [...found], wrong };
}

/** IAM takes 20,480 characters at the most; whatever is larger than this is not a policy. */
const LARGEST = 1024 * 1024;

/**
 * The text of a regular file of the checkout. A link may lead to another of its files, not out of it.
 * @param {string} file
 * @param {string} folder
 */
export function read(file, folder) {
  const refuse = (/** @type {string} */ why) => new Refused(`input \`policy\`: \`${relative(folder, file)}\` ${why}`);
  const real = realpathSync(file);
  if (!real.startsWith(realpathSync(folder) + sep)) throw refuse("is a link that leads out of the checkout; name the file itself");
  const found = statSync(real);
  if (!found.isFile()) throw refuse("is not a regular file");
  if (found.size > LARGEST) throw refuse(`has ${found.size} bytes, which no policy has; narrow the pattern`);
  try {
    return decoded(readFileSync(real));
  } catch {
    throw refuse("is not UTF-8; save it in that encoding");
  }
}

/**
 * The text of a file in UTF-8. Before one in UTF-16 stands a sign by which the engine knows it, and says so.
 * @param {Buffer} bytes
 */
export function decoded(bytes) {
  const mark = bytes.toString("hex", 0, 2);
  if (mark !== "fffe" && mark !== "feff") return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return `\ufffe${new TextDecoder(mark === "fffe" ? "utf-16le" : "utf-16be").decode(bytes)}`;
}
