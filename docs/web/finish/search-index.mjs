// What the search looks through: one entry for each section of each page. The page fetches it when somebody searches.
import { sections } from "./outline.mjs";
import { plain } from "./text.mjs";

/** Sections of one page as `[address, title, page's title, text]`. */
export function searchable(html, page) {
  const all = sections(html);
  const name = all.find(({ level }) => level === 1)?.title ?? page;
  return all.map(({ level, id, title, html }) => [
    level === 1 ? page : `${page}#${id}`,
    title,
    level === 1 ? "" : name,
    plain(html.replace(/<svg[\s\S]*?<\/svg>|<details class="outline">[\s\S]*?<\/details>/g, " ")),
  ]);
}
