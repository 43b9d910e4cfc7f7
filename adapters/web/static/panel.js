/** The frame of the larger dialogs: a head that stays, a body that scrolls, and a line that says what happened. */

import { byId, el, iconButton } from "./dom.js";

export class Panel {
  /** @param {string} id  of its dialog element @param {import("./language.js").Language} language */
  constructor(id, language) {
    this.language = language;
    /** @type {HTMLDialogElement} */
    this.dialog = byId(id);
    this.id = id;
    this.body = el("div", { class: "panel-body" });
    this.foot = el("div", { class: "panel-foot" });
    this.note = el("p", { class: "panel-note", role: "status" });
    // In a block: a handler that returns false would keep the browser from ticking boxes.
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.tryClose();
    };
    this.dialog.oncancel = (event) => {
      event.preventDefault();
      this.tryClose();
    };
    /** @type {() => boolean} whether it may be closed just now */
    this.mayClose = () => true;
  }

  /** @param {string} title */
  open(title) {
    const heading = el("h2", { id: `${this.id}-title`, text: title });
    const close = iconButton("close", this.language.t("help.close"), () => this.tryClose());
    this.dialog.setAttribute("aria-labelledby", heading.id);
    this.dialog.replaceChildren(el("div", { class: "panel-head" }, heading, close), this.body, this.note, this.foot);
    this.say("");
    if (!this.dialog.open) this.dialog.showModal();
  }

  tryClose() {
    if (this.mayClose()) this.dialog.close();
  }

  /**
   * @param {string} text
   * @param {{label: string, run: () => void}|null} [action]
   * @param {"good"|"bad"} [kind]
   */
  say(text, action = null, kind = "good") {
    this.note.hidden = text === "";
    this.note.dataset.kind = kind;
    this.note.replaceChildren(
      el("span", { text }),
      action ? el("button", { type: "button", class: "link", text: action.label, onclick: action.run }) : "",
    );
  }
}
