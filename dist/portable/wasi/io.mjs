// `wasi:io`: streams over anything that gives or takes bytes.

import { Pollable } from "./poll.mjs";

const CLOSED = { tag: "closed" };
// How much a writer may hand over at once; everything here takes all of it.
const ROOM = 1n << 20n;

export class IoError {
  #message = "";

  static make(error) {
    const made = new IoError();
    made.#message = error.message ?? String(error);
    return made;
  }

  toDebugString() {
    return this.#message;
  }
}

/** `take(length)` gives bytes, an empty array for none yet, or undefined at the end; `isReady` says whether it has any. */
export class InputStream {
  #waiter;
  #take;
  #isReady;

  static make(waiter, take, isReady = () => true) {
    const stream = new InputStream();
    stream.#waiter = waiter;
    stream.#take = take;
    stream.#isReady = isReady;
    return stream;
  }

  read(length) {
    const bytes = failing(() => this.#take(Number(length < ROOM ? length : ROOM)));
    if (bytes === undefined) throw CLOSED;
    return bytes;
  }

  blockingRead(length) {
    this.subscribe().block();
    return this.read(length);
  }

  skip(length) {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length) {
    return BigInt(this.blockingRead(length).length);
  }

  subscribe() {
    return Pollable.make(this.#waiter, this.#isReady);
  }
}

/** `put(bytes)` takes them all. */
export class OutputStream {
  #waiter;
  #put;

  static make(waiter, put) {
    const stream = new OutputStream();
    stream.#waiter = waiter;
    stream.#put = put;
    return stream;
  }

  checkWrite() {
    return ROOM;
  }

  write(bytes) {
    failing(() => this.#put(bytes));
  }

  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }

  flush() {}

  blockingFlush() {}

  subscribe() {
    return Pollable.make(this.#waiter, () => true);
  }
}

function failing(act) {
  try {
    return act();
  } catch (error) {
    throw { tag: "last-operation-failed", val: IoError.make(error) };
  }
}

export function io(waiter) {
  return {
    "wasi:io/poll": { Pollable, poll: (pollables) => waiter.wait(pollables) },
    "wasi:io/error": { Error: IoError },
    "wasi:io/streams": { InputStream, OutputStream },
  };
}
