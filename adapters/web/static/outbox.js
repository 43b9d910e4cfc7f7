/**
 * Messages on their way to the server. Each keeps the id it was born with, and stays in the browser's storage until
 * the server has accepted it: a repeated request, a reload or a crash in between neither loses nor doubles it. They
 * are sent one at a time, in the order in which they were written.
 */

import { ApiError, isPassing } from "./api.js";
import { Pause, backOff } from "./pause.js";

/** @typedef {import("./types.js").Pending} Pending */

const PREFIX = "kagentbot.outbox.";
/** Found in storage and older than this, a message waits for a click: sending it by surprise would startle. */
const FRESH_MS = 3_600_000;

/** A random UUID; `crypto.randomUUID` exists in secure contexts only. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Outbox {
  /**
   * @param {object} parts
   * @param {import("./storage.js").Shelf} parts.shelf
   * @param {(item: Pending) => Promise<{conversation: string, turn_id: unknown}>} parts.send
   * @param {() => void} parts.onChange
   * @param {(item: Pending, key: string) => void} parts.onAccepted
   * @param {(item: Pending, error: unknown) => void} parts.onRejected  after its state is set
   */
  constructor({ shelf, send, onChange, onAccepted, onRejected }) {
    this.shelf = shelf;
    this.send = send;
    this.onChange = onChange;
    this.onAccepted = onAccepted;
    this.onRejected = onRejected;
    this.pause = new Pause();
    this.pumping = false;
    /** @type {Pending[]} */
    this.items = [];
  }

  /** Takes up what an earlier life of the page left, and begins to send. */
  restore() {
    for (const stored of this.shelf.all(PREFIX)) {
      const fresh = Date.now() - Date.parse(stored.at) < FRESH_MS;
      this.items.push({ ...stored, state: fresh ? "sending" : "rejected", error: "" });
    }
    this.items.sort((a, b) => a.at.localeCompare(b.at));
    void this.#pump();
  }

  /**
   * @param {string} text @param {string|null} conversation @param {string|null} draft
   * @param {string|null} model  what a conversation that begins shall ask first
   * @returns {Pending}
   */
  add(text, conversation, draft, model = null) {
    const at = new Date().toISOString();
    /** @type {Pending} */
    const item = { id: newId(), conversation, draft, text, model, at, state: "sending", error: "" };
    this.items.push(item);
    this.shelf.put(PREFIX + item.id, item);
    this.onChange();
    void this.#pump();
    return item;
  }

  /** @param {Pending} item */
  again(item) {
    item.state = "sending";
    item.error = "";
    this.onChange();
    void this.#pump();
  }

  /** @param {Pending} item */
  drop(item) {
    this.shelf.remove(PREFIX + item.id);
    this.items = this.items.filter((other) => other !== item);
    this.onChange();
  }

  /** Forgets accepted messages that are shown as part of a turn now. @param {(id: string) => boolean} isShown */
  settle(isShown) {
    const left = this.items.filter((item) => item.state !== "accepted" || !isShown(item.id));
    if (left.length === this.items.length) return;
    this.items = left;
    this.onChange();
  }

  /** The server may be back: try now. */
  wake() {
    this.pause.end();
  }

  async #pump() {
    if (this.pumping) return;
    this.pumping = true;
    let tries = 0;
    for (let item; (item = this.items.find(isUnsent));) {
      const answer = await this.send(item).catch((error) => ({ error }));
      if ("conversation" in answer) {
        this.#accept(item, answer.conversation);
        // Deleted before it was accepted (in another tab): there will be no turn.
        if (answer.turn_id === null) this.drop(item);
        tries = 0;
      } else if (this.items.includes(item)) {
        await this.#failed(item, answer.error, tries);
        tries += 1;
      }
    }
    this.pumping = false;
  }

  /** @param {Pending} item @param {string} key */
  #accept(item, key) {
    this.shelf.remove(PREFIX + item.id);
    item.state = "accepted";
    item.error = "";
    const draft = item.draft;
    for (const other of draft === null ? [item] : this.items.filter((one) => one.draft === draft)) {
      other.conversation = key;
      if (other.state !== "accepted") this.shelf.put(PREFIX + other.id, other);
    }
    this.onAccepted(item, key);
    this.onChange();
  }

  /** @param {Pending} item @param {unknown} error @param {number} tries */
  async #failed(item, error, tries) {
    const tokenNeeded = error instanceof ApiError && error.status === 401;
    item.error = error instanceof ApiError && !tokenNeeded ? error.message : "";
    if (!tokenNeeded && !isPassing(error)) {
      item.state = "rejected";
      this.onRejected(item, error);
      this.onChange();
      return;
    }
    item.state = "offline";
    this.onChange();
    const asked = error instanceof ApiError && error.retryAfter !== null ? error.retryAfter * 1000 : 0;
    await this.pause.wait(tokenNeeded ? Infinity : Math.max(backOff(tries), asked));
  }
}

/** @param {Pending} item */
function isUnsent(item) {
  return item.state === "sending" || item.state === "offline";
}
