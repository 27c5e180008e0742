// Where long names may break: behind the marks that divide them, and never inside of a word.

/** Names shorter than this fit on a line of every telephone. */
const LONG = 14;

/** Puts break opportunities into code within sentences; blocks scroll. */
export function breakNames(html) {
  return html.replace(/<pre[\s\S]*?<\/pre>|<code>([^<]*)<\/code>/g, (whole, name) => {
    if (name === undefined || name.length < LONG) return whole;
    return `<code>${name.replace(/[:/=,@_]+(?=\S)|\.(?=[A-Za-z])/g, (mark) => `${mark}<wbr>`)}</code>`;
  });
}
