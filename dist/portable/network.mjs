// The requests of the component: each one is checked, sent, and answered as a whole.

import { authorities } from "./authorities.mjs";
import * as builtin from "./builtin.mjs";
import { PROXY_REFUSED, proxied } from "./proxy.mjs";

const http = builtin.http();
const https = builtin.https();

// What a service of ours ever answers is far below this; the image index has some megabytes.
const LARGEST_BODY = 64 * 1024 * 1024;
// Node's codes of failures, as `wasi:http` calls them: the program reads the name, and what it says about it is its own.
const NAMES = new Map([
  ["ECONNREFUSED", "connection-refused"],
  ["ECONNRESET", "connection-terminated"],
  ["EPIPE", "connection-terminated"],
  ["EAI_AGAIN", "DNS-error"],
  ["ENOTFOUND", "DNS-error"],
  ["EHOSTUNREACH", "destination-unavailable"],
  ["ENETUNREACH", "destination-unavailable"],
  ["EADDRNOTAVAIL", "destination-unavailable"],
  ["ETIMEDOUT", "connection-timeout"],
  [PROXY_REFUSED, "destination-unavailable"],
  // Nobody vouches for the server.
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS-certificate-error"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "TLS-certificate-error"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "TLS-certificate-error"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS-certificate-error"],
]);
// The fields of codes that have some.
const DETAILS = new Map([["DNS-error", { rcode: undefined, infoCode: undefined }]]);
// These are this connection's own matter.
const HOP_BY_HOP = new Set(["host", "connection", "transfer-encoding"]);

/**
 * @import { ClientRequest } from "node:http"
 * @import { Environment } from "./authorities.mjs"
 * @import { Endpoints } from "./endpoints.mjs"
 * @import { Route } from "./proxy.mjs"
 */

/** @typedef {{ connect: number, firstByte: number, betweenBytes: number }} Limits In milliseconds. */
/** @typedef {string[]} Headers Each name, and after it its value, as Node's own `rawHeaders`. */
/** @typedef {{ id: number, method: string, url: string, headers: Headers, body: Uint8Array | undefined, limits: Limits }} Request */
/** @typedef {{ abort: number }} Abort */
/** @typedef {{ tag: string, val?: string | object }} ErrorCode As `wasi:http` names it. */
/** @typedef {{ id: number, status: number, headers: Headers, body: Uint8Array<ArrayBuffer> | undefined, broken?: undefined }} Response */
/** @typedef {Response | { id: number, broken: ErrorCode }} Answer */

/** Carries requests out for the component: `{ id, method, url, headers, body, limits }` in, `{ id, … }` back. */
export class Network {
  #endpoints;
  #env;
  #tell;
  #plain = new http.Agent({ keepAlive: true });
  /** @type {import("node:https").Agent | undefined} Made for the first request: reading the certificates takes a while. */
  #encrypted;
  /** Reached by no proxy, which takes a look at several variables to know. @type {Set<string>} */
  #direct = new Set();
  /** @type {Map<number, ClientRequest>} */
  #underWay = new Map();

  /**
   * @param {Endpoints} endpoints
   * @param {Environment} env
   * @param {(answer: Answer, transfer?: ArrayBuffer[]) => void} tell
   */
  constructor(endpoints, env, tell) {
    this.#endpoints = endpoints;
    this.#env = env;
    this.#tell = tell;
  }

  /** @param {Request | Abort} message */
  receive(message) {
    if ("abort" in message) this.#underWay.get(message.abort)?.destroy();
    else this.#send(message);
  }

