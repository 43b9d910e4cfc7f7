/** One run: its line with its mark, charts, tables, files. */

import { el } from "../dom.js";
import { Progress, chip, factsOf, stateOf, whoOf } from "./card.js";
import { addressOf, ask, heading, moment, span, tables, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const OFTEN_MS = 2_000;

export class RunView {
  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.title = context.language.t("run.title", { id });
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
    this.isOpen = true;
  }

  close() {
    this.isOpen = false;
    clearTimeout(this.timer);
  }

  async load() {
    const found = await ask(this.context, "GET", `/runs/${this.id}`);
    if (!this.isOpen) return;
    const { run } = found;
    if (this.progress && run.progress && stateOf(run) === this.state) this.progress.show(run);
    else this.#draw(found);
    if (run.progress) this.timer = setTimeout(() => void this.load().catch(() => this.#later()), OFTEN_MS);
  }

  #later() {
    if (this.isOpen) this.timer = setTimeout(() => void this.load().catch(() => this.#later()), OFTEN_MS);
  }

  /** @param {any} found */
  #draw({ run, html, manifest, earlier }) {
    const { language } = this.context;
    this.state = stateOf(run);
    this.progress = run.progress ? new Progress(language, run) : null;
    const took = run.finished_at ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000 : null;
    this.root.replaceChildren(
      el("a", { class: "back", href: "#/", text: `← ${language.t("back")}` }),
      heading(this.context, run.model, chip(language, run)),
      el("p", { class: "quiet", dir: "auto", text: factsOf(language, run) }),
      el(
        "p",
        { class: "quiet" },
        moment(language, run.started_at),
        ` · ${whoOf(language, run)}`,
        took === null ? "" : ` · ${language.t("run.took", { time: span(language, took) })}`,
      ),
      this.progress?.root ?? "",
      run.error === "" ? "" : el("p", { class: "trouble", text: language.t("run.failed", { error: run.error }) }),
      ...(html === "" ? [] : this.#numbers(run, html)),
      html === "" && !run.progress ? el("p", { class: "blank", text: language.t("run.no.numbers") }) : "",
      run.progress ? "" : this.#files(run, html !== "", earlier),
      manifest === ""
        ? ""
        : el("details", { class: "manifest" }, el("summary", { text: language.t("run.manifest") }), el("pre", { text: manifest })),
    );
  }

  /** @param {any} run @param {string} html */
  #numbers(run, html) {
    const { language } = this.context;
    const picture = (/** @type {string} */ name) => {
      const alt = language.t(`run.${name}`);
      const source = addressOf(`/runs/${run.id}/charts/${name}?lang=${language.lang}`);
      const image = el("img", { src: source, alt, class: name });
      image.addEventListener("error", () => image.replaceWith(el("p", { class: "quiet", text: alt })));
      return image;
    };
    return [
      el(
        "p",
        { class: "line" },
        el("span", { class: "sr", text: language.t("run.line") }),
        el("code", { text: run.line }),
      ),
      run.mark === "" ? "" : el("p", { class: "quiet", text: `${run.mark}: ${language.t("run.mark")}` }),
      el("h2", { text: language.t("run.charts") }),
      el("div", { class: "charts" }, ...(run.suite ? [picture("bars")] : [picture("radar"), picture("bars")])),
      el("h2", { text: language.t("run.tables") }),
      tables(this.context, html),
    ];
  }

  /** @param {any} run @param {boolean} hasNumbers @param {string} earlier */
  #files(run, hasNumbers, earlier) {
    const { language } = this.context;
    const link = (/** @type {string} */ href, /** @type {string} */ text, isFile = false) =>
      el("a", { class: "button", href, text: language.t(text), download: isFile });
    return el(
      "div",
      { class: "buttons files" },
      !run.suite && link(`#/run/${run.id}/items`, "run.see.items"),
      earlier === "" ? "" : link(`#/compare/${earlier}/${run.id}`, "run.earlier"),
      !run.suite && link(addressOf(`/runs/${run.id}/predictions`), "run.predictions", true),
      hasNumbers && link(addressOf(`/runs/${run.id}/report?lang=${language.lang}`), "run.report", true),
    );
  }
}
