// Node's built-in modules, as CommonJS loads them: `import` reads every name that a module has, and to answer, `node:http` loads
// a client for WebSockets and `node:crypto` all of Web Crypto: 50 ms and 10 MB for nothing.

import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

export const http = () => /** @type {typeof import("node:http")} */ (load("node:http"));
export const https = () => /** @type {typeof import("node:https")} */ (load("node:https"));
export const crypto = () => /** @type {typeof import("node:crypto")} */ (load("node:crypto"));
