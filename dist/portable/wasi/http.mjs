// `wasi:http`: the component's requests go to the other thread as plain messages, and whole answers come back.

import { InputStream, OutputStream } from "./io.mjs";
import { Pollable } from "./poll.mjs";

/**
 * @import { Abort, Answer, Limits, Request, Response } from "../network.mjs"
 * @import { Waiter } from "./poll.mjs"
 */

/** @typedef {{ tag: string, val?: string }} Named Of a closed list, or another one, which `val` names. */
/** @typedef {[name: string, value: Uint8Array]} Field The bytes are a copy of the component's. */

const DEFAULT_LIMIT_MS = 20_000;
const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

class Fields {
  /** @type {Field[]} */
  #entries = [];

  /** @param {Field[]} entries */
  static fromList(entries) {
    const fields = new Fields();
    fields.#entries = entries;
    return fields;
  }

  /**
   * @param {string} name
   * @param {Uint8Array} value
   */
  append(name, value) {
    this.#entries.push([name, value]);
  }

  entries() {
    return this.#entries;
  }
}

/** Trailers: there are none, and that is known at once. */
class FutureTrailers {
  #isTaken = false;

  subscribe() {
    return Pollable.make(undefined, () => true);
  }

  get() {
    if (this.#isTaken) return { tag: "err" };
    this.#isTaken = true;
    return { tag: "ok", val: { tag: "ok", val: undefined } };
  }
}

class OutgoingBody {
  /** @type {Uint8Array[]} */
  #parts = [];
  /** @type {((body: Uint8Array | undefined) => void) | undefined} */
  #send;
  #isOpen = true;

  write() {
    return OutputStream.make(undefined, (bytes) => void this.#parts.push(bytes));
  }

  /**
   * Once both the request is handed over and its body is whole, in whatever order.
   * @param {(body: Uint8Array | undefined) => void} send
   */
  whenWhole(send) {
    this.#send = send;
    this.#go();
  }

  /** @param {OutgoingBody} body */
  static finish(body) {
    body.#isOpen = false;
    body.#go();
  }

  #go() {
    if (this.#isOpen || !this.#send) return;
    this.#send(this.#parts.length > 0 ? new Uint8Array(Buffer.concat(this.#parts)) : undefined);
  }
}

class OutgoingRequest {
  #headers;
  /** @type {OutgoingBody | undefined} */
  #body;
  /** @type {Named} */
  #method = { tag: "get" };
  /** @type {Named} */
  #scheme = { tag: "HTTPS" };
  #authority = "";
  #path = "/";

  /** @param {Fields} headers */
  constructor(headers) {
    this.#headers = headers;
  }

  /** @param {Named} method */
  setMethod(method) {
    this.#method = method;
  }

  /** @param {Named | undefined} scheme */
  setScheme(scheme) {
    this.#scheme = scheme ?? { tag: "HTTPS" };
  }

  /** @param {string | undefined} authority */
  setAuthority(authority) {
    this.#authority = authority ?? "";
  }

  /** @param {string | undefined} path */
  setPathWithQuery(path) {
    this.#path = path ?? "/";
  }

