/** Two runs over the same data, side by side. */

import { el } from "../dom.js";
import { ask, heading, tables, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

export class CompareView {
  /** @param {Context} context @param {string} a @param {string} b */
  constructor(context, a, b) {
    const { language } = context;
    this.context = context;
    this.pair = [a, b];
    this.title = language.t("compare.title");
    this.body = el("div", {}, working(language.t("compare.working")));
    const links = this.pair.map((id) => el("a", { class: "button", href: `#/run/${id}`, text: language.t("run.title", { id }) }));
    this.root = el(
      "div",
      { class: "column" },
      el("a", { class: "back", href: "#/", text: `← ${language.t("back")}` }),
      heading(context, this.title, ...links),
      this.body,
    );
  }

  async load() {
    const [a, b] = this.pair;
    const { html } = await ask(this.context, "GET", `/comparison?a=${a}&b=${b}`);
    this.body.replaceChildren(tables(this.context, html));
  }
}
