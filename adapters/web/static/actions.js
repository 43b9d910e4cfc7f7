/**
 * What a person can do on the page. Views call these; each ends in a request, a changed store, or a sentence that says
 * why not.
 */

import { ApiError } from "./api.js";
import { newId } from "./outbox.js";

/** @typedef {import("./types.js").Turn} Turn @typedef {import("./types.js").Pending} Pending */

/** How long a deletion can be undone. */
const UNDO_MS = 5_000;

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {import("./store.js").Store} store
 * @property {import("./stream.js").Stream} stream
 * @property {import("./outbox.js").Outbox} outbox
 * @property {import("./composer.js").Composer} composer
 * @property {import("./language.js").Language} language
 * @property {import("./toasts.js").Toasts} toasts
 * @property {() => void} onSent  a message of one's own was added to the log
 */

export class Actions {
  /** @param {Parts} parts */
  constructor({ api, store, stream, outbox, composer, language, toasts, onSent }) {
    this.api = api;
    this.store = store;
    this.stream = stream;
    this.outbox = outbox;
    this.composer = composer;
    this.language = language;
    this.toasts = toasts;
    this.onSent = onSent;
    /** @type {import("./settings.js").PageSettings|null} told when another conversation is shown */
    this.settings = null;
    this.loadingOlder = false;
    /** @type {Map<string, {key: string, timer: number}>} deletions that can still be undone */
    this.deletions = new Map();
  }

  // --- Going about ---------------------------------------------------------------------------------------------

  /** Shows a conversation; null: the empty page. @param {string|null} key @param {string|null} [draft] */
  open(key, draft = null) {
    if (key === this.store.key && draft === this.store.draft) return;
    this.composer.leave();
    this.store.show(key, draft);
    if (key === null) this.stream.stop();
    else this.stream.start(key);
    if (key !== null) void this.reload();
    void this.settings?.load();
    if (key !== null && !this.store.conversations.some((one) => one.key === key))
      this.loadConversations().catch(() => undefined);
    this.composer.enter();
  }

  begin() {
    if (location.hash) history.pushState(null, "", location.pathname + location.search);
    this.open(null);
    this.focusComposer();
  }

  /** Loads the newest page of the conversation; after a gap in the stream nothing is missing then. */
  async reload() {
    const { store } = this;
    const key = store.key;
    if (key === null) return;
    const asked = store.serial;
    try {
      store.putNewest(key, await this.api.conversation(key), asked);
    } catch (error) {
      // Without any answer, the strip says so, and it is tried again.
      if (key !== store.key || store.phase === "ready" || !(error instanceof ApiError)) return;
      store.phase = error.status === 404 ? "missing" : "failed";
      store.failure = this.sentence(error);
      store.changed();
    }
  }

  async loadOlder() {
    const { store } = this;
    const { key, older } = store;
    if (key === null || older === null || this.loadingOlder) return;
    this.loadingOlder = true;
    await this.#attempt(async () => store.putOlder(key, await this.api.conversation(key, older)));
    this.loadingOlder = false;
  }

  /** @param {boolean} [more]  the next page of the list instead of the first */
  async loadConversations(more = false) {
    const { store } = this;
    const page = await this.api.conversations(more ? store.moreConversations : null);
    const fresh = new Set(page.conversations.map((one) => one.key));
    const known = store.conversations.filter((one) => !fresh.has(one.key));
    // What is newer than the page's end and not in it was deleted elsewhere.
    const end = page.next === null ? -Infinity : Date.parse(page.conversations.at(-1)?.last_message_at ?? "");
    const rest = more ? known : known.filter((one) => Date.parse(one.last_message_at) <= end);
    const hadMore = more || store.conversations.length === 0 || rest.length === 0;
    store.conversations = more ? [...rest, ...page.conversations] : [...page.conversations, ...rest];
    if (hadMore) store.moreConversations = page.next;
    store.changed();
  }

  // --- Messages ------------------------------------------------------------------------------------------------

  /** @param {string} text */
  send(text) {
    const { store } = this;
    if (store.key === null && store.draft === null) store.draft = newId();
    this.outbox.add(text, store.key, store.key === null ? store.draft : null, store.key === null ? store.model : null);
    this.onSent();
  }

  /** @param {Pending} item */
  sendAgain(item) {
    this.outbox.again(item);
  }

