/** The two dialogs (keyboard help, sign in) and the strip that says what is wrong. */

import { ApiError } from "./api.js";
import { byId, el, iconButton, setText } from "./dom.js";

/** @typedef {import("./language.js").Language} Language */

/** @param {Language} language */
export function openHelp(language) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("help");
  const key = (/** @type {"enter"|"shift"|"alt"|"ctrl"|"esc"} */ name) => language.t(`key.${name}`);
  /** @type {[string[], string][]} */
  const rows = [
    [[key("enter")], language.t("help.send")],
    [[key("shift"), key("enter")], language.t("help.line")],
    [["↑"], language.t("help.last")],
    [[key("esc")], language.t("help.stop")],
    [[key("alt"), "N"], language.t("help.new")],
    [[key("ctrl"), "/"], language.t("help.help")],
  ];
  const list = el(
    "dl",
    { class: "keys" },
    ...rows.map(([keys, text]) =>
      el("div", {}, el("dt", {}, ...keys.map((name) => el("kbd", { text: name }))), el("dd", { text })),
    ),
  );
  const head = el(
    "div",
    { class: "dialog-head" },
    el("h2", { id: "help-title", text: language.t("help.title") }),
    iconButton("close", language.t("help.close"), () => dialog.close()),
  );
  dialog.setAttribute("aria-labelledby", "help-title");
  dialog.replaceChildren(head, list);
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  if (!dialog.open) dialog.showModal();
}

/**
 * Asks for the server's token until it is right.
 * @param {Language} language
 * @param {(token: string) => Promise<unknown>} login
 * @param {() => void} onDone
 */
export function openLogin(language, login, onDone) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("login");
  if (dialog.open) return;
  const field = el("input", {
    type: "password",
    id: "token",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
    "aria-describedby": "login-trouble",
  });
  const trouble = el("p", { class: "trouble", id: "login-trouble", role: "alert" });
  const submit = el("button", { type: "submit", class: "button primary", text: language.t("login.submit") });
  const onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await login(field.value.trim());
      dialog.close();
      onDone();
    } catch (error) {
      const isWrong = error instanceof ApiError && error.status < 500 && error.status !== 429;
      setText(
        trouble,
        isWrong
          ? language.t("login.wrong")
          : (error instanceof ApiError && error.message) || language.t("error.unreachable"),
      );
      field.select();
    }
    submit.disabled = false;
  };
  dialog.setAttribute("aria-labelledby", "login-title");
  dialog.replaceChildren(
    el(
      "form",
      { onsubmit },
      el("h2", { id: "login-title", text: language.t("login.title") }),
      el("p", { text: language.t("login.text") }),
      // Password managers file the token under a name.
      el("input", { type: "text", autocomplete: "username", value: "kagentbot", hidden: true }),
      el("label", { for: "token", text: language.t("login.token") }),
      field,
      trouble,
      el("div", { class: "buttons" }, submit),
    ),
  );
  // Without the token there is nothing to go back to.
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  field.focus();
}

/** The strip under the header. @param {import("./message.js").Context} context @param {() => void} onTry */
export function drawNotice({ store, language }, onTry) {
  const strip = byId("notice");
  const model = store.info?.model;
  let kind = "";
  if (store.lost) kind = "lost";
  else if (model && model.state !== "ok") kind = model.state;
  strip.hidden = kind === "";
  const look = `${language.lang} ${kind} ${model?.detail}`;
  if (strip.dataset.look === look) return;
  strip.dataset.look = look;
  strip.dataset.kind = kind;
  if (kind === "lost") {
    const text = el("span", { text: language.t("connection.lost") });
    strip.replaceChildren(
      text,
      el("button", { type: "button", class: "link", text: language.t("connection.try"), onclick: onTry }),
    );
  } else if (kind === "down")
    strip.replaceChildren(el("span", { text: language.t("model.down", { detail: model?.detail ?? "" }) }));
  else if (kind === "starting")
    strip.replaceChildren(
      el("span", { class: "spinner", "aria-hidden": "true" }),
      el("span", { text: language.t("model.starting") }),
    );
  else strip.replaceChildren();
}
