/** The browser's storage, where it may be full or forbidden: then things are kept for as long as the page lives. */

export class Shelf {
  /** @param {Storage|null} storage */
  constructor(storage) {
    this.storage = storage;
    /** @type {Map<string, string>} */
    this.memory = new Map();
  }

  /** @param {string} key @param {unknown} value */
  put(key, value) {
    const text = JSON.stringify(value);
    this.memory.set(key, text);
    try {
      this.storage?.setItem(key, text);
    } catch {
      // Full: the copy in memory has to do.
    }
  }

  /** @param {string} key @returns {any} null when there is none */
  get(key) {
    return parse(this.memory.get(key) ?? this.storage?.getItem(key) ?? null);
  }

  /** @param {string} key */
  remove(key) {
    this.memory.delete(key);
    this.storage?.removeItem(key);
  }

  /** Another tab has written it: what is known here is old. @param {string} key */
  forget(key) {
    this.memory.delete(key);
  }

  /** Everything stored whose key begins so. @param {string} prefix @returns {any[]} */
  all(prefix) {
    const keys = new Set(this.memory.keys());
    for (let at = 0; at < (this.storage?.length ?? 0); at += 1) keys.add(this.storage?.key(at) ?? "");
    return [...keys]
      .filter((key) => key.startsWith(prefix))
      .map((key) => this.get(key))
      .filter(Boolean);
  }
}

/** The page's shelf: localStorage where it is allowed. */
export function openShelf() {
  try {
    return new Shelf(window.localStorage);
  } catch {
    return new Shelf(null);
  }
}

/** @param {string|null} text */
function parse(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
