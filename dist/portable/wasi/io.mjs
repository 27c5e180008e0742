// `wasi:io`: streams over anything that gives or takes bytes.

import { Pollable } from "./poll.mjs";

const CLOSED = { tag: "closed" };
// How much a writer may hand over at once; everything here takes all of it.
const ROOM = 1n << 20n;

export class IoError {
  #message = "";

  /** @param {unknown} error */
  static make(error) {
    const made = new IoError();
    made.#message = error instanceof Error ? error.message : String(error);
    return made;
  }

  toDebugString() {
    return this.#message;
  }
}

/** @import { Waiter } from "./poll.mjs" */

/** `take(length)` gives bytes, an empty array for none yet, or undefined at the end; `isReady` says whether it has any. */
export class InputStream {
  /** @type {Waiter | undefined} */
  #waiter;
  /** @type {(length: number) => Uint8Array | undefined} */
  #take;
  /** @type {() => boolean} */
  #isReady;

  /**
   * @param {Waiter | undefined} waiter
   * @param {(length: number) => Uint8Array | undefined} take
   */
  static make(waiter, take, isReady = () => true) {
    const stream = new InputStream();
    stream.#waiter = waiter;
    stream.#take = take;
    stream.#isReady = isReady;
    return stream;
  }

  /** @param {bigint} length */
  read(length) {
    const bytes = failing(() => this.#take(Number(length < ROOM ? length : ROOM)));
    if (bytes === undefined) throw CLOSED;
    return bytes;
  }

  /** @param {bigint} length */
  blockingRead(length) {
    this.subscribe().block();
    return this.read(length);
  }

  /** @param {bigint} length */
  skip(length) {
    return BigInt(this.read(length).length);
  }

  /** @param {bigint} length */
  blockingSkip(length) {
    return BigInt(this.blockingRead(length).length);
  }

  subscribe() {
    return Pollable.make(this.#waiter, this.#isReady);
  }
}

/** `put(bytes)` takes them all. */
export class OutputStream {
  /** @type {Waiter | undefined} */
  #waiter;
  /** @type {(bytes: Uint8Array) => void} */
  #put;

  /**
   * @param {Waiter | undefined} waiter
   * @param {(bytes: Uint8Array) => void} put
   */
  static make(waiter, put) {
    const stream = new OutputStream();
    stream.#waiter = waiter;
    stream.#put = put;
    return stream;
  }

  checkWrite() {
    return ROOM;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    failing(() => this.#put(bytes));
  }

  /** @param {Uint8Array} bytes */
  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }

  flush() {}

  blockingFlush() {}

  subscribe() {
    return Pollable.make(this.#waiter, () => true);
  }
}

/**
 * @template T
 * @param {() => T} act
 */
function failing(act) {
  try {
    return act();
  } catch (error) {
    throw { tag: "last-operation-failed", val: IoError.make(error) };
  }
}

/** @param {Waiter} waiter */
export function io(waiter) {
  return {
    "wasi:io/poll": { Pollable, poll: (/** @type {Pollable[]} */ pollables) => waiter.wait(pollables) },
    "wasi:io/error": { Error: IoError },
    "wasi:io/streams": { InputStream, OutputStream },
  };
}
