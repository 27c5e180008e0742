// `wasi:random`, from the system's own generator.

import { crypto } from "../builtin.mjs";

const { randomBytes } = crypto();

export function random() {
  return {
    "wasi:random/random": {
      getRandomBytes: (/** @type {bigint} */ length) => new Uint8Array(randomBytes(Number(length))),
      getRandomU64: () => randomBytes(8).readBigUInt64LE(),
    },
    "wasi:random/insecure-seed": {
      insecureSeed: () => [randomBytes(8).readBigUInt64LE(), randomBytes(8).readBigUInt64LE()],
    },
  };
}
