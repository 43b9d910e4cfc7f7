/** What can be done with past conversations: search them, take them along, delete them. */

import { addressOf } from "./sidebar.js";

/** How long the deletion of a conversation can be undone. */
const UNDO_MS = 8_000;
/** A search begins when nothing was typed for this long. */
const TYPING_MS = 250;
/** Tells the other tabs of this browser. */
const CHANNEL = "kagentbot";

export class Archive {
  /**
   * @param {object} parts
   * @param {import("./api.js").Api} parts.api
   * @param {import("./store.js").Store} parts.store
   * @param {import("./actions.js").Actions} parts.actions
   * @param {import("./language.js").Language} parts.language
   * @param {import("./toasts.js").Toasts} parts.toasts
   */
  constructor({ api, store, actions, language, toasts }) {
    this.api = api;
    this.store = store;
    this.actions = actions;
    this.language = language;
    this.toasts = toasts;
    /** @type {Map<string, number>} timers of deletions that can still be undone */
    this.deletions = new Map();
    this.asked = 0;
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(CHANNEL) : null;
    this.channel?.addEventListener("message", (event) => this.#gone(String(event.data?.gone ?? "")));
  }

  // --- Search --------------------------------------------------------------------------------------------------

  /** @param {string} words  "" ends the search */
  search(words) {
    clearTimeout(this.typing);
    const wanted = words.trim();
    if (wanted === this.store.search.words) return;
    this.asked += 1;
    this.store.search = { words: wanted, phase: wanted ? "asking" : "none", found: [], next: null };
    this.store.changed();
    if (wanted) this.typing = setTimeout(() => void this.#find(wanted, this.asked), TYPING_MS);
  }

  /** The next page of what was found. */
  more() {
    // Clicked twice, it is asked for twice, and the last answer counts.
    this.asked += 1;
    void this.#find(this.store.search.words, this.asked, this.store.search.next);
  }

  /** @param {string} words @param {number} asked @param {string|null} [before] */
  async #find(words, asked, before = null) {
    const { store } = this;
    try {
      const page = await this.api.conversations(before, words);
      // Something else is being looked for by now.
      if (asked !== this.asked) return;
      const found = before === null ? page.conversations : [...store.search.found, ...page.conversations];
      store.search = { words, phase: "done", found, next: page.next };
      this.toasts.say(this.language.t(found.length ? "search.count" : "search.none", { n: found.length, words }));
    } catch (error) {
      if (asked !== this.asked) return;
      // What was found before stays where only the next page of it could not be had.
      store.search = { ...store.search, words, phase: before === null ? "failed" : "done" };
      this.toasts.show(this.actions.sentence(error));
    }
    store.changed();
  }

  // --- Files ---------------------------------------------------------------------------------------------------

  /** Hands the conversation on the screen to the browser as a download. @param {"markdown"|"json"} format */
  download(format) {
    if (this.store.key === null) return;
    const link = document.createElement("a");
    link.href = this.api.exportAddress(this.store.key, format);
    link.download = "";
    link.click();
  }

  // --- Deletion ------------------------------------------------------------------------------------------------

  /** Deletes after a while in which it can be undone. @param {string|null} key */
  remove(key) {
    const { store } = this;
    if (key === null || this.deletions.has(key)) return;
    store.gone.add(key);
    this.deletions.set(key, window.setTimeout(() => void this.#really(key), UNDO_MS));
    const undo = { label: this.language.t("undo"), run: () => this.#keep(key) };
    this.toasts.show(this.language.t("conversation.deleted"), { action: undo, milliseconds: UNDO_MS });
    if (store.key === key) this.actions.begin();
    store.changed();
  }

  /** Carries out what could still be undone; called when the page goes away. */
  flush() {
    for (const key of [...this.deletions.keys()]) void this.#really(key);
  }

  /** @param {string} key */
  async #really(key) {
    clearTimeout(this.deletions.get(key));
    if (!this.deletions.delete(key)) return;
    try {
      await this.api.removeConversation(key);
      this.#gone(key);
      this.channel?.postMessage({ gone: key });
    } catch (error) {
      this.store.gone.delete(key);
      this.store.changed();
      this.toasts.show(this.actions.sentence(error));
    }
  }

  /** @param {string} key */
  #keep(key) {
    clearTimeout(this.deletions.get(key));
    // Too late: it is deleted already.
    if (!this.deletions.delete(key)) return;
    this.store.gone.delete(key);
    this.store.changed();
    if (this.store.key === null) location.hash = addressOf(key);
  }

  /** The conversation is no more; somebody deleted it, here or elsewhere. @param {string} key */
  #gone(key) {
    if (key) this.store.forget(key);
  }
}
