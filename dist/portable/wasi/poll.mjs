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
      const heard = Atomics.load(this.#bell, 0);
      this.listen();
      const ready = pollables.flatMap((pollable, index) => (pollable.isReady ? [index] : []));
      if (ready.length > 0) return new Uint32Array(ready);
      const dues = pollables.map((pollable) => pollable.due).filter((due) => due !== undefined);
      const now = process.hrtime.bigint();
      const left = Math.min(...dues.map((due) => Math.max(0, Number(due - now) / 1e6)));
      Atomics.wait(this.#bell, 0, heard, left);
    }
  }
}
