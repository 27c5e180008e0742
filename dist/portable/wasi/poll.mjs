// Waiting: `wasi:io/poll`, over a bell that the other thread rings.

/** @import { Answer } from "../network.mjs" */

/** @typedef {Partial<Answer> & { signal?: string }} Message */
/** @typedef {(answer: Answer) => void} Take */

/** What is waited for: `isReady`, and the time on the monotonic clock when it will be, where that is known. */
export class Pollable {
  /** @type {Waiter | undefined} */
  #waiter;
  /** @type {() => boolean} */
  #isReady;
  /** @type {bigint | undefined} */
  #due;

  /**
   * Without a waiter it is one that is always ready.
   * @param {Waiter | undefined} waiter
   * @param {() => boolean} isReady
   * @param {bigint} [due]
   */
  static make(waiter, isReady, due) {
    const pollable = new Pollable();
    pollable.#waiter = waiter;
    pollable.#isReady = isReady;
    pollable.#due = due;
    return pollable;
  }

  ready() {
    this.#waiter?.listen();
    return this.#isReady();
  }

  block() {
    this.#waiter?.wait([this]);
  }

  get due() {
    return this.#due;
  }

  get isReady() {
    return this.#isReady();
  }
}

/** Takes what the other thread says, and sleeps until it says something. */
export class Waiter {
  #bell;
  #next;
  // How often it had rung when all that had come was taken.
  #heard = -1;
  /** @type {Map<number, Take>} */
  #pending = new Map();
  /** @type {string[]} */
  #signals = [];

  /**
   * @param {Int32Array<SharedArrayBuffer>} bell
   * @param {() => Message | undefined} next
   */
  constructor(bell, next) {
    this.#bell = bell;
    this.#next = next;
  }

  /** What a cancel said so far; taken once. */
  takeSignal() {
    this.listen();
    return this.#signals.shift();
  }

  get hasSignal() {
    return this.#signals.length > 0;
  }

  /**
   * Calls back with the answer to a request.
   * @param {number} id
   * @param {Take} take
   */
  expect(id, take) {
    this.#pending.set(id, take);
  }

  /** @param {number} id */
  forget(id) {
    return this.#pending.delete(id);
  }

  listen() {
    // It rings after each message, so nothing is missed that comes meanwhile; and most looks find nothing new.
    const heard = Atomics.load(this.#bell, 0);
    if (heard === this.#heard) return;
    this.#heard = heard;
    for (let message = this.#next(); message !== undefined; message = this.#next()) {
      if (message.signal !== undefined) this.#signals.push(message.signal);
      const take = this.#pending.get(message.id ?? 0);
      if (take && this.forget(message.id ?? 0)) take(/** @type {Answer} */ (message));
    }
  }

  /**
   * Waits until one of the pollables is ready; returns the indexes of all that are.
   * @param {Pollable[]} pollables
   */
  wait(pollables) {
    for (;;) {
      this.listen();
      const ready = indexesOfReady(pollables);
      if (ready.length > 0) return new Uint32Array(ready);
      Atomics.wait(this.#bell, 0, this.#heard, untilFirst(pollables));
    }
  }
}

/** @param {Pollable[]} pollables */
function indexesOfReady(pollables) {
  const ready = [];
  for (let index = 0; index < pollables.length; index++) {
    if (pollables[index]?.isReady) ready.push(index);
  }
  return ready;
}

/**
 * Milliseconds until the first one whose time is known.
 * @param {Pollable[]} pollables
 */
function untilFirst(pollables) {
  /** @type {bigint | undefined} */
  let first;
  for (const { due } of pollables) {
    if (due !== undefined && (first === undefined || due < first)) first = due;
  }
  return first === undefined ? Infinity : Math.max(0, Number(first - process.hrtime.bigint()) / 1e6);
}
