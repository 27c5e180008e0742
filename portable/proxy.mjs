// The usual proxy variables, as the program's own client reads them elsewhere.

import http from "node:http";
import https from "node:https";
import tls from "node:tls";

import { authorities } from "./authorities.mjs";

const agents = new Map();

/** How to send a request through the proxy that the environment names for its target; undefined where there is none. */
export function proxied(target, env) {
  const proxy = proxyFor(target, env);
  if (!proxy) return undefined;
  if (target.protocol === "https:") return { client: https, options: tunnelled(target, proxy, env) };
  const options = {
    host: bare(proxy.hostname),
    port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
    path: target.href,
  };
  return { client: proxy.protocol === "https:" ? https : http, options, extra: Object.entries(authorization(proxy)) };
}

export function proxyFor(target, env) {
  const read = (name) => env[name] || env[name.toUpperCase()];
  // A server that takes a `Proxy:` header could set HTTP_PROXY, but no server runs this program.
  const named = read(target.protocol === "https:" ? "https_proxy" : "http_proxy") || read("all_proxy");
  if (!named || isExempt(target, read("no_proxy"))) return undefined;
  const text = named.includes("://") ? named : `http://${named}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isExempt(target, list = "") {
  const host = bare(target.hostname).toLowerCase();
  const entries = list.split(",").map((entry) => entry.trim().toLowerCase()).filter(Boolean);
  return entries.some((entry) => {
    if (entry === "*") return true;
    const name = entry.replace(/^\*?\./, "");
    return host === name || host.endsWith(`.${name}`);
  });
}

function tunnelled(target, proxy, env) {
  const host = bare(target.hostname);
  const port = target.port || 443;
  const key = `${proxy.href} ${target.origin}`;
  if (!agents.has(key)) {
    const agent = new https.Agent({ keepAlive: true });
    agent.createConnection = (options, done) => connect(proxy, `${host}:${port}`, (error, socket) => {
      if (error) return done(error);
      done(null, tls.connect({ socket, servername: host, ca: authorities(env) }));
    });
    agents.set(key, agent);
  }
  return { host, port, path: target.pathname + target.search, agent: agents.get(key) };
}

function connect(proxy, authority, done) {
  const client = proxy.protocol === "https:" ? https : http;
  const request = client.request({
    host: bare(proxy.hostname),
    port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...authorization(proxy) },
    agent: false,
  });
  request.on("connect", (response, socket) => {
    if (response.statusCode === 200) return done(null, socket);
    socket.destroy();
    done(new Error(`the proxy refused the connection with status ${response.statusCode}`));
  });
  request.on("error", done);
  request.end();
}

function authorization(proxy) {
  if (!proxy.username) return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

const bare = (hostname) => hostname.replace(/^\[|\]$/g, "");
