// `wasi:filesystem`, as far as the program uses it, within the folders of files.mjs.

import fs from "node:fs";
import path from "node:path";

import { codeOf } from "./files.mjs";
import { InputStream, OutputStream } from "./io.mjs";

/** @import { Files, Folder } from "./files.mjs" */

/** @typedef {{ create?: boolean, directory?: boolean, exclusive?: boolean, truncate?: boolean }} OpenFlags */
/** @typedef {{ read?: boolean, write?: boolean }} DescriptorFlags */

const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");
/** @type {Record<string, string>} */
const CODES = {
  EACCES: "access",
  EEXIST: "exist",
  EISDIR: "is-directory",
  ENOENT: "no-entry",
  ENOSPC: "insufficient-space",
  ENOTDIR: "not-directory",
  ENOTEMPTY: "not-empty",
  EPERM: "not-permitted",
  EROFS: "read-only",
};

/**
 * What `act` gives; its failure in WASI's words.
 * @template T
 * @param {() => T} act
 */
function system(act) {
  try {
    return act();
  } catch (error) {
    throw typeof error === "string" ? error : (CODES[codeOf(error) ?? ""] ?? "io");
  }
}

class DirectoryEntryStream {
  /** @type {fs.Dirent[]} */
  #entries = [];

  /** @param {fs.Dirent[]} entries */
  static make(entries) {
    const stream = new DirectoryEntryStream();
    stream.#entries = entries;
    return stream;
  }

  readDirectoryEntry() {
    const entry = this.#entries.shift();
    return entry && { type: typeOf(entry), name: entry.name };
  }
}

class Descriptor {
  /** @type {Folder} */
  #folder;
  #name = ".";
  /** @type {number | undefined} Of a file; a folder has none. */
  #fd;
  #writes = false;

  /**
   * @param {Folder} folder
   * @param {string} name
   */
  static folder(folder, name = ".") {
    const descriptor = new Descriptor();
    descriptor.#folder = folder;
    descriptor.#name = name;
    return descriptor;
  }

