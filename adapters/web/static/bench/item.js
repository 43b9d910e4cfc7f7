/** One item: what was asked, what was said, what was read in it, and what would have been right. Nothing of it is markup. */

import { el } from "../dom.js";
import { points } from "./parts.js";

/** @typedef {import("../language.js").Language} Language */

/**
 * @param {Language} language @param {any} found
 * @param {string} chosen  the template that is looked at; "" for all
 * @returns {HTMLElement[]}
 */
export function itemOf(language, { item, query, line, raises, metrics, goldens, more, replies }, chosen) {
  const facts = [language.t(`type.${item.type}`), language.t(`lang.${item.lang}`), item.id, language.t("item.line", { n: line })];
  const shown = replies.filter((/** @type {any} */ one) => chosen === "" || one.template === chosen);
  return [
    el("h2", { text: query, dir: "auto" }),
    el("p", { class: "quiet", text: facts.join(" · ") }),
    ...(raises === "" ? [] : [el("p", { class: "trouble", text: language.t("item.raises", { why: raises }) })]),
    ...shown.map((/** @type {any} */ one) => replyOf(language, one, metrics, shown.length === 1)),
    fold(
      language.t("item.goldens", { n: goldens.length + more }),
      goldens.length <= 2,
      ...goldens.map((/** @type {string[][]} */ one) => pairs(one)),
      more > 0 && el("p", { class: "quiet", text: language.t("item.more", { n: more }) }),
    ),
  ];
}

/** @param {Language} language @param {any} one @param {string[]} metrics @param {boolean} isAlone */
function replyOf(language, one, metrics, isAlone) {
  const scores = metrics.map((name, at) => `${language.t(`metric.${name}`)} ${points(one.scores[at])}`);
  const parts = one.parsed && [
    [language.t("item.thought"), one.parsed[0]],
    [language.t("item.tool"), one.parsed[1]],
    [language.t("item.args"), one.parsed[2]],
  ];
  const reply = one.reply === null ? language.t("item.noreply") : one.reply === "" ? language.t("item.empty") : one.reply;
  return el(
    "section",
    { class: "reply" },
    el("div", { class: "reply-head" }, el("h3", { text: one.template }), el("span", { class: "quiet", text: scores.join(" · ") })),
    one.raises !== "" && el("p", { class: "trouble", text: language.t("item.raises", { why: one.raises }) }),
    el("h4", { text: language.t("item.reply") }),
    el("pre", { text: reply, dir: "auto", class: one.reply ? "" : "quiet" }),
    parts && el("h4", { text: language.t("item.read") }),
    parts && pairs(parts),
    fold(language.t("item.prompt"), isAlone && one.prompt.length < 600, el("pre", { text: one.prompt, dir: "auto" })),
  );
}

/** Names and texts. @param {string[][]} found */
function pairs(found) {
  return el(
    "dl",
    { class: "pairs" },
    ...found.map(([name, text]) => el("div", {}, el("dt", { text: name }), el("dd", { text, dir: "auto" }))),
  );
}

/** @param {string} label @param {boolean} isOpen @param {...(Node|false)} inner */
function fold(label, isOpen, ...inner) {
  return el("details", { open: isOpen }, el("summary", { text: label }), ...inner);
}
