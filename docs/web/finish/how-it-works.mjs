// The picture of how it works: two places, and what goes between them. Side by side, and for phones one below the other.
import { escaped } from "./text.mjs";

const box = (x, y, width, height, name) =>
  `<rect class="paper" x="${x}" y="${y}" width="${width}" height="${height}" rx="12"/><text class="title" x="${x + 16}" y="${y + 28}">${escaped(name)}</text>`;
const job = (x, y, width, name, more, kind = "box") =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="46" rx="8"/><text class="strong" x="${x + 12}" y="${y + 19}">${escaped(name)}</text>` +
  `<text class="soft small" x="${x + 12}" y="${y + 36}">${escaped(more)}</text>`;
/** A browser draws no head that a hidden picture defines: each picture has its own. */
const line = (kind, path) => `<path class="arrow" d="${path}" marker-end="url(#${kind}-head)"/>`;
const arrow = (path, words, x, y) => `${line("wide", path)}<text class="soft small" x="${x}" y="${y}" text-anchor="middle">${escaped(words)}</text>`;

const drawing = (kind, width, height) =>
  `<svg class="drawn ${kind}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The jobs start-runner, build and stop-runner in GitHub Actions; an EC2 instance in your ` +
  `AWS account. start-runner asks EC2 for an instance; the instance registers at GitHub, takes the job build, and powers off.">` +
  `<defs><marker id="${kind}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0l8 4-8 4z"/></marker></defs>`;
const soft = (x, y, words) => `<text class="soft small" x="${x}" y="${y}">${escaped(words)}</text>`;
const down = (kind, x, y, words) => `${line(kind, `M${x} ${y}v50`)}${soft(x + 10, y + 30, words)}`;
const INSTANCE = ["a runner for one job", "no AWS credentials", "no open port, no key pair", "power off is terminate"];
const TIMERS = ["never online: 5 minutes", "no job: 10 minutes", "at the latest: 6 hours"];

const SIDE_BY_SIDE =
  drawing("wide", 720, 348) +
  box(1, 1, 300, 346, "GitHub Actions") +
  job(17, 48, 268, "start-runner", "on ubuntu-latest, about a minute") +
  job(17, 150, 268, "build", "runs-on: the label that start gave", "mine") +
  job(17, 252, 268, "stop-runner", "on ubuntu-latest, always") +
  down("wide", 60, 96, "label") +
  down("wide", 60, 198, "when it has ended") +
  box(459, 1, 260, 346, "Your AWS account") +
  `<rect class="mine" x="475" y="48" width="228" height="250" rx="8"/><text class="strong" x="489" y="72">One EC2 instance</text>` +
  INSTANCE.map((line, n) => soft(489, 100 + n * 22, line)).join("") +
  soft(489, 212, "Three timers end it as well:") +
  TIMERS.map((line, n) => soft(501, 234 + n * 20, line)).join("") +
  soft(475, 324, "six permissions, all of EC2") +
  arrow("M289 66h180", "1  RunInstances", 379, 58) +
  arrow("M471 116H330q-14 0-14 14v28q0 8-8 8h-18", "2  registers", 392, 108) +
  arrow("M289 184h180", "3  the job", 379, 176) +
  arrow("M289 275h180", "4  TerminateInstances,", 379, 267) +
  `<text class="soft small" x="379" y="292" text-anchor="middle">if anything is left</text></svg>`;

const numbered = (n, path, x, y) =>
  `${line("narrow", path)}<circle class="hit" cx="${x}" cy="${y}" r="9"/><text class="digit" x="${x}" y="${y + 4.5}" text-anchor="middle">${n}</text>`;

const ONE_BELOW_THE_OTHER =
  drawing("narrow", 360, 740) +
  box(1, 1, 358, 316, "GitHub Actions") +
  job(17, 48, 238, "start-runner", "on ubuntu-latest, about a minute") +
  job(17, 150, 238, "build", "runs-on: the label that start gave", "mine") +
  job(17, 252, 238, "stop-runner", "on ubuntu-latest, always") +
  down("narrow", 60, 96, "label") +
  down("narrow", 60, 198, "when it has ended") +
  box(1, 345, 358, 302, "Your AWS account") +
  `<rect class="mine" x="17" y="392" width="326" height="212" rx="8"/><text class="strong" x="31" y="416">One EC2 instance</text>` +
  INSTANCE.map((line, n) => soft(31, 442 + n * 20, line)).join("") +
  soft(31, 530, "Three timers end it as well:") +
  TIMERS.map((line, n) => soft(43, 551 + n * 20, line)).join("") +
  soft(17, 632, "six permissions, all of EC2") +
  numbered(1, "M257 70h58q16 0 16 16v302", 288, 70) +
  numbered(2, "M311 390v-216q0-12-12-12h-40", 311, 226) +
  numbered(3, "M257 184h20q12 0 12 12v192", 289, 226) +
  numbered(4, "M257 275q12 0 12 12v101", 269, 330) +
  ["1  RunInstances", "2  registers", "3  the job", "4  TerminateInstances, if anything is left"].map((line, n) => soft(17, 672 + n * 20, line)).join("") +
  "</svg>";

export const HOW_IT_WORKS = SIDE_BY_SIDE + ONE_BELOW_THE_OTHER;
