// The names of all services' actions, as docs/web/finish/pack-actions.mjs packs them: a third less to load.

/**
 * What most names begin with, each by its letter: `a` is the first. A capital letter stands for a name with `!` behind it.
 * New ones go to the end.
 */
export const VERBS =
  "List Get Delete Create Update Describe Put Start Batch Tag Untag Associate Disassociate Stop Modify Cancel Search Send Register Set Enable Add Disable Remove Deregister Accept".split(
    " ",
  );

/** Whether a section is one of condition keys, `[service:]`, which are not packed. */
export const isKeys = (section: string): boolean => /^\[[^\]]*:\]/.test(section);

/** The engine's own text: `[service]`, then its actions in order, one a line; behind them the condition keys. */
export function unpack(packed: string): string {
  return packed
    .split(/^(?=\[)/m)
    .map((service) => {
      if (isKeys(service)) return service.trimEnd();
      const [head, ...lines] = service.trimEnd().split("\n");
      const names = lines.flatMap((line) => {
        const [noun = "", letters] = line.split(" ");
        if (letters === undefined) return [noun];
        return [...letters].map((letter) => {
          const low = letter.toLowerCase();
          return `${VERBS[low.charCodeAt(0) - 97]}${noun}${letter === low ? "" : "!"}`;
        });
      });
      return [head, ...names.sort(byName)].join("\n");
    })
    .join("\n")
    .concat("\n");
}

/** By the name alone: `!` and `?` are marks behind it. */
function byName(a: string, b: string): number {
  const [one, other] = [a.replace(/[!?]$/, ""), b.replace(/[!?]$/, "")];
  return one < other ? -1 : one > other ? 1 : 0;
}
