// `wasi:clocks`.

import { Pollable } from "./poll.mjs";

const RESOLUTION = 1_000n;

/** @import { Waiter } from "./poll.mjs" */

/** @param {Waiter} waiter */
export function clocks(waiter) {
  const at = (/** @type {bigint} */ due) => Pollable.make(waiter, () => process.hrtime.bigint() >= due, due);
  return {
    "wasi:clocks/monotonic-clock": {
      now: () => process.hrtime.bigint(),
      resolution: () => RESOLUTION,
      subscribeInstant: at,
      subscribeDuration: (/** @type {bigint} */ nanoseconds) => at(process.hrtime.bigint() + nanoseconds),
    },
    "wasi:clocks/wall-clock": {
      now: () => {
        const now = performance.timeOrigin + performance.now();
        return { seconds: BigInt(Math.floor(now / 1e3)), nanoseconds: Math.floor((now % 1e3) * 1e6) };
      },
      resolution: () => ({ seconds: 0n, nanoseconds: Number(RESOLUTION) }),
    },
  };
}
