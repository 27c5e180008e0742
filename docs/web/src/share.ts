// A link that carries the policy, and what it is checked for, behind its `#`. Browsers do not send that part to any server.
//
// The rest of the fragment after the policy is a query: `#policy=WORD&target=inline-user&require=console&region=eu-central-1`.

const START = "#policy=";

/** What stands beside the policy, by the names of the controls. */
export type Carried = Record<string, string>;

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes as BlobPart]).stream().pipeThrough(stream)).arrayBuffer());
}

/** Whether the page's address carries a policy, sound or not. */
export const isShared = (): boolean => location.hash.startsWith(START);

/** The page's address with the policy and the choices in it. */
export async function linkTo(text: string, carried: Carried): Promise<string> {
  const packed = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
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

/** The policy that the page's address carries; `null` if it carries none, an error if it is damaged. */
export async function policyInAddress(): Promise<string | null> {
  if (!isShared()) return null;
  const [word = ""] = location.hash.slice(START.length).split("&");
  const binary = atob(word.replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(await through(packed, new DecompressionStream("deflate-raw")));
}
