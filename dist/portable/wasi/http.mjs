// `wasi:http`: the component's requests go to the other thread as plain messages, and whole answers come back.

import { InputStream, OutputStream } from "./io.mjs";
import { Pollable } from "./poll.mjs";

const DEFAULT_LIMIT_MS = 20_000;
const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

class Fields {
  #entries = [];

  static fromList(entries) {
    const fields = new Fields();
    fields.#entries = entries;
    return fields;
  }

  entries() {
    return this.#entries;
  }
}

class OutgoingBody {
  #parts = [];
  #send;
  #isOpen = true;

  write() {
    return OutputStream.make(undefined, (bytes) => this.#parts.push(bytes.slice()));
  }

  /** Once both the request is handed over and its body is whole, in whatever order. */
  whenWhole(send) {
    this.#send = send;
    this.#go();
  }

  static finish(body) {
    body.#isOpen = false;
    body.#go();
  }

  #go() {
    if (!this.#isOpen && this.#send) this.#send(new Uint8Array(Buffer.concat(this.#parts)));
  }
}

class OutgoingRequest {
  #headers;
  #body;
  #method = { tag: "get" };
  #scheme = { tag: "HTTPS" };
  #authority = "";
  #path = "/";

  constructor(headers) {
    this.#headers = headers;
  }

  setMethod(method) {
    this.#method = method;
  }

  setScheme(scheme) {
    this.#scheme = scheme ?? { tag: "HTTPS" };
  }

  setAuthority(authority) {
    this.#authority = authority ?? "";
  }

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
    const scheme = this.#scheme.tag === "other" ? this.#scheme.val : this.#scheme.tag.toLowerCase();
    return {
      method: (this.#method.tag === "other" ? this.#method.val : this.#method.tag).toUpperCase(),
      url: `${scheme}://${this.#authority}${this.#path}`,
      headers: this.#headers.entries().map(([name, value]) => [name, Buffer.from(value).toString("latin1")]),
    };
  }
}

class RequestOptions {
  #limits = { connect: DEFAULT_LIMIT_MS, firstByte: DEFAULT_LIMIT_MS, betweenBytes: DEFAULT_LIMIT_MS };

  setConnectTimeout(nanoseconds) {
    this.#set("connect", nanoseconds);
  }

  setFirstByteTimeout(nanoseconds) {
    this.#set("firstByte", nanoseconds);
  }

  setBetweenBytesTimeout(nanoseconds) {
    this.#set("betweenBytes", nanoseconds);
  }

  #set(name, nanoseconds) {
    this.#limits[name] = nanoseconds === undefined ? DEFAULT_LIMIT_MS : Number(nanoseconds / 1_000_000n);
  }

  get limits() {
    return this.#limits;
  }
}

class IncomingBody {
  #bytes;

  static make(bytes) {
    const body = new IncomingBody();
    body.#bytes = bytes;
    return body;
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
  #message;

  static make(message) {
    const response = new IncomingResponse();
    response.#message = message;
    return response;
  }

  status() {
    return this.#message.status;
  }

  headers() {
    return Fields.fromList(this.#message.headers.map(([name, value]) => [name, new Uint8Array(Buffer.from(value, "latin1"))]));
  }

  consume() {
    return IncomingBody.make(this.#message.body);
  }
}

class FutureIncomingResponse {
  #waiter;
  #message;
  #isTaken = false;
  #abort;

  static make(waiter, abort) {
    const future = new FutureIncomingResponse();
    future.#waiter = waiter;
    future.#abort = abort;
    return future;
  }

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

export function httpInterfaces(waiter, post) {
  let last = 0;
  const handle = (request, options = new RequestOptions()) => {
    const id = ++last;
    const future = FutureIncomingResponse.make(waiter, () => {
      if (waiter.forget(id)) post({ abort: id });
    });
    waiter.expect(id, (message) => future.arrived(message));
    const send = (body) => post({ id, ...request.message, limits: options.limits, body });
    if (request.outgoingBody) request.outgoingBody.whenWhole(send);
    else send(new Uint8Array());
    return future;
  };
  const types = {
    Fields,
    FutureIncomingResponse,
    FutureTrailers: class FutureTrailers {},
    IncomingBody,
    IncomingResponse,
    OutgoingBody,
    OutgoingRequest,
    RequestOptions,
  };
  return { "wasi:http/types": types, "wasi:http/outgoing-handler": { handle } };
}
