/** One message of the user: its text, when it was sent, and what can be done with it. */

import { el, iconButton } from "./dom.js";

/** Longer messages are folded: characters, and lines. */
const FOLD_CHARS = 1_200;
const FOLD_LINES = 14;

/**
 * @typedef {object} Context  What views are given: texts, the state, and what they may ask for.
 * @property {import("./language.js").Language} language
 * @property {import("./store.js").Store} store
 * @property {import("./actions.js").Actions} actions
 * @property {import("./archive.js").Archive} archive
 * @property {import("./toasts.js").Toasts} toasts
 */

export class MessageView {
  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.root = el("div", { class: "message", "data-message": id });
    this.drawn = "";
    this.unfolded = false;
  }

  /** @param {import("./types.js").Message} message @param {boolean} isLive  whether its answer is still to come */
  update(message, isLive) {
    const editing = this.context.store.editing === this.id && !message.erased;
    const look = JSON.stringify([message.text, message.revision, message.erased, isLive, editing, this.unfolded]);
    if (look === this.drawn) return;
    // An open editor is not replaced under the writer's hands, only by its end.
    if (editing && this.wasEditing) return;
    const hadFocus = this.root.contains(document.activeElement);
    this.drawn = look;
    this.wasEditing = editing;
    if (message.erased)
      this.root.replaceChildren(el("p", { class: "erased", text: this.context.language.t("message.erased") }));
    else if (editing) this.#drawEditor(message, isLive);
    else this.#drawText(message, isLive);
    if (hadFocus && !editing && !this.root.contains(document.activeElement)) this.context.actions.focusComposer();
  }

  /** @param {import("./types.js").Message} message @param {boolean} isLive */
  #drawText(message, isLive) {
    const { language, actions } = this.context;
    const again = () => this.update(message, isLive);
    this.root.replaceChildren(
      bubble(this.context, message.text, this.unfolded, () => {
        this.unfolded = !this.unfolded;
        again();
      }),
      el(
        "div",
        { class: "message-foot" },
        el(
          "span",
          { class: "quiet" },
          message.revision > 0 && `${language.t("message.edited")} · `,
          time(language, message.sent_at),
        ),
        iconButton("pencil", language.t("message.edit"), () => actions.beginEdit(this.id)),
        iconButton("trash", language.t("message.delete"), () => actions.remove(this.id)),
      ),
    );
  }

  /** @param {import("./types.js").Message} message @param {boolean} isLive */
  #drawEditor(message, isLive) {
    const { language, actions } = this.context;
    const area = el("textarea", { "aria-label": language.t("edit.label"), rows: "1" });
    area.value = message.text;
    const save = () => actions.edit(this.id, area.value, message.text);
    const form = el(
      "form",
      { class: "editor", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), save()) },
      area,
      el("p", { class: "quiet", text: language.t(isLive ? "edit.live" : "edit.over") }),
      el(
        "div",
        { class: "buttons" },
        el("button", {
          type: "button",
          class: "button",
          text: language.t("edit.cancel"),
          onclick: () => actions.endEdit(),
        }),
        !isLive &&
          el("button", {
            type: "button",
            class: "button",
            text: language.t("edit.ask"),
            onclick: () => actions.askAgain(area.value),
          }),
        el("button", { type: "submit", class: "button primary", text: language.t("edit.save") }),
      ),
    );
    area.addEventListener("input", () => grow(area));
    area.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        save();
      }
      if (event.key === "Escape") {
        event.stopPropagation();
        actions.endEdit();
      }
    });
    this.root.replaceChildren(form);
    grow(area);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}

/** A message that no turn shows yet. @param {Context} context @param {import("./types.js").Pending} item */
export function pendingMessage(context, item) {
  const { language, actions } = context;
  const root = el(
    "div",
    { class: "message pending", "data-message": item.id, "data-state": item.state },
    bubble(context, item.text, false, null),
  );
  if (item.state === "rejected") {
    root.append(
      el("p", { class: "trouble", role: "alert", text: language.t("message.rejected", { reason: item.error }) }),
      el(
        "div",
        { class: "buttons" },
        el("button", {
          type: "button",
          class: "button",
          text: language.t("message.discard"),
          onclick: () => actions.discard(item),
        }),
        el("button", {
          type: "button",
          class: "button",
          text: language.t("message.change"),
          onclick: () => actions.takeBack(item),
        }),
        el("button", {
          type: "button",
          class: "button primary",
          text: language.t("message.again"),
          onclick: () => actions.sendAgain(item),
        }),
      ),
    );
    return root;
  }
  if (item.state === "accepted") return root;
  const text =
    item.state === "offline"
      ? [item.error, language.t("message.offline")].filter(Boolean).join(" ")
      : language.t("message.sending");
  root.append(el("div", { class: "message-foot shown" }, el("span", { class: "quiet", text })));
  return root;
}

/** @param {Context} context @param {string} text @param {boolean} unfolded @param {(() => void)|null} onFold */
function bubble(context, text, unfolded, onFold) {
  const isLong = text.length > FOLD_CHARS || text.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  const folded = isLong && !unfolded;
  const root = el(
    "div",
    { class: folded ? "bubble folded" : "bubble" },
    el("span", { class: "sr", text: context.language.t("message.you") }),
    // 200,000 characters would cost a second to lay out; folded, only the beginning is shown.
    el("div", { class: "bubble-text", dir: "auto", text: folded ? text.slice(0, FOLD_CHARS * 2) : text }),
  );
  if (isLong && onFold) {
    const label = context.language.t(folded ? "message.whole" : "message.less");
    root.append(
      el("button", { type: "button", class: "link", "aria-expanded": String(!folded), text: label, onclick: onFold }),
    );
  }
  return root;
}

/** @param {import("./language.js").Language} language @param {string} at */
function time(language, at) {
  return el("time", { datetime: at, title: language.whenExactly(at), text: language.when(at) });
}

/** Makes a text box as high as its text; the style sheet sets the limit. @param {HTMLTextAreaElement} area */
export function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}
