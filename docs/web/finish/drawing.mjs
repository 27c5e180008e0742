// Drawn screens: what somebody sees in a console, reduced to what matters, as SVG in the page's own colours. Classes, no attributes of style: the
// look is src/drawings.css, so that both themes and the Content-Security-Policy hold.
import { escaped } from "./text.mjs";

export const WIDTH = 480;
const LEFT = 24;
const INNER = WIDTH - 2 * LEFT;

const number = (value) => String(Math.round(value * 10) / 10);
const rect = (kind, x, y, width, height, r = 5) =>
  `<rect class="${kind}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${height}" rx="${r}"/>`;
const text = (kind, x, y, words, anchor = "start") =>
  `<text class="${kind}" x="${number(x)}" y="${number(y)}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`;

/** Where the step beside the picture says "(1)". */
const marker = (n, x, y) => (n === undefined ? "" : `<circle class="hit" cx="${number(x)}" cy="${number(y)}" r="11"/>${text("digit", x, y + 4.5, String(n), "middle")}`);
const ring = (n, x, y, width, height) => (n === undefined ? "" : rect("ring", x - 3, y - 3, width + 6, height + 6, 8));
const letters = (words, each) => words.length * each;

// A part is a height and what it draws at a given y.

export const title = (words) => ({ height: 34, draw: (y) => text("title", LEFT, y + 20, words) });

export const note = (...lines) => ({
  height: lines.length * 19 + 8,
  draw: (y) => lines.map((line, n) => text("soft", LEFT, y + 14 + n * 19, line)).join(""),
});

export const field = (label, value, n) => ({
  height: 60,
  draw: (y) =>
    text("soft", LEFT, y + 11, label) +
    rect("box", LEFT, y + 20, INNER, 30) +
    ring(n, LEFT, y + 20, INNER, 30) +
    text("mono", LEFT + 10, y + 40, value) +
    marker(n, WIDTH - LEFT - 14, y + 35),
});

export const select = (label, value, n) => {
  const { height, draw } = field(label, value, n);
  const at = n === undefined ? WIDTH - LEFT - 20 : WIDTH - LEFT - 42;
  return { height, draw: (y) => `${draw(y)}<path class="stroke" d="M${at} ${y + 32}l5 6 5-6"/>` };
};

/** Choices of which one is taken: `chosen` is its place. */
export const radio = (choices, chosen, n) => ({
  height: choices.length * 28 + 6,
  draw: (y) =>
    choices
      .map((words, at) => {
        const middle = y + 14 + at * 28;
        const on = at === chosen;
        return (
          `<circle class="box" cx="${LEFT + 9}" cy="${middle}" r="8"/>` +
          (on ? `<circle class="fill" cx="${LEFT + 9}" cy="${middle}" r="4.5"/>` : "") +
          text(on ? "strong" : "ink", LEFT + 26, middle + 5, words) +
          (on && n !== undefined ? ring(n, LEFT - 1, middle - 11, letters(words, 8.4) + 34, 22) + marker(n, LEFT + 54 + letters(words, 8.4), middle) : "")
        );
      })
      .join(""),
});

export const tabs = (names, chosen, n) => ({
  height: 44,
  draw: (y) => {
    let x = LEFT;
    const drawn = names.map((name, at) => {
      const width = letters(name, 7.6) + 24;
      const one =
        rect(at === chosen ? "box" : "flat", x, y + 4, width, 28) +
        text(at === chosen ? "strong" : "ink", x + width / 2, y + 23, name, "middle") +
        (at === chosen ? ring(n, x, y + 4, width, 28) + marker(n, x + width + 3, y + 4) : "");
      x += width + 16;
      return one;
    });
    return drawn.join("");
  },
});

