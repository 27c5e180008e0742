// Puts the drawings into the figures that name them: `<figure data-drawing="NAME">` in a page's source.
import { HOW_IT_WORKS } from "./how-it-works.mjs";
import { SCREENS } from "./screens.mjs";

const DRAWINGS = { ...SCREENS, "how-it-works": HOW_IT_WORKS };

export function draw(html) {
  return html.replace(/<figure data-drawing="([^"]*)">/g, (figure, name) => {
    const drawing = DRAWINGS[name];
    if (!drawing) throw new Error(`there is no drawing \`${name}\`; docs/web/finish/screens.mjs has them`);
    return `${figure}${drawing}`;
  });
}
