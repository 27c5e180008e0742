// Whom the portable program may ask, and nobody else.

/** @import { Environment } from "./authorities.mjs" */

const GITHUB = "https://api.github.com";
const IMAGE_INDEX = "https://cloud-images.ubuntu.com";
// EC2 and STS of every region and partition: `ec2.eu-central-1.amazonaws.com`, `sts.cn-north-1.amazonaws.com.cn`,
// `ec2-fips.us-east-1.amazonaws.com`, `ec2.eu-west-1.api.aws`.
const AWS = /^(?:ec2|sts)(?:-fips)?(?:\.[a-z0-9-]+)?\.(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|api\.aws)$/;
// The variables in which a workflow, GitHub or AWS names an address itself.
const NAMED = [
  "GITHUB_API_URL",
  "SPRINTERS_IMAGE_INDEX_URL",
  "ACTIONS_ID_TOKEN_REQUEST_URL",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_EC2",
  "AWS_ENDPOINT_URL_STS",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];
// Where AWS hands out credentials to the machine itself, for a runner on EC2 or ECS without keys.
const METADATA = "http://169.254.169.254";
const CONTAINER = "http://169.254.170.2";

export class Endpoints {
  #origins;
  #hasAws;

  /**
   * @param {string[]} origins
   * @param {boolean} hasAws
   */
  constructor(origins, hasAws) {
    this.#origins = new Set(origins);
    this.#hasAws = hasAws;
  }

  static none() {
    return new Endpoints([], false);
  }

  /** @param {Environment} env */
  static of(env) {
    const origins = NAMED.map((name) => originOf(env[name])).filter((origin) => origin !== undefined);
    if (!env.GITHUB_API_URL) origins.push(GITHUB);
    if (!env.SPRINTERS_IMAGE_INDEX_URL) origins.push(IMAGE_INDEX);
    if (env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) origins.push(CONTAINER);
    if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() !== "true") origins.push(METADATA);
    return new Endpoints(origins, true);
  }

  /**
   * May this URL be asked?
   * @param {URL} url
   */
  allow(url) {
    if (url.username || url.password) return false;
    return this.#origins.has(url.origin) || (this.#hasAws && url.protocol === "https:" && url.port === "" && AWS.test(url.hostname));
  }
}

/** @param {string | undefined} text */
function originOf(text) {
  if (!text || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === "http:" || url.protocol === "https:" ? url.origin : undefined;
}
