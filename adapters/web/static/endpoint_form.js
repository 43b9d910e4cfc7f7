/** The form for an endpoint: tried live before it is saved. What is typed here is never read back from the server. */

import { ApiError } from "./api.js";
import { el, icon } from "./dom.js";

/** How an endpoint's messages are written, whether its model thinks, and whether it sees (`agent.llm.endpoint`). */
const FORMATS = ["auto", "server", "chatml", "baichuan2", "raw"];
const REASONING = ["auto", "on", "off"];
const VISION = ["auto", "yes", "no"];

let counter = 0;

export class EndpointForm {
  /**
   * @param {import("./message.js").Context} context
   * @param {import("./settings.js").PageSettings} settings
   * @param {(name: string) => void} onSaved
   */
  constructor(context, settings, onSaved) {
    this.context = context;
    this.settings = settings;
    this.onSaved = onSaved;
    counter += 1;
    this.prefix = `endpoint-${counter}`;
    /** @type {Record<string, HTMLInputElement|HTMLSelectElement>} */
    this.inputs = {};
    /** Counts tests and changes: what a test finds is shown only if nothing was typed meanwhile. */
    this.state = 0;
    this.report = el("div", { class: "report", role: "status" });
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.options = el("datalist", { id: `${this.prefix}-models` });
    const { language } = context;
    this.try = el("button", {
      type: "button",
      class: "button",
      text: language.t("endpoint.test"),
      onclick: () => this.#test(),
    });
    this.save = el("button", { type: "submit", class: "button primary", text: language.t("endpoint.save") });
    this.root = el(
      "form",
      {
        class: "rows endpoint-form",
        "aria-labelledby": `${this.prefix}-title`,
        autocomplete: "off",
        onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.#save()),
        oninput: () => this.#forget(),
      },
      el("h3", { id: `${this.prefix}-title`, text: language.t("endpoint.add") }),
      this.#text("base_url", { type: "url", required: true, placeholder: "http://127.0.0.1:8000/v1", inputmode: "url" }),
      this.#text("api_key", { type: "password", autocomplete: "new-password" }),
      this.#text("model", { type: "text", list: this.options.id, autocomplete: "off" }),
      this.options,
      this.#text("name", { type: "text", required: true, maxlength: "40", placeholder: "gpu" }),
      el(
        "details",
        {},
        el("summary", { text: language.t("endpoint.more") }),
        this.#text("priority", { type: "number", min: "0", max: "1000", value: "10" }),
        this.#text("slots", { type: "number", min: "1", max: "1000", value: "8" }),
        this.#text("context_tokens", { type: "number", min: "256" }),
        this.#select("chat_format", FORMATS),
        this.#select("reasoning", REASONING),
        this.#select("vision", VISION),
      ),
      this.report,
      this.trouble,
      el("div", { class: "buttons" }, this.try, this.save),
    );
  }

  /** @param {string} name @param {Record<string, any>} props */
  #text(name, props) {
    return this.#row(name, el("input", { id: `${this.prefix}-${name}`, name, spellcheck: "false", ...props }));
  }

  /** @param {string} name @param {string[]} words */
  #select(name, words) {
    const { language } = this.context;
    const label = (/** @type {string} */ word) => (word === "auto" ? language.t("option.auto") : word);
    const options = words.map((word) => el("option", { value: word, text: label(word) }));
    return this.#row(name, el("select", { id: `${this.prefix}-${name}`, name }, ...options));
  }

  /** @param {string} name @param {HTMLInputElement|HTMLSelectElement} input */
  #row(name, input) {
    const { language } = this.context;
    this.inputs[name] = input;
    const about = el("p", { class: "quiet", id: `${input.id}-about` });
    about.textContent = language.t(`endpoint.about.${name}`);
    input.setAttribute("aria-describedby", about.id);
    const label = el("label", { class: "row-label", for: input.id });
    label.textContent = language.t(`endpoint.field.${name}`);
    return el("div", { class: "row", "data-field": name }, label, input, about);
  }

  /** What was typed, as the API wants it. */
  #draft() {
    const { base_url, api_key, model, priority, slots, context_tokens, chat_format, reasoning, vision } = this.inputs;
    return {
      base_url: base_url.value.trim(),
      api_key: api_key.value.trim(),
      model: model.value.trim(),
      priority: Number(priority.value || "10"),
      slots: Number(slots.value || "8"),
      context_tokens: context_tokens.value ? Number(context_tokens.value) : null,
      chat_format: chat_format.value,
      reasoning: reasoning.value,
      vision: vision.value,
    };
  }

  /** What was found holds for what was typed then. */
  #forget() {
    this.state += 1;
    this.report.replaceChildren();
    this.trouble.textContent = "";
  }

  async #test() {
    const { language } = this.context;
    this.#forget();
    if (!this.inputs.base_url.reportValidity()) return;
    this.report.replaceChildren(
      el("p", { class: "quiet" }, el("span", { class: "spinner", "aria-hidden": "true" }), language.t("endpoint.testing")),
    );
    const { state } = this;
    await this.#attempt(async () => {
      const report = await this.settings.test({ name: this.inputs.name.value.trim() || "test", ...this.#draft() });
      if (state !== this.state) return;
      this.options.replaceChildren(...report.models.map((value) => el("option", { value })));
      const mark = { ok: "check", warning: "warning", error: "close" };
      const lines = report.lines.map(({ state, text }) =>
        el(
          "li",
          { "data-state": state },
          icon(/** @type {any} */ (mark[state])),
          el("span", { class: "sr", text: `${language.t(`line.${state}`)}: ` }),
          el("span", { text }),
        ),
      );
      this.report.replaceChildren(
        el("ul", { class: "lines" }, ...lines),
        el("p", { class: "verdict", text: language.t(report.ok ? "endpoint.good" : "endpoint.bad") }),
      );
    });
  }

  async #save() {
    const name = this.inputs.name.value.trim();
    await this.#attempt(async () => {
      await this.settings.saveEndpoint(name, this.#draft());
      /** @type {HTMLFormElement} */ (this.root).reset();
      this.#forget();
      this.onSaved(name);
    });
  }

  /** @param {() => Promise<void>} deed */
  async #attempt(deed) {
    this.try.disabled = this.save.disabled = true;
    try {
      await deed();
    } catch (error) {
      this.report.replaceChildren();
      this.trouble.textContent = this.context.actions.sentence(error);
      if (error instanceof ApiError && error.field in this.inputs) this.inputs[error.field].focus();
    }
    this.try.disabled = this.save.disabled = false;
  }
}