  /** @param {Pending} item */
  discard(item) {
    this.outbox.drop(item);
    this.focusComposer();
  }

  /** Puts an unsent message back into the message box. @param {Pending} item */
  takeBack(item) {
    this.composer.put(item.text);
    this.outbox.drop(item);
  }

  /** @param {string} id */
  beginEdit(id) {
    this.store.editing = id;
    this.store.changed();
  }

  beginEditOfLast() {
    const messages = this.store.rows().flatMap((row) => row.messages);
    const last = messages.filter((message) => !message.erased).at(-1);
    if (last) this.beginEdit(last.message_id);
  }

  endEdit() {
    this.store.editing = null;
    this.store.changed();
    this.focusComposer();
  }

  /** @param {string} id @param {string} text @param {string} before */
  async edit(id, text, before) {
    const key = this.store.key;
    if (key === null || text.trim() === "") return;
    const done = text === before || (await this.#attempt(() => this.api.edit(key, id, text)));
    if (!done) return;
    await this.reload();
    if (this.store.editing === id) this.endEdit();
  }

  /** @param {string} text */
  askAgain(text) {
    if (text.trim() === "") return;
    this.endEdit();
    this.send(text);
  }

  /** Deletes after a while in which it can be undone. @param {string} id */
  remove(id) {
    const key = this.store.key;
    if (key === null || this.deletions.has(id)) return;
    this.store.deleting.add(id);
    this.store.changed();
    this.deletions.set(id, { key, timer: window.setTimeout(() => void this.#reallyRemove(id), UNDO_MS) });
    const undo = { label: this.language.t("undo"), run: () => this.#keep(id) };
    this.toasts.show(this.language.t("message.deleted"), { action: undo, milliseconds: UNDO_MS });
    this.focusComposer();
  }

  /** Carries out what could still be undone; called when the page goes away. */
  flush() {
    for (const id of [...this.deletions.keys()]) void this.#reallyRemove(id);
  }

  /** @param {string} id */
  async #reallyRemove(id) {
    const deletion = this.deletions.get(id);
    if (!deletion) return;
    clearTimeout(deletion.timer);
    this.deletions.delete(id);
    if (await this.#attempt(() => this.api.remove(deletion.key, id))) await this.reload();
    this.store.deleting.delete(id);
    this.store.changed();
  }

  /** @param {string} id */
  #keep(id) {
    clearTimeout(this.deletions.get(id)?.timer);
    this.deletions.delete(id);
    this.store.deleting.delete(id);
    this.store.changed();
  }

  // --- Turns ---------------------------------------------------------------------------------------------------

  /** @param {Turn["id"]} [id]  the one being answered when left out */
  async stop(id = this.store.stoppable()?.id) {
    if (id !== undefined) await this.#attempt(() => this.api.stop(id));
  }

  /** @param {Turn["id"]} id */
  async retry(id) {
    if (await this.#attempt(() => this.api.retry(id))) await this.reload();
  }

  /** @param {Turn["id"]} id @param {1|-1|0} value */
  async feedback(id, value) {
    const before = this.store.turns.get(id);
    if (!before) return;
    this.#patch({ ...before, feedback: value });
    if (!(await this.#attempt(() => this.api.feedback(id, value)))) this.#patch(before);
  }

  /** @param {Turn["id"]} id @param {string} key @param {boolean} allow */
  async consent(id, key, allow) {
    if (await this.#attempt(() => this.api.consent(id, key, allow))) await this.reload();
  }

  /** @param {Turn} turn */
  #patch(turn) {
    if (!this.store.turns.has(turn.id)) return;
    this.store.turns.set(turn.id, turn);
    this.store.changed();
  }

  // --- The rest ------------------------------------------------------------------------------------------------

  focusComposer() {
    this.composer.focus();
  }

  /** One sentence about an error: the server's own, where it sent one. @param {unknown} error */
  sentence(error) {
    if (!(error instanceof ApiError)) return this.language.t("error.unreachable");
    if (error.message) return error.message;
    return error.status === 413
      ? this.language.t("error.large")
      : this.language.t("error.unknown", { status: error.status });
  }

  /**
   * Does something that may fail, and says so.
   * @param {() => Promise<unknown>} deed
   * @returns {Promise<boolean>} whether it worked
   */
  async #attempt(deed) {
    try {
      await deed();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) this.toasts.show(this.sentence(error));
      return false;
    }
  }
}
