// Certificate authorities beside Node's own, by the variables that src/http/extra_roots.rs knows.

import { readFileSync } from "node:fs";
import tls from "node:tls";

const BESIDE = ["NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"];
// In the place of Node's own.
const INSTEAD = "SSL_CERT_FILE";

/** @typedef {Record<string, string | undefined>} Environment */

/**
 * The variable that names a file which cannot be read, or undefined.
 * @param {Environment} env
 */
export function unreadable(env) {
  return [...BESIDE, INSTEAD].find((name) => env[name] && read(env[name]) === undefined);
}

/**
 * What TLS is to trust; undefined for Node's own list. Every file was read once before: see `unreadable`.
 * @param {Environment} env
 */
export function authorities(env) {
  const beside = BESIDE.flatMap((name) => certificates(env[name]));
  if (!env[INSTEAD] && beside.length === 0) return undefined;
  return [...(env[INSTEAD] ? certificates(env[INSTEAD]) : tls.rootCertificates), ...beside];
}

/** @param {string | undefined} name */
function certificates(name) {
  const text = name ? read(name) : undefined;
  return text === undefined ? [] : [text];
}

/** @param {string} name */
function read(name) {
  try {
    return readFileSync(name, "utf8");
  } catch {
    return undefined;
  }
}
