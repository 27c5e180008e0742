// Where long names may break: behind the marks that divide them, and never inside of a word, a flag or an id.

/** Names shorter than this fit on a line of every telephone. */
const LONG = 14;

/** Hyphens join words up to this length: `--instance-type`, `us-west-2`, `i-0123456789abcdef0`. Browsers would break behind each. */
const JOINED = 24;

/** Puts break opportunities into code within sentences; blocks scroll. */
export function breakNames(html) {
  return html.replace(/<pre[\s\S]*?<\/pre>|<code>([^<]*)<\/code>/g, (whole, name) => {
    if (name === undefined) return whole;
    return `<code>${joinHyphens(name.length < LONG ? name : breakAtMarks(name))}</code>`;
  });
}

const breakAtMarks = (name) => name.replace(/[:/=,@_]+(?=\S)|\.(?=[A-Za-z])/g, (mark) => `${mark}<wbr>`);

const joinHyphens = (name) =>
  name.replace(/--?[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+/g, (word) => (word.length > JOINED ? word : `<span class="unbroken">${word}</span>`));