  /** @param {Request} request */
  #send({ id, method, url, headers, body, limits }) {
    if (!URL.canParse(url)) return this.#broken(id, "HTTP-request-URI-invalid");
    const target = new URL(url);
    if (!this.#endpoints.allow(target)) return this.#broken(id, "HTTP-request-denied");
    const { client, options, extra = [] } = this.#route(target);
    const request = client.request({ ...options, method, headers: ["host", target.host, ...endToEnd(headers), ...extra] });
    this.#underWay.set(id, request);
    const end = () => this.#underWay.delete(id);
    const broken = (/** @type {string} */ code, /** @type {string | object | undefined} */ why = undefined) => {
      if (end()) this.#broken(id, code, why);
      request.destroy();
    };
    const time = new Time(request, limits, broken);
    request.on("error", (error) => broken(...named(error)));
    request.on("response", (response) => {
      time.began();
      /** @type {Buffer[]} */
      const parts = [];
      let size = 0;
      response.on("data", (part) => {
        time.goesOn();
        parts.push(part);
        size += part.length;
        if (size > LARGEST_BODY) broken("HTTP-response-body-size");
      });
      response.on("aborted", () => broken("connection-terminated"));
      response.on("end", () => {
        if (!end()) return;
        const { statusCode: status = 0, rawHeaders: headers } = response;
        if (size === 0) return this.#tell({ id, status, headers, body: undefined });
        const body = new Uint8Array(Buffer.concat(parts));
        this.#tell({ id, status, headers, body }, [body.buffer]);
      });
    });
    request.end(body);
  }

  /**
   * @param {URL} target
   * @returns {Route}
   */
  #route(target) {
    if (!this.#direct.has(target.origin)) {
      const through = proxied(target, this.#env);
      if (through) return through;
      this.#direct.add(target.origin);
    }
    const options = {
      host: target.hostname.replace(/^\[|\]$/g, ""),
      port: target.port || undefined,
      path: target.pathname + target.search,
    };
    if (target.protocol !== "https:") return { client: http, options: { ...options, agent: this.#plain } };
    this.#encrypted ??= new https.Agent({ keepAlive: true, ca: authorities(this.#env) });
    return { client: https, options: { ...options, agent: this.#encrypted } };
  }

  /**
   * @param {number} id
   * @param {string} code
   * @param {string | object | undefined} [val]
   */
  #broken(id, code, val) {
    this.#tell({ id, broken: val === undefined ? { tag: code } : { tag: code, val } });
  }
}

/** Time limits, as wasi:http means them: for the connection, for the first byte, and between bytes. One of them runs at a time. */
class Time {
  /** @type {NodeJS.Timeout | undefined} */
  #running;
  #limits;
  #broken;

  /**
   * @param {ClientRequest} request
   * @param {Limits} limits
   * @param {(code: string) => void} broken
   */
  constructor(request, limits, broken) {
    this.#limits = limits;
    this.#broken = broken;
    request.on("close", () => clearTimeout(this.#running));
    const connected = () => this.#run(limits.firstByte, "HTTP-response-timeout");
    // Most go over a connection that stands already.
    if (request.reusedSocket) connected();
    else {
      this.#run(limits.connect, "connection-timeout");
      request.on("socket", (socket) => {
        if (socket.connecting) socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
        else connected();
      });
    }
  }

  /** The answer has begun. */
  began() {
    this.#run(this.#limits.betweenBytes, "connection-read-timeout");
  }

  /** More of it has come. */
  goesOn() {
    this.#running?.refresh();
  }

  /**
   * @param {number} limit
   * @param {string} code
   */
  #run(limit, code) {
    clearTimeout(this.#running);
    this.#running = setTimeout(() => this.#broken(code), limit);
  }
}

/** @param {Headers} headers */
function endToEnd(headers) {
  return headers.filter((_, at) => !HOP_BY_HOP.has((headers[at - (at % 2)] ?? "").toLowerCase()));
}

/**
 * The failure as `wasi:http` names it, and what belongs to that name. Node packs those of several addresses into one.
 * @param {Error & { code?: string, errors?: (Error & { code?: string })[] }} error
 * @returns {[code: string, val?: string | object | undefined]}
 */
function named(error) {
  const code = error.code ?? error.errors?.[0]?.code ?? "";
  const name = NAMES.get(code) ?? (code.startsWith("ERR_SSL_") ? "TLS-protocol-error" : undefined);
  if (name !== undefined) return [name, DETAILS.get(name)];
  return ["internal-error", error.message || code || "unknown error"];
}
