/** Sets of answers as operators see them: who answered, how far raters are, and the table of a closed one. */

import { el } from "../dom.js";
import { confirmed, heading, moment, tables, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

/** @param {Context} context @param {string} method @param {string} rest @param {unknown} [body] */
function ask({ api }, method, rest, body) {
  return api.call(method, `/human/sets${rest}`, body);
}

const MAKE = "kagent-bench human run --questions FILE --systems … --models …";

export class SetsView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = context.language.t("sets.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { language } = this.context;
    const { sets, feedback } = await ask(this.context, "GET", "");
    const rate = el("a", { class: "button primary", href: "/rate", text: language.t("sets.rate") });
    this.root.replaceChildren(
      heading(this.context, this.title, rate),
      sets.length
        ? el("ul", { class: "runs" }, ...sets.map((/** @type {any} */ one) => this.#set(one)))
        : el("p", { class: "blank", text: language.t("sets.none") }),
      el("p", { class: "quiet" }, language.t("sets.how"), " ", el("code", { text: MAKE })),
      el("h2", { text: language.t("sets.feedback") }),
      feedback === "" ? el("p", { class: "blank", text: language.t("sets.feedback.none") }) : tables(this.context, feedback),
    );
  }

  /** @param {any} one */
  #set(one) {
    const { language } = this.context;
    const name = one.state === "closed" ? el("a", { class: "run-model", href: `#/ratings/${one.id}`, text: one.name, dir: "auto" }) : el("b", { text: one.name, dir: "auto" });
    const close = () => this.#deed(one, "close", () => ask(this.context, "POST", `/${one.id}/close`, {}));
    const forget = () => this.#deed(one, "delete", () => ask(this.context, "DELETE", `/${one.id}`));
    const button = (/** @type {string} */ deed, /** @type {() => void} */ onclick, look = "") =>
      el("button", {
        type: "button",
        class: `link ${look}`,
        text: language.t(`sets.${deed}`),
        "aria-label": language.t(`sets.${deed}.label`, { name: one.name }),
        onclick,
      });
    return el(
      "li",
      { class: "run" },
      el(
        "div",
        { class: "run-words" },
        el("p", { class: "run-head" }, name, el("span", { class: "chip", "data-state": one.state, text: language.t(`sets.state.${one.state}`) })),
        el("p", { class: "quiet", dir: "auto", text: [one.systems.join(language.t("list.comma")), one.models.join(language.t("list.comma"))].join(" · ") }),
        el(
          "p",
          { class: "quiet" },
          moment(language, one.created_at),
          ` · ${language.t("rate.questions", { n: one.questions })} · ${language.t("sets.raters", { n: one.raters })} · ${one.id}`,
        ),
      ),
      el("div", { class: "run-deeds" }, one.state === "open" && button("close", close), button("delete", forget, "danger")),
    );
  }

  /** @param {any} one @param {string} name @param {() => Promise<any>} deed */
  async #deed(one, name, deed) {
    const { language, toasts } = this.context;
    const question = language.t(`sets.${name}.ask`, { name: one.name });
    if (!(await confirmed(this.context, question, language.t(`sets.${name}.yes`)))) return;
    try {
      await deed();
      await this.load();
    } catch (error) {
      toasts.show(this.context.sentence(error));
    }
  }
}

/** The table of a closed set. */
export class SetView {
  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.title = context.language.t("sets.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { name, html } = await ask(this.context, "GET", `/${this.id}`);
    const back = el("a", { class: "back", href: "#/ratings", text: `← ${this.context.language.t("sets.title")}` });
    this.root.replaceChildren(back, heading(this.context, name), tables(this.context, html));
  }
}
