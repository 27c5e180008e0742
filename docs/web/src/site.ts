// What every page of the book can do beside being read: copy code, choose a tab or a theme, search, open the contents on a phone.
// Without this file everything is still there to read.
import { copyButton } from "./copy";
import { element } from "./dom";
import { openSearch } from "./search";
import { keep } from "./stored";
import { upgradeTabs } from "./tabs";
import { askForYours } from "./yours";

function addCopyButtons(): void {
  for (const pre of document.querySelectorAll("main pre")) {
    const code = pre.querySelector("code");
    if (!code) continue;
    // A scrolling region must be reachable by keyboard.
    (pre as HTMLElement).tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", "Code");
    const box = element("div", { class: "code" });
    pre.replaceWith(box);
    box.append(pre, copyButton("Copy", () => code.textContent ?? ""));
  }
}

function makeTablesScroll(): void {
  for (const wrapper of document.querySelectorAll<HTMLElement>("main .table-wrapper")) {
    wrapper.tabIndex = 0;
    wrapper.setAttribute("role", "group");
    wrapper.setAttribute("aria-label", "Table");
  }
}

const THEMES = ["system", "light", "dark"] as const;

function themeButton(): void {
  const button = document.querySelector<HTMLButtonElement>("button.theme");
  if (!button) return;
  const root = document.documentElement;
  const show = (): void => {
    button.replaceChildren(element("span", { class: "of" }, "Theme: "), root.dataset["theme"] ?? "system");
  };
  button.addEventListener("click", () => {
    const now = THEMES.indexOf((root.dataset["theme"] ?? "system") as (typeof THEMES)[number]);
    const next = THEMES[(now + 1) % THEMES.length] ?? "system";
    if (next === "system") {
      delete root.dataset["theme"];
    } else {
      root.dataset["theme"] = next;
    }
    keep("localStorage", "theme", next === "system" ? null : next);
    show();
  });
  show();
  button.hidden = false;
}

function menuButton(): void {
  const button = document.querySelector<HTMLButtonElement>("button.menu");
  if (!button) return;
  const set = (open: boolean): void => {
    button.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("contents-open", open);
  };
  button.addEventListener("click", () => set(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("contents-open")) {
      set(false);
      button.focus();
    }
  });
  button.hidden = false;
}

function searchButton(): void {
  const button = document.querySelector<HTMLButtonElement>("button.search-open");
  if (!button) return;
  button.addEventListener("click", openSearch);
  document.addEventListener("keydown", (event) => {
    const writing = event.composedPath()[0];
    const typed = writing instanceof HTMLElement && (writing.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(writing.tagName));
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typed;
    if (!slash && !(event.key === "k" && (event.ctrlKey || event.metaKey) && !typed)) return;
    event.preventDefault();
    openSearch();
  });
  button.hidden = false;
}

addCopyButtons();
makeTablesScroll();
upgradeTabs();
themeButton();
menuButton();
searchButton();

const yours = document.getElementById("yours");
if (yours) askForYours(yours);

const place = document.getElementById("policy-checker");
// The editor and the engine are most of what this site weighs, and one page needs them.
if (place) void import("./checker").then(({ mount }) => mount(place));
