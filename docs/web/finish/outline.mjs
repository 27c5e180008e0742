// The sections of a page: its own contents, and what the search finds.
import { plain } from "./text.mjs";

const HEADING = /<h([1-4]) id="([^"]+)"[^>]*>([\s\S]*?)<\/h\1>/g;

/** Every heading of a page with the HTML that follows it: `{ level, id, title, html }`. */
export function sections(html) {
  const main = html.slice(html.indexOf("<main"), html.indexOf('<nav class="onward"'));
  const found = [...main.matchAll(HEADING)];
  return found.map((match, n) => ({
    level: Number(match[1]),
    id: match[2],
    title: plain(match[3]),
    html: main.slice(match.index + match[0].length, found[n + 1]?.index),
  }));
}

const list = (chapters, page) => `<ol>${chapters.map(({ id, title }) => `<li><a href="${page}#${id}">${title}</a></li>`).join("")}</ol>`;

/** Puts a page's chapters into its contents: below its name at the side, and folded below its title where there is no side. */
export function addOutline(html, page) {
  const chapters = sections(html).filter(({ level }) => level === 2);
  if (chapters.length < 2) return html;
  const folded = `<details class="outline"><summary>On this page</summary><nav aria-label="On this page">${list(chapters, page)}</nav></details>`;
  return html
    .replace(/<a href="[^"]+" aria-current="page">[\s\S]*?<\/a>/, (link) => `${link}<div class="chapters">${list(chapters, page)}</div>`)
    .replace(/<\/h1>/, (end) => `${end}\n${folded}`);
}
