/** What several views of the console are made of. */

import { Answer } from "../answer.js";
import { byId, el } from "../dom.js";

/** @typedef {import("./frame.js").Context} Context @typedef {import("../language.js").Language} Language */

const BENCH = "/bench";

/** The address of something in the API. @param {string} rest */
export function addressOf(rest) {
  return `/api/v1${BENCH}${rest}`;
}

/** Asks the API about benchmarks. @param {Context} context @param {string} method @param {string} rest @param {unknown} [body] */
export function ask({ api }, method, rest, body) {
  // Items and charts of a large run are made when somebody looks at them.
  return api.call(method, BENCH + rest, body, { timeout: 120_000 });
}

/** @param {Context} context @param {...(Node|string|null|false)} more */
export function heading(context, text, ...more) {
  return el("div", { class: "view-head" }, el("h1", { text }), ...more);
}

/** A line that says that something is under way. @param {string} text */
export function working(text) {
  return el("p", { class: "quiet working", role: "status" }, el("span", { class: "spinner", "aria-hidden": "true" }), text);
}

/** Tables that the server has rendered. @param {Context} context @param {string} html */
export function tables({ language }, html) {
  const box = new Answer(language, { class: "tables" });
  box.show(html);
  return box.root;
}

/** A score as it is published. @param {number|null|undefined} score  0 to 1 */
export function points(score) {
  return score === null || score === undefined ? "–" : (100 * score).toFixed(2);
}

/** @param {Language} language @param {number} seconds */
export function span(language, seconds) {
  if (seconds < 90) return language.t("time.s", { n: Math.max(0, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return language.t("time.min", { n: minutes });
  return language.t("time.h", { n: Math.floor(minutes / 60), m: minutes % 60 });
}

/** @param {Language} language @param {string} at */
export function moment(language, at) {
  return el("time", { datetime: at, title: language.whenExactly(at), text: language.when(at) });
}

/**
 * Asks whether something that can't be undone shall be done.
 * @param {Context} context @param {string} question @param {string} yes
 * @returns {Promise<boolean>}
 */
export function confirmed({ language }, question, yes) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("confirm");
  const answer = (/** @type {string} */ value) => () => dialog.close(value);
  const text = el("p", { id: "confirm-text", text: question });
  dialog.setAttribute("aria-labelledby", text.id);
  dialog.replaceChildren(
    text,
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "button", class: "button", text: language.t("cancel"), onclick: answer("") }),
      el("button", { type: "button", class: "button primary", text: yes, onclick: answer("yes") }),
    ),
  );
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