  body() {
    if (this.#body) throw undefined;
    this.#body = new OutgoingBody();
    return this.#body;
  }

  get outgoingBody() {
    return this.#body;
  }

  get message() {
    const headers = this.#headers.entries().flatMap(([name, value]) => [name, latin1(value)]);
    const url = `${nameOf(this.#scheme).toLowerCase()}://${this.#authority}${this.#path}`;
    return { method: nameOf(this.#method).toUpperCase(), url, headers };
  }
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** @param {Named} named */
function nameOf({ tag, val }) {
  return tag === "other" && val !== undefined ? val : tag;
}

class RequestOptions {
  /** @type {Limits} */
  #limits = { connect: DEFAULT_LIMIT_MS, firstByte: DEFAULT_LIMIT_MS, betweenBytes: DEFAULT_LIMIT_MS };

  /** @param {bigint | undefined} nanoseconds */
  setConnectTimeout(nanoseconds) {
    this.#set("connect", nanoseconds);
  }

  /** @param {bigint | undefined} nanoseconds */
  setFirstByteTimeout(nanoseconds) {
    this.#set("firstByte", nanoseconds);
  }

  /** @param {bigint | undefined} nanoseconds */
  setBetweenBytesTimeout(nanoseconds) {
    this.#set("betweenBytes", nanoseconds);
  }

  /**
   * @param {keyof Limits} name
   * @param {bigint | undefined} nanoseconds
   */
  #set(name, nanoseconds) {
    this.#limits[name] = nanoseconds === undefined ? DEFAULT_LIMIT_MS : Number(nanoseconds / 1_000_000n);
  }

  get limits() {
    return this.#limits;
  }
}

class IncomingBody {
  #bytes = new Uint8Array();

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  static make(bytes) {
    const body = new IncomingBody();
    body.#bytes = bytes;
    return body;
  }

  static finish() {
    return new FutureTrailers();
  }

  stream() {
    let rest = this.#bytes;
    return InputStream.make(undefined, (length) => {
      if (rest.length === 0) return undefined;
      const part = rest.subarray(0, length);
      rest = rest.subarray(length);
      return part;
    });
  }
}

class IncomingResponse {
  /** @type {Response} */
  #message;

  /** @param {Response} message */
  static make(message) {
    const response = new IncomingResponse();
    response.#message = message;
    return response;
  }

  status() {
    return this.#message.status;
  }

  headers() {
    const { headers } = this.#message;
    /** @type {Field[]} */
    const fields = [];
    for (let at = 0; at + 1 < headers.length; at += 2) fields.push([headers[at] ?? "", Buffer.from(headers[at + 1] ?? "", "latin1")]);
    return Fields.fromList(fields);
  }

  consume() {
    return IncomingBody.make(this.#message.body ?? new Uint8Array());
  }
}

class FutureIncomingResponse {
  /** @type {Waiter} */
  #waiter;
  /** @type {Answer | undefined} */
  #message;
  #isTaken = false;
  /** @type {() => void} */
  #abort;

  /**
   * @param {Waiter} waiter
   * @param {() => void} abort
   */
  static make(waiter, abort) {
    const future = new FutureIncomingResponse();
    future.#waiter = waiter;
    future.#abort = abort;
    return future;
  }

  /** @param {Answer} message */
  arrived(message) {
    this.#message = message;
  }

  subscribe() {
    return Pollable.make(this.#waiter, () => this.#message !== undefined);
  }

  get() {
    this.#waiter.listen();
    if (this.#message === undefined) return undefined;
    if (this.#isTaken) return { tag: "err" };
    this.#isTaken = true;
    if (this.#message.broken) return { tag: "ok", val: { tag: "err", val: this.#message.broken } };
    return { tag: "ok", val: { tag: "ok", val: IncomingResponse.make(this.#message) } };
  }

  /** Nobody waits for the answer any more. */
  [DISPOSE]() {
    if (this.#message === undefined) this.#abort();
  }
}

/**
 * @param {Waiter} waiter
 * @param {(message: Request | Abort) => void} post
 */
export function httpInterfaces(waiter, post) {
  let last = 0;
  const handle = (/** @type {OutgoingRequest} */ request, options = new RequestOptions()) => {
    const id = ++last;
    const future = FutureIncomingResponse.make(waiter, () => {
      if (waiter.forget(id)) post({ abort: id });
    });
    waiter.expect(id, (message) => future.arrived(message));
    const send = (/** @type {Uint8Array | undefined} */ body) => post({ id, ...request.message, limits: options.limits, body });
    if (request.outgoingBody) request.outgoingBody.whenWhole(send);
    else send(undefined);
    return future;
  };
  const types = {
    Fields,
    FutureIncomingResponse,
    FutureTrailers,
    IncomingBody,
    IncomingResponse,
    OutgoingBody,
    OutgoingRequest,
    RequestOptions,
  };
  return { "wasi:http/types": types, "wasi:http/outgoing-handler": { handle } };
}
