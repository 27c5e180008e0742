// Packs the names of all services' actions for the page: nouns with the letters of their verbs. src/unpack-actions.ts undoes it.
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";

const source = readFileSync(new URL("../src/unpack-actions.ts", import.meta.url), "utf8");
const { VERBS, isKeys, unpack } = await import(`data:text/javascript,${encodeURIComponent(transformSync(source, { loader: "ts" }).code)}`);

function packService(service) {
  if (isKeys(service)) return service.trimEnd();
  const [head, ...lines] = service.trimEnd().split("\n");
  const nouns = new Map();
  const whole = [];
  for (const line of lines) {
    const name = line.replace("!", "");
    const verb = name.match(/^[A-Z][a-z]+/)?.[0];
    const letter = VERBS.indexOf(verb);
    if (letter < 0 || verb === name) {
      whole.push(line);
      continue;
    }
    const code = String.fromCharCode(97 + letter);
    const noun = name.slice(verb.length);
    nouns.set(noun, (nouns.get(noun) ?? "") + (line === name ? code : code.toUpperCase()));
  }
  return [head, ...[...nouns].sort().map(([noun, letters]) => `${noun} ${letters}`), ...whole].join("\n");
}

/** For esbuild: the page loads the packed text in place of `actions.txt`. */
export const packedActions = {
  name: "packed-actions",
  setup(build) {
    build.onLoad({ filter: /[/\\]actions\.txt$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const packed = text.split(/^(?=\[)/m).map(packService).join("\n");
      if (unpack(packed) !== text) throw new Error(`${path} does not survive its packing`);
      return { contents: packed, loader: "file" };
    });
  },
};
