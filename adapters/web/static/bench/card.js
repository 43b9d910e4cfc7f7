/** A run in the list: what it measures, where it stands, what came out. */

import { el, setText } from "../dom.js";
import { moment, points, span } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

/** @param {any} run */
export function stateOf(run) {
  if (run.state !== "running" || !run.progress) return run.state;
  if (run.progress.scoring) return "scoring";
  return run.progress.total === 0 ? "waiting" : "running";
}

/** Who asked for it. @param {Context["language"]} language @param {any} run */
export function whoOf(language, run) {
  if (run.platform === "") return language.t("run.by.program");
  if (run.platform === "web") return language.t("run.by.page");
  const platform = run.platform[0].toUpperCase() + run.platform.slice(1);
  return run.author === ""
    ? language.t("run.by.schedule", { platform })
    : language.t("run.by.platform", { who: run.author, platform });
}

/** @param {Context["language"]} language @param {any} run */
export function chip(language, run) {
  const state = stateOf(run);
  return el("span", { class: "chip", "data-state": state, text: language.t(`run.state.${state}`) });
}

/** What it measures, in a line. @param {Context["language"]} language @param {any} run */
export function factsOf(language, run) {
  const facts = [run.data, language.t("run.items", { n: run.items }), run.options, run.id];
  return facts.filter(Boolean).join(" · ");
}

/** How far it is. Kept and changed in place, so that nothing jumps while it goes on. */
export class Progress {
  /** @param {Context["language"]} language @param {any} run */
  constructor(language, run) {
    this.language = language;
    this.bar = el("progress", { max: "1", "aria-label": language.t("run.bar", { id: run.id }) });
    this.text = el("p", { class: "quiet" });
    this.scores = el("p", { class: "quiet sofar" });
    this.root = el("div", { class: "far" }, this.bar, this.text, this.scores);
    this.show(run);
  }

  /** @param {any} run */
  show(run) {
    const { language } = this;
    const found = run.progress;
    this.root.hidden = !found;
    if (!found) return;
    this.bar.hidden = found.total === 0;
    this.bar.value = found.total ? found.done / found.total : 0;
    setText(this.text, this.#words(found));
    const scores = Object.entries(found.scores).filter(([, score]) => score !== null);
    const said = scores.map(([name, score]) => `${language.t(`metric.${name}`)} ${points(Number(score))}`);
    this.scores.hidden = said.length === 0;
    setText(
      this.scores,
      `${language.t("run.sofar", { n: found.scored })} ${said.join(language.t("list.comma"))}`,
    );
  }

  /** @param {any} found */
  #words(found) {
    const { language } = this;
    if (found.total === 0) return language.t("run.waiting");
    if (found.scoring) return language.t("run.scoring");
    const { done, total, cached, failed, rate, left } = found;
    const isSlow = rate < 0.5;
    return [
      language.t("run.progress", { done: language.count(done), total: language.count(total) }),
      cached && language.t("run.cached", { n: language.count(cached) }),
      failed && language.t("run.failures", { n: language.count(failed) }),
      rate > 0 && language.t(isSlow ? "run.rate.minute" : "run.rate", { rate: language.decimal(isSlow ? rate * 60 : rate) }),
      left !== null && done < total && language.t("run.left", { time: span(language, left) }),
    ]
      .filter(Boolean)
      .join(" · ");
  }
}

export class Card {
  /**
   * @param {Context} context @param {any} run
   * @param {{onCancel: (run: any) => void, onDelete: (run: any) => void, onChoose: (run: any, on: boolean) => void}} deeds
   */
  constructor({ language }, run, deeds) {
    this.language = language;
    this.deeds = deeds;
    this.root = el("li", { class: "run" });
    this.look = "";
    this.chosen = false;
    this.draw(run);
  }

  /** @param {any} run */
  draw(run) {
    const { language } = this;
    this.run = run;
    // What changes by the second is changed in place.
    const look = JSON.stringify({ ...run, progress: run.progress && stateOf(run) });
    if (look === this.look) {
      this.progress.show(run);
      return;
    }
    this.look = look;
    this.progress = new Progress(language, run);
    const link = el("a", { class: "run-model", href: `#/run/${run.id}`, text: run.model, dir: "auto" });
    const score = el(
      "p",
      { class: "score" },
      el("b", { text: points(run.overall) }),
      el("span", { class: "quiet", text: language.t("run.overall") }),
    );
    this.root.replaceChildren(
      el(
        "div",
        { class: "run-words" },
        el("p", { class: "run-head" }, link, chip(language, run), this.#mark()),
        el("p", { class: "quiet", dir: "auto", text: factsOf(language, run) }),
        el("p", { class: "quiet" }, moment(language, run.started_at), ` · ${whoOf(language, run)}`),
        run.suite && run.line !== "" && el("p", { class: "suite-line" }, el("code", { text: run.line })),
        run.error !== "" && el("p", { class: "trouble", text: run.error }),
        this.progress.root,
      ),
      run.state === "done" && !run.suite ? score : "",
      el("div", { class: "run-deeds" }, ...this.#deeds()),
    );
  }

  #mark() {
    const { mark } = this.run;
    return mark !== "" && el("span", { class: "mark", text: mark, title: this.language.t("run.mark") });
  }

  #deeds() {
    const { language, run, deeds } = this;
    const button = (/** @type {string} */ name, /** @type {() => void} */ onclick, look = "") =>
      el("button", {
        type: "button",
        class: `link ${look}`,
        text: language.t(name),
        "aria-label": language.t(`${name}.label`, { id: run.id }),
        onclick,
      });
    if (run.progress) return [button("run.cancel", () => deeds.onCancel(run))];
    const box = el("input", {
      type: "checkbox",
      "aria-label": language.t("runs.compare.label", { id: run.id }),
      onchange: () => {
        this.chosen = box.checked;
        deeds.onChoose(run, box.checked);
      },
    });
    box.checked = this.chosen;
    this.box = box;
    return [
      run.state === "done" && el("label", { class: "check" }, box, el("span", { text: language.t("runs.compare") })),
      button("run.delete", () => deeds.onDelete(run), "danger"),
    ];
  }

  /** Choose it no longer. */
  release() {
    this.chosen = false;
    if (this.box) this.box.checked = false;
  }
}
