// Tabs out of plain sections: `<div class="tabs"><section data-tab="Name">…`. One choice holds for all groups and is remembered.
import { element } from "./dom";
import { keep, recall } from "./stored";

interface Group {
  tabs: HTMLButtonElement[];
  panels: HTMLElement[];
}

const KEY = "tab";

export function upgradeTabs(): void {
  const groups = [...document.querySelectorAll<HTMLElement>(".tabs")].map(upgrade);
  const choose = (name: string): void => groups.forEach((group) => show(group, name));
  for (const group of groups) {
    for (const tab of group.tabs) {
      tab.addEventListener("click", () => {
        // The groups above grow or shrink, too: keep the clicked tab where the eye is.
        const before = tab.getBoundingClientRect().top;
        choose(tab.textContent ?? "");
        window.scrollBy(0, tab.getBoundingClientRect().top - before);
        keep("localStorage", KEY, tab.textContent);
      });
      tab.addEventListener("keydown", (event) => move(group, tab, event));
    }
  }
  choose(recall("localStorage", KEY) ?? "");
}

let made = 0;

function upgrade(box: HTMLElement): Group {
  const panels = [...box.querySelectorAll<HTMLElement>(":scope > section[data-tab]")];
  const list = element("div", { role: "tablist", "aria-label": "How to do it" });
  const tabs = panels.map((panel) => {
    const id = `tab-${++made}`;
    panel.id = `${id}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", id);
    return element("button", { type: "button", role: "tab", id, "aria-controls": panel.id }, panel.dataset["tab"]);
  });
  list.append(...tabs);
  box.prepend(list);
  return { tabs, panels };
}

function show({ tabs, panels }: Group, name: string): void {
  const at = Math.max(0, tabs.findIndex((tab) => tab.textContent === name));
  tabs.forEach((tab, n) => {
    tab.setAttribute("aria-selected", String(n === at));
    tab.tabIndex = n === at ? 0 : -1;
  });
  panels.forEach((panel, n) => (panel.hidden = n !== at));
}

function move({ tabs }: Group, tab: HTMLButtonElement, event: KeyboardEvent): void {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -tabs.indexOf(tab), End: tabs.length - 1 - tabs.indexOf(tab) };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  next?.click();
  next?.focus();
}
