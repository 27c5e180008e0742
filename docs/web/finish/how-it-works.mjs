// The picture of how it works: three places, and what goes between them.
import { escaped } from "./text.mjs";

const box = (x, y, width, height, name) =>
  `<rect class="paper" x="${x}" y="${y}" width="${width}" height="${height}" rx="12"/><text class="title" x="${x + 16}" y="${y + 28}">${escaped(name)}</text>`;
const job = (x, y, width, name, more, kind = "box") =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="46" rx="8"/><text class="strong" x="${x + 12}" y="${y + 19}">${escaped(name)}</text>` +
  `<text class="soft small" x="${x + 12}" y="${y + 36}">${escaped(more)}</text>`;
const arrow = (path, words, x, y, anchor = "middle") =>
  `<path class="arrow" d="${path}" marker-end="url(#arrow-head)"/><text class="soft small" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;

export const HOW_IT_WORKS =
  `<svg class="drawn wide" viewBox="0 0 720 348" role="img" aria-label="The jobs start-runner, build and stop-runner in GitHub Actions; an EC2 instance in your AWS account. ` +
  `start-runner asks EC2 for an instance; the instance registers at GitHub, takes the job build, and powers off.">` +
  `<defs><marker id="arrow-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0l8 4-8 4z"/></marker></defs>` +
  box(1, 1, 300, 346, "GitHub Actions") +
  job(17, 48, 268, "start-runner", "on ubuntu-latest, about a minute") +
  job(17, 150, 268, "build", "runs-on: the label that start gave", "mine") +
  job(17, 252, 268, "stop-runner", "on ubuntu-latest, always") +
  `<path class="arrow" d="M60 96v50" marker-end="url(#arrow-head)"/><text class="soft small" x="70" y="126">label</text>` +
  `<path class="arrow" d="M60 198v50" marker-end="url(#arrow-head)"/><text class="soft small" x="70" y="228">when it has ended</text>` +
  box(459, 1, 260, 346, "Your AWS account") +
  `<rect class="mine" x="475" y="48" width="228" height="250" rx="8"/><text class="strong" x="489" y="72">One EC2 instance</text>` +
  ["a runner for one job", "no AWS credentials", "no open port, no key pair", "power off is terminate"]
    .map((line, n) => `<text class="soft small" x="489" y="${100 + n * 22}">${escaped(line)}</text>`)
    .join("") +
  `<text class="soft small" x="489" y="212">Three timers end it as well:</text>` +
  ["never online: 5 minutes", "no job: 10 minutes", "at the latest: 6 hours"].map((line, n) => `<text class="soft small" x="501" y="${234 + n * 20}">${escaped(line)}</text>`).join("") +
  `<text class="soft small" x="475" y="324">six permissions, all of EC2</text>` +
  arrow("M289 66h180", "1  RunInstances", 379, 58) +
  arrow("M471 116H330q-14 0-14 14v28q0 8-8 8h-18", "2  registers", 392, 108) +
  arrow("M289 184h180", "3  the job", 379, 176) +
  arrow("M289 275h180", "4  TerminateInstances,", 379, 267) +
  `<text class="soft small" x="379" y="292" text-anchor="middle">if anything is left</text></svg>`;
