// Coloured code, at build time: the page gets marked-up text and no highlighter.
import Prism from "prismjs";
import loadLanguages from "prismjs/components/index.js";
import { unescaped } from "./text.mjs";

/** What the book's blocks are called, and what Prism calls it. `text` stays as it is. */
const LANGUAGES = { yaml: "yaml", json: "json", sh: "bash", hcl: "hcl", toml: "toml", diff: "diff", ini: "ini", dockerfile: "docker", rust: "rust" };

loadLanguages([...new Set(Object.values(LANGUAGES))]);
// What has no colour needs no mark, and a name such as `eu-central-1` stays in one piece.
delete Prism.languages.yaml.number;
for (const language of Object.values(LANGUAGES)) delete Prism.languages[language].punctuation;
Prism.hooks.add("wrap", (token) => {
  // Kind and alias are enough to colour by, and half of the bytes.
  token.classes = token.classes.filter((name) => name !== "token");
});

export function highlight(html) {
  return html.replace(/<code class="language-(\w+)([^"]*)">([\s\S]*?)<\/code>/g, (whole, name, more, code) => {
    const language = LANGUAGES[name];
    if (!language) return whole;
    return `<code class="language-${name}${more} coloured">${Prism.highlight(unescaped(code), Prism.languages[language], language)}</code>`;
  });
}
