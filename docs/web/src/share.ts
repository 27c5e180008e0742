// A link that carries the policy, and what it is checked for, behind its `#`. Browsers do not send that part to any server.
//
// The rest of the fragment after the policy is a query: `#policy=WORD&target=inline-user&require=console&regions=eu-central-1`.

const START = "#policy=";

/** What stands beside the policy, by the names of the controls. */
export type Carried = Record<string, string>;

/** The most that a link unpacks to, a hundred times the largest policy: a few kilobytes of a stranger's link could unpack to gigabytes. */
const MOST = 1024 * 1024;

/** A link whose policy is larger than any policy is. */
export class TooLarge extends Error {}

async function pack(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([bytes as BlobPart]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

async function unpack(packed: Uint8Array): Promise<Uint8Array> {
  const reader = new Blob([packed as BlobPart]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const unpacked = new Uint8Array(MOST);
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return unpacked.subarray(0, length);
    if (length + value.length > MOST) {
      await reader.cancel();
      throw new TooLarge();
    }
    unpacked.set(value, length);
    length += value.length;
  }
}

/** Whether the page's address carries a policy, sound or not. */
export const isShared = (): boolean => location.hash.startsWith(START);

/** The page's address with the policy and the choices in it. */
export async function linkTo(text: string, carried: Carried): Promise<string> {
  const packed = await pack(new TextEncoder().encode(text));
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  const word = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const query = new URLSearchParams(carried).toString();
  return `${location.origin}${location.pathname}${START}${word}${query === "" ? "" : `&${query}`}`;
}

/** The choices that the page's address carries. */
export function carriedInAddress(): Carried {
  const query = isShared() ? location.hash.slice(START.length).split("&").slice(1).join("&") : "";
  return Object.fromEntries(new URLSearchParams(query));
}

/** The policy that the page's address carries; `null` if it carries none, an error if it is damaged or too large. */
export async function policyInAddress(): Promise<string | null> {
  if (!isShared()) return null;
  const [word = ""] = location.hash.slice(START.length).split("&");
  const binary = atob(word.replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(await unpack(packed));
}
