// Lists that are drawn anew take the focus with them. Whoever works by keyboard, or listens, must not be thrown back to the page's top.

const STOPS = "button, a[href], [tabindex]";

/** Draws `place` anew; if something in it had the focus, what is there now at that place has it afterwards. */
export function keepFocus(place: HTMLElement, draw: () => void): void {
  const before = [...place.querySelectorAll<HTMLElement>(STOPS)];
  const held = document.activeElement as HTMLElement | null;
  const at = held ? before.indexOf(held) : -1;
  // Its twin, if it is still there, else the next of its kind: after a fix, the next fix.
  const kind = held?.className ?? "";
  const label = held?.textContent ?? "";
  const rank = before.filter((stop, n) => n < at && stop.className === kind).length;
  draw();
  if (at < 0) return;
  const now = [...place.querySelectorAll<HTMLElement>(STOPS)];
  const alike = now.filter((stop) => stop.className === kind);
  const next = alike.find((stop) => stop.textContent === label) ?? alike[Math.min(rank, alike.length - 1)] ?? now[Math.min(at, now.length - 1)];
  if (next) {
    next.focus({ preventScroll: true });
    return;
  }
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}
