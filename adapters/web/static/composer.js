/** The message box. What is written in it survives a reload, per conversation. */

import { byId, icon, setText } from "./dom.js";
import { grow } from "./message.js";

/** From this share of the limit on, the number of characters is shown. */
const COUNT_FROM = 0.8;
const SAVE_AFTER_MS = 300;

export class Composer {
  /**
   * @param {object} parts
   * @param {import("./language.js").Language} parts.language
   * @param {import("./store.js").Store} parts.store
   * @param {import("./storage.js").Shelf} parts.shelf
   * @param {object} hooks
   * @param {(text: string) => void} hooks.onSend  when it returns, the message is in safe hands
   * @param {() => void} hooks.onStop
   * @param {() => void} hooks.onEditLast
   */
  constructor({ language, store, shelf }, { onSend, onStop, onEditLast }) {
    this.language = language;
    this.store = store;
    this.shelf = shelf;
    this.onSend = onSend;
    this.onStop = onStop;
    this.onEditLast = onEditLast;
    /** @type {HTMLTextAreaElement} */
    this.area = byId("text");
    /** @type {HTMLButtonElement} */
    this.button = byId("send");
    this.count = byId("count");
    this.trouble = byId("trouble");
    this.drawnButton = "";
    this.area.addEventListener("input", () => this.#changed());
    this.area.addEventListener("keydown", (event) => this.#onKey(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Loads what was being written in this conversation. */
  enter() {
    this.area.value = this.shelf.get(this.#slot()) ?? "";
    this.#say("");
    this.#changed();
  }

  leave() {
    this.#save();
  }

  /** The conversation got its key: what is being written belongs to it now. */
  rename() {
    this.shelf.remove("kagentbot.draft.new");
    this.#save();
  }

  /**
   * Puts text in front of what is there; a message that could not be sent comes back this way.
   * @param {string} text
   * @param {string} [trouble]
   */
  put(text, trouble = "") {
    this.area.value = this.area.value ? `${text}\n\n${this.area.value}` : text;
    this.#changed();
    this.#say(trouble);
    this.focus();
  }

  isEmpty() {
    return this.area.value.trim() === "";
  }

  focus() {
    // On a phone, focus would raise the keyboard over what one wants to read.
    if (!isTouch()) this.area.focus({ preventScroll: true });
  }

  draw() {
    const { language, store } = this;
    const stops = this.isEmpty() && store.stoppable() !== undefined;
    const label = language.t(stops ? "composer.stop" : "composer.send");
    const look = `${stops} ${label}`;
    if (look !== this.drawnButton) {
      this.drawnButton = look;
      this.button.replaceChildren(icon(stops ? "stop" : "send"));
      this.button.setAttribute("aria-label", label);
      this.button.title = label;
      this.button.classList.toggle("stop", stops);
    }
    this.button.disabled = !stops && this.isEmpty();
    this.#drawCount();
  }

  #drawCount() {
    const { language, store } = this;
    const limit = store.info?.max_message_chars ?? 0;
    const shown = limit > 0 && this.area.value.length > limit * COUNT_FROM;
    this.count.hidden = !shown;
    if (!shown) return;
    // The server counts code points, not UTF-16 units.
    let used = 0;
    for (const _ of this.area.value) used += 1;
    setText(this.count, language.t("composer.count", { used: language.count(used), limit: language.count(limit) }));
    this.count.classList.toggle("over", used > limit);
  }

  #submit() {
    if (this.isEmpty()) {
      this.onStop();
      return;
    }
    this.onSend(this.area.value);
    this.area.value = "";
    this.#say("");
    this.#changed();
    this.#save();
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    // 229: Safari reports the Enter that ends a composition after it has ended.
    if (event.isComposing || event.keyCode === 229) return;
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouch()) {
      event.preventDefault();
      if (!this.isEmpty()) this.#submit();
    }
    if (event.key === "ArrowUp" && isPlain && this.area.value === "") {
      event.preventDefault();
      this.onEditLast();
    }
  }

  #changed() {
    grow(this.area);
    this.draw();
    clearTimeout(this.saving);
    const slot = this.#slot();
    this.saving = setTimeout(() => this.#save(slot), SAVE_AFTER_MS);
  }

  #save(slot = this.#slot()) {
    clearTimeout(this.saving);
    if (this.area.value) this.shelf.put(slot, this.area.value);
    else this.shelf.remove(slot);
  }

  #slot() {
    return `kagentbot.draft.${this.store.key ?? "new"}`;
  }

  /** @param {string} text */
  #say(text) {
    this.trouble.hidden = text === "";
    setText(this.trouble, text);
  }
}

function isTouch() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}
