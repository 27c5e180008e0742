// What a browser keeps for us, where it keeps anything: somebody who blocks site data gets an error even for looking.

type Area = "localStorage" | "sessionStorage";

export function recall(area: Area, key: string): string | null {
  try {
    return window[area].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a value, or forgets it for `null`. What cannot be kept is only not remembered. */
export function keep(area: Area, key: string, value: string | null): void {
  try {
    if (value === null) window[area].removeItem(key);
    else window[area].setItem(key, value);
  } catch {
    // Blocked, or full.
  }
}
