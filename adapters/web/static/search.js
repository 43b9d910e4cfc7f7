/** The search box above the conversations, and what was found. */

import { byId, el } from "./dom.js";

export class SearchBox {
  /** @param {import("./archive.js").Archive} archive */
  constructor(archive) {
    this.archive = archive;
    /** @type {HTMLInputElement} */
    this.field = byId("search");
    this.clear = byId("search-clear");
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => {
      // Escape ends the search before it closes anything else.
      if (event.key !== "Escape" || this.field.value === "" || event.isComposing) return;
      event.stopPropagation();
      this.#end();
    });
    byId("search-form").addEventListener("submit", (event) => event.preventDefault());
    this.clear.addEventListener("click", () => this.#end());
    this.#changed();
  }

  #end() {
    this.field.value = "";
    this.#changed();
    this.field.focus();
  }

  #changed() {
    this.clear.hidden = this.field.value === "";
    this.archive.search(this.field.value);
  }
}

/**
 * A text with the words that were looked for marked in it.
 * @param {string} text @param {string} words @returns {(Node|string)[]}
 */
export function marked(text, words) {
  const wanted = words.split(/\s+/).filter(Boolean).map(escaped);
  if (wanted.length === 0) return [text];
  const pattern = new RegExp(`(${wanted.sort((a, b) => b.length - a.length).join("|")})`, "gi");
  return text.split(pattern).map((part, at) => (at % 2 ? el("mark", { text: part }) : part));
}

/** @param {string} word */
function escaped(word) {
  return word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
