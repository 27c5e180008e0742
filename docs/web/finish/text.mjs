// Text out of HTML and into it.

const NAMES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", "#x27": "'", nbsp: "\u00a0" };

export const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export const unescaped = (html) => html.replace(/&(#?\w+);/g, (whole, name) => NAMES[name] ?? whole);

/** What a reader sees of some HTML, on one line: what stands within a line keeps words together, the rest parts them. */
export const plain = (html) =>
  unescaped(html.replace(/<\/?(?:a|b|code|em|i|span|strong|wbr)(?:\s[^>]*)?>/g, "").replace(/<[^>]+>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
