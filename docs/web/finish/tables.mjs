// Tables become cards on a phone: where there are more than two columns, each cell carries its column's name for that, and all have the roles that a
// table loses when it is laid out as something else.
import { escaped, plain } from "./text.mjs";

/** Columns that need no name beside what they say. */
const PLAIN = new Set(["meaning", "what to do", "note"]);

/** Tables of more columns than these may be wider than a line of text. */
const BROAD = 4;

export function stackTables(html) {
  return html.replace(/<div class="table-wrapper">\s*<table>([\s\S]*?)<\/table>/g, (_, inside) => {
    const columns = [...inside.matchAll(/<th[^>]*>([\s\S]*?)<\/th>/g)].map((match) => plain(match[1]));
    let column = 0;
    const label = () => {
      const name = columns[column++] ?? "";
      return columns.length > 2 && !PLAIN.has(name) ? ` data-label="${escaped(name)}"` : "";
    };
    const rows = inside
      // A head that says nothing is none.
      .replace(/<th([^>]*)>\s*<\/th>/g, "<td$1></td>")
      .replace(/<th(?=[ >])/g, '<th role="columnheader"')
      .replace(/<(thead|tbody)(?=[ >])/g, '<$1 role="rowgroup"')
      .replace(/<tr(?=[ >])[\s\S]*?<\/tr>/g, (row) => {
        column = 0;
        return row
          .replace(/<tr/, '<tr role="row"')
          .replace(/<td(?=[ >])/g, () => `<td role="cell"${label()}`);
      });
    return `<div class="table-wrapper${columns.length > BROAD ? " broad" : ""}"><table class="cards" role="table">${rows}</table>`;
  });
}
