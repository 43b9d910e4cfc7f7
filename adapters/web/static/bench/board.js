/** The leaderboard of each data set. */

import { el } from "../dom.js";
import { ask, heading, tables, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

export class BoardView {
  /** @param {Context} context */
  constructor(context) {
    const { language } = context;
    this.context = context;
    this.title = language.t("board.title");
    this.choice = el("select", { id: "board-data", onchange: () => void this.#show() });
    this.label = el("label", { class: "field", for: "board-data" }, language.t("board.data"), this.choice);
    this.body = el("div", {}, working(language.t("loading")));
    this.root = el("div", { class: "column" }, heading(context, this.title), this.label, this.body);
  }

  async load() {
    const { language } = this.context;
    const [{ data }, { runs }] = await Promise.all([
      ask(this.context, "GET", "/choices"),
      ask(this.context, "GET", "/runs?limit=100"),
    ]);
    /** @type {Map<string, string>} data sets that are there, and those that were */
    const known = new Map(data.map((/** @type {any} */ one) => [one.sha256, one.name]));
    for (const run of runs) if (!known.has(run.data_sha256)) known.set(run.data_sha256, run.data);
    this.choice.replaceChildren(...[...known].map(([value, text]) => el("option", { value, text })));
    const newest = runs.find((/** @type {any} */ run) => run.state === "done");
    if (newest) this.choice.value = newest.data_sha256;
    await this.#fill(language);
  }

  async #show() {
    try {
      await this.#fill(this.context.language);
    } catch (error) {
      this.body.replaceChildren(el("p", { class: "trouble", role: "alert", text: this.context.sentence(error) }));
    }
  }

  /** @param {Context["language"]} language */
  async #fill(language) {
    const asked = this.choice.value;
    const { html } = await ask(this.context, "GET", `/leaderboard?data=${asked}`);
    if (asked !== this.choice.value) return;
    const none = el("p", { class: "blank", text: language.t("board.none") });
    this.body.replaceChildren(html === "" ? none : tables(this.context, html));
  }
}