/** A list in which one row is ticked. */
export const ticked = (words, more, n) => ({
  height: 44,
  draw: (y) =>
    rect("box", LEFT, y + 4, INNER, 32) +
    rect("fill", LEFT + 10, y + 12, 16, 16, 3) +
    `<path class="check" d="M${LEFT + 13.5} ${y + 20}l3.5 4 6-8"/>` +
    ring(n, LEFT + 10, y + 12, 16, 16) +
    text("mono", LEFT + 40, y + 25, words) +
    text("soft", WIDTH - LEFT - (n === undefined ? 12 : 34), y + 25, more, "end") +
    marker(n, WIDTH - LEFT - 16, y + 20),
});

export const code = (lines, n) => ({
  height: lines.length * 17 + 22,
  draw: (y) =>
    rect("sunken", LEFT, y, INNER, lines.length * 17 + 12) +
    ring(n, LEFT, y, INNER, lines.length * 17 + 12) +
    lines.map((line, at) => (line === "" ? "" : text("mono", LEFT + 12 + (line.length - line.trimStart().length) * 7, y + 19 + at * 17, line.trimStart()))).join("") +
    marker(n, WIDTH - LEFT - 16, y + 18),
});

/** Lines of a log: a leading ✓ in green. */
export const log = (...lines) => ({
  height: lines.length * 19 + 20,
  draw: (y) =>
    rect("sunken", LEFT, y, INNER, lines.length * 19 + 12) +
    lines
      .map((line, at) => {
        const base = y + 20 + at * 19;
        const [, sign, rest] = line.match(/^([✓·] )?(.*)$/);
        return (sign ? text(sign === "✓ " ? "good" : "soft", LEFT + 12, base, sign.trim()) : "") + text("mono", LEFT + (sign ? 30 : 12), base, rest);
      })
      .join(""),
});

/** Cells of a table, the first row as its head. */
export const table = (columns, ...rows) => ({
  height: rows.length * 26 + 8,
  draw: (y) =>
    rows
      .map(
        (row, at) =>
          row.map((cell, n) => text(at === 0 ? "soft" : /^[✓]/.test(cell) ? "good" : n === 0 || at === 0 ? "ink" : "mono", LEFT + columns[n], y + 18 + at * 26, cell)).join("") +
          `<path class="rule" d="M${LEFT} ${y + 26 + at * 26}h${INNER}"/>`,
      )
      .join(""),
});

/** The button that goes on, at the right. */
export const button = (words, n) => ({
  height: 46,
  draw: (y) => {
    const width = letters(words, 7.8) + 32;
    const x = WIDTH - LEFT - width;
    return rect("fill", x, y + 6, width, 32, 16) + text("on-fill", x + width / 2, y + 27, words, "middle") + ring(n, x, y + 6, width, 32) + marker(n, x - 14, y + 22);
  },
});

/** A button that opens what stands below it. */
export const dropDown = (words, n) => ({
  height: 46,
  draw: (y) => {
    const width = letters(words, 7.8) + 44;
    const x = WIDTH - LEFT - width;
    return (
      rect("box", x, y + 6, width, 30) +
      text("ink", x + 12, y + 26, words) +
      `<path class="stroke" d="M${number(x + width - 24)} ${y + 18}l5 6 5-6"/>` +
      ring(n, x, y + 6, width, 30) +
      marker(n, x - 14, y + 21)
    );
  },
});

/** A window: where one is, and the parts one below the other. `label` says the same to people who do not see it. */
export function screen(label, where, ...parts) {
  let y = 52;
  const drawn = parts.map(({ height, draw }) => {
    const one = draw(y);
    y += height;
    return one;
  });
  const height = y + 10;
  return (
    `<svg class="drawn" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">` +
    `${rect("paper", 0.5, 0.5, WIDTH - 1, height - 1, 10)}<path class="rule" d="M1 38h${WIDTH - 2}"/>` +
    `<circle class="rule" cx="18" cy="19.5" r="4.5"/><circle class="rule" cx="33" cy="19.5" r="4.5"/><circle class="rule" cx="48" cy="19.5" r="4.5"/>` +
    `${text("soft", 66, 24, where)}${drawn.join("")}</svg>`
  );
}
