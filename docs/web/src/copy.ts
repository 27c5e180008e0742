import { element } from "./dom";

/** A button that copies what `text` gives at the moment of the click, and says so. */
export function copyButton(label: string, text: () => string | Promise<string>): HTMLButtonElement {
  const button = element("button", { type: "button", class: "copy" }, label);
  button.addEventListener("click", async () => {
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(await text());
    } catch {
      said = "Not copied: this browser does not allow it";
    }
    button.textContent = said;
    announce(said);
    setTimeout(() => (button.textContent = label), 1600);
  });
  return button;
}

let region: HTMLElement | undefined;

/** Says something to people who listen to the page. */
export function announce(text: string): void {
  if (!region) {
    region = element("div", { class: "heard", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  region.textContent = text;
}
