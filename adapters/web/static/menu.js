/** The menu of the conversation on the screen. */

import { byId, el, icon } from "./dom.js";

export class Menu {
  /** @param {import("./archive.js").Archive} archive @param {import("./message.js").Context} context */
  constructor(archive, context) {
    this.archive = archive;
    this.context = context;
    this.button = byId("more");
    this.box = byId("menu-box");
    this.button.addEventListener("click", () => (this.isOpen ? this.close() : this.#open()));
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("pointerdown", (event) => {
      const inside = event.target instanceof Node && (this.box.contains(event.target) || this.button.contains(event.target));
      if (this.isOpen && !inside) this.close(false);
    });
  }

  get isOpen() {
    return !this.box.hidden;
  }

  draw() {
    this.button.hidden = this.context.store.key === null || this.context.store.phase !== "ready";
    if (this.button.hidden) this.close(false);
  }

  #open() {
    const { language, store } = this.context;
    const item = (/** @type {string} */ text, /** @type {() => void} */ run, name = "") =>
      el("button", {
        type: "button",
        role: "menuitem",
        class: `menu-item ${name}`,
        tabindex: "-1",
        text,
        onclick: () => {
          this.close();
          run();
        },
      });
    this.box.setAttribute("aria-label", language.t("menu.label"));
    this.box.replaceChildren(
      item(language.t("export.markdown"), () => this.archive.download("markdown")),
      item(language.t("export.json"), () => this.archive.download("json")),
      item(language.t("conversation.delete"), () => this.archive.remove(store.key), "danger"),
    );
    this.box.lastElementChild?.prepend(icon("trash"));
    this.box.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.#items()[0]?.focus();
  }

  /** @param {boolean} [refocus] */
  close(refocus = true) {
    if (!this.isOpen) return;
    this.box.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (refocus) this.button.focus();
  }

  /** @returns {HTMLElement[]} */
  #items() {
    return /** @type {HTMLElement[]} */ ([...this.box.children]);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const items = this.#items();
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items.at(to % items.length)?.focus();
    }
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }
}