  /**
   * @param {Folder} folder
   * @param {string} name
   * @param {number} fd
   * @param {boolean} writes
   */
  static #opened(folder, name, fd, writes) {
    const descriptor = Descriptor.folder(folder, name);
    descriptor.#fd = fd;
    descriptor.#writes = writes;
    return descriptor;
  }

  /** @param {string} name */
  #at(name) {
    return path.posix.join(this.#name, name);
  }

  /** @param {string} name */
  #real(name) {
    return this.#folder.real(this.#at(name));
  }

  /** @param {string} name */
  #writable(name) {
    if (!this.#folder.canWrite) throw "read-only";
    this.#folder.prepare();
    return this.#real(name);
  }

  /** @param {string} name */
  #changed(name) {
    return this.#writable(name) ?? refuse("is-directory");
  }

  /** The open file; a folder is read and written in other ways. */
  get #file() {
    return this.#fd ?? refuse("is-directory");
  }

  /**
   * @param {unknown} _pathFlags
   * @param {string} name
   * @param {OpenFlags} openFlags
   * @param {DescriptorFlags} flags
   */
  openAt(_pathFlags, name, openFlags, flags) {
    return system(() => {
      const writes = Boolean(flags.write || openFlags.create || openFlags.truncate);
      const real = writes ? this.#writable(name) : this.#real(name);
      if (real === undefined || fs.statSync(real, { throwIfNoEntry: false })?.isDirectory()) return Descriptor.folder(this.#folder, this.#at(name));
      if (openFlags.directory) throw fs.existsSync(real) ? "not-directory" : "no-entry";
      return Descriptor.#opened(this.#folder, this.#at(name), fs.openSync(real, mode(openFlags, flags)), writes);
    });
  }

  getType() {
    return this.#fd === undefined ? "directory" : "regular-file";
  }

  getFlags() {
    if (this.#fd !== undefined) return { read: true, write: this.#writes };
    // What may be opened below it, too.
    return { read: true, write: this.#folder.canWrite, mutateDirectory: this.#folder.canWrite };
  }

  stat() {
    return system(() => this.#stat("."));
  }

  /**
   * @param {unknown} _pathFlags
   * @param {string} name
   */
  statAt(_pathFlags, name) {
    return system(() => this.#stat(name));
  }

  /** @param {string} name */
  #stat(name) {
    if (this.#fd !== undefined) return described(fs.fstatSync(this.#fd));
    const real = this.#real(name);
    return real === undefined ? FIXED_FOLDER : described(fs.statSync(real));
  }

  metadataHash() {
    return this.metadataHashAt({}, ".");
  }

  /**
   * @param {unknown} _pathFlags
   * @param {string} name
   */
  metadataHashAt(_pathFlags, name) {
    return system(() => {
      const real = this.#fd === undefined ? this.#real(name) : undefined;
      const { dev, ino } = this.#fd === undefined ? (real === undefined ? { dev: 0, ino: 0 } : fs.statSync(real)) : fs.fstatSync(this.#fd);
      return { lower: BigInt(dev), upper: BigInt(ino) };
    });
  }

  /** @param {bigint} offset */
  readViaStream(offset) {
    let position = Number(offset);
    return InputStream.make(undefined, (length) => {
      const bytes = new Uint8Array(length);
      const read = fs.readSync(this.#file, bytes, 0, length, position);
      position += read;
      return read === 0 ? undefined : bytes.subarray(0, read);
    });
  }

  /** @param {bigint} offset */
  writeViaStream(offset) {
    let position = Number(offset);
    return OutputStream.make(undefined, (bytes) => {
      for (let rest = bytes; rest.length > 0; ) {
        const written = fs.writeSync(this.#file, rest, 0, rest.length, position);
        position += written;
        rest = rest.subarray(written);
      }
    });
  }

  // Opened for appending: the system itself puts each write behind all others.
  appendViaStream() {
    return OutputStream.make(undefined, (bytes) => fs.appendFileSync(this.#file, bytes));
  }

  /** @param {string} name */
  createDirectoryAt(name) {
    system(() => fs.mkdirSync(this.#changed(name)));
  }

  /** @param {string} name */
  unlinkFileAt(name) {
    system(() => fs.unlinkSync(this.#changed(name)));
  }

  /**
   * @param {string} name
   * @param {Descriptor} other
   * @param {string} otherName
   */
  renameAt(name, other, otherName) {
    system(() => fs.renameSync(this.#changed(name), other.#changed(otherName)));
  }

  readDirectory() {
    return system(() => {
      const real = this.#real(".");
      return DirectoryEntryStream.make(real === undefined ? [] : fs.readdirSync(real, { withFileTypes: true }));
    });
  }

  [DISPOSE]() {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
  }
}

/**
 * @param {string} code
 * @returns {never}
 */
function refuse(code) {
  throw code;
}

/**
 * Every write goes to the end or into a fresh file: that is all the program does.
 * @param {OpenFlags} openFlags
 * @param {DescriptorFlags} flags
 */
function mode(openFlags, flags) {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = fs.constants;
  let bits = flags.write ? (flags.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (openFlags.create) bits |= O_CREAT;
  if (openFlags.exclusive) bits |= O_EXCL;
  if (openFlags.truncate) bits |= O_TRUNC;
  if (flags.write && !openFlags.truncate && !openFlags.exclusive) bits |= O_APPEND;
  return bits;
}

/** @param {fs.Dirent | fs.Stats} entry */
function typeOf(entry) {
  if (entry.isDirectory()) return "directory";
  if (entry.isFile()) return "regular-file";
  return entry.isSymbolicLink() ? "symbolic-link" : "unknown";
}

const moment = (/** @type {number} */ milliseconds) => ({
  seconds: BigInt(Math.floor(milliseconds / 1e3)),
  nanoseconds: Math.floor((milliseconds % 1e3) * 1e6),
});

const FIXED_FOLDER = { type: "directory", linkCount: 1n, size: 0n };

/** @param {fs.Stats} stat */
function described(stat) {
  return {
    type: typeOf(stat),
    linkCount: BigInt(stat.nlink),
    size: BigInt(stat.size),
    dataAccessTimestamp: moment(stat.atimeMs),
    dataModificationTimestamp: moment(stat.mtimeMs),
    statusChangeTimestamp: moment(stat.ctimeMs),
  };
}

/** @param {Files} files */
export function filesystem(files) {
  const preopens = files.preopens.map(([folder, name]) => [Descriptor.folder(folder), name]);
  return {
    "wasi:filesystem/types": { Descriptor, DirectoryEntryStream, filesystemErrorCode: () => undefined },
    "wasi:filesystem/preopens": { getDirectories: () => preopens },
  };
}
