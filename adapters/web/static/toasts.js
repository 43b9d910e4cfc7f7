/** Short messages at the edge of the page, and what a screen reader is told without anything being shown. */

import { el, iconButton } from "./dom.js";

const DEFAULT_MS = 6_000;

export class Toasts {
  /**
   * @param {HTMLElement} root  a live region
   * @param {HTMLElement} announcer  a live region that is not visible
   * @param {import("./language.js").Language} language
   */
  constructor(root, announcer, language) {
    this.root = root;
    this.announcer = announcer;
    this.language = language;
  }

  /** @param {string} text @param {{action?: {label: string, run: () => void}, milliseconds?: number}} [options] */
  show(text, { action, milliseconds = DEFAULT_MS } = {}) {
    const close = () => toast.remove();
    const act = () => {
      close();
      action?.run();
    };
    const toast = el(
      "div",
      { class: "toast" },
      el("span", { text }),
      action
        ? el("button", { type: "button", class: "link", text: action.label, onclick: act })
        : iconButton("close", this.language.t("help.close"), close),
    );
    this.root.append(toast);
    setTimeout(close, milliseconds);
  }

  /** @param {string} text */
  say(text) {
    this.announcer.textContent = text;
  }
}
