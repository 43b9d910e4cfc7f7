/** The form that begins a run, or measures a model every week. */

import { el } from "../dom.js";
import { ask, heading, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const TYPES = ["plantooluse", "reflextion", "conclusion", "profile"];
const LANGS = ["en", "zh"];
/** The one prompt of a profile item, which is no template. */
const NO_TEMPLATE = "prompt";

export class StartView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = context.language.t("start.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { language } = this.context;
    const { models, data } = await ask(this.context, "GET", "/choices");
    this.data = data;
    this.judge = this.#choice("judge", [
      ["", language.t("start.judge.none")],
      ...models.map((/** @type {any} */ one) => [one.name, modelText(language, one)]),
    ]);
    this.judge.append(el("span", { class: "quiet", text: language.t("start.judge.about") }));
    this.templates = el("div", { class: "ticks" });
    this.form = el(
      "form",
      { class: "order", onsubmit: (/** @type {Event} */ event) => this.#send(event) },
      this.#choice("model", [
        ["", language.t("start.model.auto")],
        ...models.map((/** @type {any} */ one) => [one.name, modelText(language, one)]),
      ]),
      this.#choice(
        "data",
        this.data.map((/** @type {any} */ one) => [one.name, language.t("start.data.option", { name: one.name, n: language.count(one.items) })]),
        () => this.#drawTemplates(),
      ),
      this.judge,
      this.#number("limit", "", 1, 1_000_000, language.t("start.limit.about")),
      (this.types = this.#ticks("types", TYPES.map((name) => [name, language.t(`type.${name}`)]))),
      (this.templateGroup = this.#group("templates", this.templates)),
      this.#ticks("langs", LANGS.map((name) => [name, language.t(`lang.${name}`)])),
      this.#number("repeats", "1", 1, 20),
      el("label", { class: "check" }, el("input", { type: "checkbox", name: "constrained" }), el("span", { text: language.t("start.constrained") })),
      el(
        "details",
        {},
        el("summary", { text: language.t("start.more") }),
        this.#choice("preset", [
          ["plain", language.t("start.preset.plain")],
          ["qwen", language.t("start.preset.qwen")],
          ["baichuan2", language.t("start.preset.baichuan")],
        ]),
        this.#choice(
          "reasoning",
          ["strip", "off", "keep"].map((name) => [name, language.t(`start.reasoning.${name}`)]),
        ),
        this.#number("seed", "0", 0, 2 ** 31 - 1),
      ),
      (this.trouble = el("p", { class: "trouble", role: "alert" })),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "submit", class: "button", value: "weekly", text: language.t("start.weekly") }),
        el("button", { type: "submit", class: "button primary", value: "once", text: language.t("start.go") }),
      ),
    );
    this.#drawTemplates();
    const about = el("p", { class: "quiet", text: language.t("start.about") });
    this.root.replaceChildren(heading(this.context, this.title), about, this.form);
  }

  /** @param {string} name @param {string[][]} options @param {() => void} [onchange] */
  #choice(name, options, onchange) {
    const control = el("select", { name, onchange }, ...options.map(([value, text]) => el("option", { value, text })));
    return el("label", { class: "field" }, el("span", { text: this.context.language.t(`start.${name}`) }), control);
  }

  /** @param {string} name @param {string} value @param {number} min @param {number} max @param {string} [about] */
  #number(name, value, min, max, about = "") {
    const control = el("input", { type: "number", name, min: String(min), max: String(max), step: "1", value });
    return el(
      "label",
      { class: "field" },
      el("span", { text: this.context.language.t(`start.${name}`) }),
      control,
      about !== "" && el("span", { class: "quiet", text: about }),
    );
  }

  /** @param {string} name @param {string[][]} options */
  #ticks(name, options) {
    return this.#group(name, el("div", { class: "ticks" }, ...options.map(([value, text]) => tick(name, value, text))));
  }

  /** @param {string} name @param {HTMLElement} inner */
  #group(name, inner) {
    const { language } = this.context;
    const legend = el("legend", {}, language.t(`start.${name}`), " ", el("span", { class: "quiet", text: language.t("start.all") }));
    return el("fieldset", { class: "group" }, legend, inner);
  }

  #drawTemplates() {
    const name = this.#control("data").value;
    const found = this.data.find((/** @type {any} */ one) => one.name === name);
    const names = Object.keys(found?.templates ?? {}).filter((one) => one !== NO_TEMPLATE);
    // A suite has cases and checks: no types, no templates, perhaps a judge.
    const isSuite = found?.kind === "suite";
    this.judge.hidden = !isSuite;
    this.types.hidden = isSuite;
    this.templateGroup.hidden = isSuite || names.length === 0;
    this.templates.replaceChildren(...names.map((one) => tick("templates", one, one)));
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #control(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /** @param {string} name */
  #ticked(name) {
    return [...this.form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.getAttribute("value"));
  }

  /** @param {Event} event */
  async #send(event) {
    event.preventDefault();
    const { language, toasts } = this.context;
    const isWeekly = /** @type {SubmitEvent} */ (event).submitter?.getAttribute("value") === "weekly";
    const limit = this.#control("limit").value;
    const order = {
      model: this.#control("model").value,
      data: this.#control("data").value,
      judge: this.judge.hidden ? "" : this.#control("judge").value,
      types: this.types.hidden ? [] : this.#ticked("types"),
      templates: this.#ticked("templates"),
      langs: this.#ticked("langs"),
      limit: limit === "" ? null : Number(limit),
      seed: Number(this.#control("seed").value),
      preset: this.#control("preset").value,
      repeats: Number(this.#control("repeats").value),
      reasoning: this.#control("reasoning").value,
      constrained: this.#control("constrained").checked,
    };
    const buttons = this.form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    this.trouble.textContent = "";
    try {
      const begun = await ask(this.context, "POST", isWeekly ? "/schedules" : "/runs", order);
      toasts.show(isWeekly ? language.t("start.scheduled") : language.t("start.begun", { id: begun.id }));
      location.hash = isWeekly ? "#/data" : "#/";
    } catch (error) {
      this.trouble.textContent = this.context.sentence(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}

/** @param {string} name @param {string} value @param {string} text */
function tick(name, value, text) {
  return el("label", { class: "check" }, el("input", { type: "checkbox", name, value }), el("span", { text, dir: "auto" }));
}

/** @param {Context["language"]} language @param {any} one */
function modelText(language, one) {
  const words = one.model && one.model !== one.name ? `${one.name} · ${one.model}` : one.name;
  return one.state === "ok" ? words : `${words} – ${language.t(`endpoint.state.${one.state}`)}`;
}
