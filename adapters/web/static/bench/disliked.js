/** Answers that people did not like, and the button that makes a case of a suite from one. */

import { Answer } from "../answer.js";
import { el, setText } from "../dom.js";
import { heading, moment, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const SUITE = "kagentbot.suite";

export class DislikedView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = context.language.t("disliked.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { language, api } = this.context;
    const { answers, suites } = await api.call("GET", "/human/disliked");
    this.suites = suites;
    const names = el("datalist", { id: "suites" }, ...suites.map((/** @type {string} */ value) => el("option", { value })));
    this.root.replaceChildren(
      heading(this.context, this.title),
      el("p", { class: "quiet", text: language.t("disliked.about") }),
      names,
      answers.length
        ? el("ul", { class: "runs" }, ...answers.map((/** @type {any} */ one) => this.#answer(one)))
        : el("p", { class: "blank", text: language.t("disliked.none") }),
    );
  }

  /** @param {any} one */
  #answer(one) {
    const { language } = this.context;
    const text = new Answer(language, { class: "answer-text" });
    text.show(one.html);
    const facts = [one.system, one.model].filter(Boolean).join(" · ");
    return el(
      "li",
      { class: "bad-answer" },
      el("h2", { text: one.question, dir: "auto" }),
      el("p", { class: "quiet" }, moment(language, one.asked_at), facts && ` · ${facts}`),
      text.root,
      this.#form(one),
    );
  }

  /** @param {any} one */
  #form(one) {
    const { language, shelf } = this.context;
    const suite = el("input", { type: "text", list: "suites", maxlength: "60", required: true, spellcheck: "false", autocomplete: "off" });
    suite.value = shelf.get(SUITE) ?? this.suites[0] ?? "";
    const note = el("input", { type: "text", maxlength: "2000", dir: "auto", autocomplete: "off" });
    const said = el("p", { class: "quiet", role: "status" });
    const button = el("button", { type: "submit", class: "button", text: language.t("disliked.make") });
    const onsubmit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        const body = { suite: suite.value.trim(), note: note.value };
        const made = await this.context.api.call("POST", `/human/disliked/${one.turn_id}/case`, body);
        shelf.put(SUITE, body.suite);
        setText(said, language.t("disliked.made", { id: made.id, suite: body.suite }));
      } catch (error) {
        setText(said, this.context.sentence(error));
        button.disabled = false;
      }
    };
    const field = (/** @type {string} */ name, /** @type {HTMLElement} */ control) =>
      el("label", { class: "field" }, el("span", { text: language.t(`disliked.${name}`) }), control);
    return el("form", { class: "case", onsubmit }, field("suite", suite), field("note", note), button, said);
  }
}
