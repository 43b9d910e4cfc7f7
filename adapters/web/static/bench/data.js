/** The data sets, and what is measured every week. */

import { el } from "../dom.js";
import { ask, heading, moment, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const IMPORT = "kagent-bench import FILE";
/** Characters of a hash that tell files apart. */
const HASH = 12;

export class DataView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = context.language.t("data.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { language } = this.context;
    const [{ data }, { schedules }] = await Promise.all([
      ask(this.context, "GET", "/choices"),
      ask(this.context, "GET", "/schedules"),
    ]);
    this.root.replaceChildren(
      heading(this.context, this.title),
      el("ul", { class: "runs" }, ...data.map((/** @type {any} */ one) => this.#set(one))),
      el("p", { class: "quiet" }, language.t("data.how"), " ", el("code", { text: IMPORT })),
      el("h2", { text: language.t("weekly.title") }),
      schedules.length
        ? el("ul", { class: "runs" }, ...schedules.map((/** @type {any} */ one) => this.#schedule(one)))
        : el("p", { class: "blank", text: language.t("weekly.none") }),
    );
  }

  /** @param {any} one */
  #set(one) {
    const { language } = this.context;
    const counts = (/** @type {Record<string, number>} */ found, /** @type {string} */ prefix) =>
      Object.entries(found)
        .map(([name, n]) => `${prefix && prefix + name in language.catalogue.en ? language.t(prefix + name) : name} ${language.count(n)}`)
        .join(language.t("list.comma"));
    let origin = "";
    if (one.kind === "sample") origin = language.t("data.sample");
    else if (one.kind === "suite") origin = language.t("data.suite");
    else if (one.imported_at) origin = language.t("data.imported", { when: language.when(one.imported_at) });
    return el(
      "li",
      { class: "run" },
      el(
        "div",
        { class: "run-words" },
        el("p", { class: "run-head" }, el("b", { text: one.name, dir: "auto" }), el("span", { class: "quiet", text: origin })),
        el("p", { class: "quiet", text: [language.t("run.items", { n: one.items }), one.kind !== "suite" && counts(one.types, "type.")].filter(Boolean).join(" · ") }),
        el("p", { class: "quiet", text: [counts(one.langs, "lang."), counts(one.templates, "")].filter(Boolean).join(" · ") }),
        el("p", { class: "quiet" }, "SHA-256 ", el("code", { text: one.sha256.slice(0, HASH), title: one.sha256 })),
      ),
    );
  }

  /** @param {any} one */
  #schedule(one) {
    const { language } = this.context;
    const isHere = one.platform === "web";
    const where = isHere ? language.t("weekly.here") : language.t("weekly.where", { platform: one.platform });
    const [before, after = ""] = language.t("weekly.next", { when: "|" }).split("|");
    return el(
      "li",
      { class: "run" },
      el(
        "div",
        { class: "run-words" },
        el("p", { class: "run-head" }, el("b", { text: one.model, dir: "auto" })),
        el("p", { class: "quiet", dir: "auto", text: one.options || language.t("weekly.usual") }),
        el("p", { class: "quiet" }, before, moment(language, one.next_at), `${after} · ${where}`),
      ),
      el(
        "div",
        { class: "run-deeds" },
        el("button", {
          type: "button",
          class: "link danger",
          text: language.t("weekly.end"),
          "aria-label": language.t("weekly.end.label", { model: one.model }),
          onclick: () => void this.#end(one),
        }),
      ),
    );
  }

  /** @param {any} one */
  async #end(one) {
    const { language, toasts } = this.context;
    try {
      await ask(this.context, "DELETE", `/schedules/${one.id}`);
      toasts.show(language.t("weekly.ended", { model: one.model }));
      await this.load();
    } catch (error) {
      toasts.show(this.context.sentence(error));
    }
  }
}
