// The usual proxy variables, as the program's own client reads them elsewhere.

import { isIP } from "node:net";
import tls from "node:tls";

import { authorities } from "./authorities.mjs";
import * as builtin from "./builtin.mjs";

const http = builtin.http();
const https = builtin.https();

/**
 * @import { Duplex } from "node:stream"
 * @import { Environment } from "./authorities.mjs"
 * @import { Headers } from "./network.mjs"
 */

/** @typedef {{ client: typeof http | typeof https, options: import("node:https").RequestOptions, extra?: Headers }} Route */
/** @typedef {(error: Error | null, socket?: Duplex) => void} Connected */

// The code of an error of ours, beside Node's.
export const PROXY_REFUSED = "PROXY_REFUSED";

/** @type {Map<string, import("node:https").Agent>} */
const agents = new Map();

/**
 * How to send a request through the proxy that the environment names for its target; undefined where there is none.
 * @param {URL} target
 * @param {Environment} env
 * @returns {Route | undefined}
 */
export function proxied(target, env) {
  const proxy = proxyFor(target, env);
  if (!proxy) return undefined;
  if (target.protocol === "https:") return { client: https, options: tunnelled(target, proxy, env) };
  const { client, options } = reached(proxy, env);
  return { client, options: { ...options, path: target.href }, extra: Object.entries(authorization(proxy)).flat() };
}

/**
 * @param {URL} target
 * @param {Environment} env
 */
export function proxyFor(target, env) {
  const read = (/** @type {string} */ name) => env[name] || env[name.toUpperCase()];
  // A server that takes a `Proxy:` header could set HTTP_PROXY, but no server runs this program.
  const named = read(target.protocol === "https:" ? "https_proxy" : "http_proxy") || read("all_proxy");
  if (!named || isExempt(target, read("no_proxy"))) return undefined;
  const text = named.includes("://") ? named : `http://${named}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * @param {URL} target
 * @param {string | undefined} list
 */
function isExempt(target, list = "") {
  const host = bare(target.hostname).toLowerCase();
  const entries = list.split(",").map((entry) => entry.trim().toLowerCase()).filter(Boolean);
  return entries.some((entry) => {
    if (entry === "*") return true;
    const name = entry.replace(/^\*?\./, "");
    return host === name || host.endsWith(`.${name}`);
  });
}

/**
 * @param {URL} target
 * @param {URL} proxy
 * @param {Environment} env
 */
function tunnelled(target, proxy, env) {
  const host = bare(target.hostname);
  const port = target.port || 443;
  const key = `${proxy.href} ${target.origin}`;
  if (!agents.has(key)) {
    const agent = new https.Agent({ keepAlive: true });
    agent.createConnection = (_, done) => {
      connect(proxy, env, `${host}:${port}`, (error, socket) => {
        if (error || !socket) done?.(error, /** @type {any} */ (undefined));
        else done?.(null, tls.connect({ socket, servername: host, ca: authorities(env) }));
      });
      return undefined;
    };
    agents.set(key, agent);
  }
  return { host, port, path: target.pathname + target.search, agent: agents.get(key) };
}

/**
 * The proxy itself. By TLS, it has to prove its own name, whatever server the request names.
 * @param {URL} proxy
 * @param {Environment} env
 * @returns {Route}
 */
function reached(proxy, env) {
  const host = bare(proxy.hostname);
  if (proxy.protocol !== "https:") return { client: http, options: { host, port: proxy.port || 80 } };
  const servername = isIP(host) ? "" : host;
  return { client: https, options: { host, port: proxy.port || 443, servername, ca: authorities(env) } };
}

/**
 * @param {URL} proxy
 * @param {Environment} env
 * @param {string} authority
 * @param {Connected} done
 */
function connect(proxy, env, authority, done) {
  const { client, options } = reached(proxy, env);
  const request = client.request({
    ...options,
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...authorization(proxy) },
    agent: false,
  });
  request.on("connect", (response, socket) => {
    if (response.statusCode === 200) return done(null, socket);
    socket.destroy();
    const refused = new Error(`the proxy refused the connection with status ${response.statusCode}`);
    done(Object.assign(refused, { code: PROXY_REFUSED }));
  });
  request.on("error", done);
  request.end();
}

/**
 * @param {URL} proxy
 * @returns {Record<string, string>}
 */
function authorization(proxy) {
  if (!proxy.username) return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

const bare = (/** @type {string} */ hostname) => hostname.replace(/^\[|\]$/g, "");
