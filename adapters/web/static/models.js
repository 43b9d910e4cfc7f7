/** The dialog about models: the endpoints that answer, and a form for another one. */

import { el } from "./dom.js";
import { EndpointForm } from "./endpoint_form.js";
import { Panel } from "./panel.js";

/** @typedef {import("./types.js").Endpoint} Endpoint */

export class ModelsDialog {
  /** @param {import("./message.js").Context} context @param {import("./settings.js").PageSettings} settings */
  constructor(context, settings) {
    this.context = context;
    this.settings = settings;
    this.panel = new Panel("models", context.language);
    this.list = el("ul", { class: "endpoints" });
    this.drawn = "";
  }

  async open() {
    const { language } = this.context;
    const form = new EndpointForm(this.context, this.settings, (name) =>
      this.panel.say(language.t("endpoint.saved", { name })),
    );
    this.list.setAttribute("aria-label", language.t("models.list"));
    this.drawn = "";
    this.panel.body.replaceChildren(this.list, form.root);
    this.panel.open(language.t("models.title"));
    await this.settings.load();
    this.draw();
  }

  draw() {
    if (!this.panel.dialog.open) return;
    const { store, language } = this.context;
    const look = JSON.stringify([store.endpoints, language.lang]);
    if (look === this.drawn) return;
    this.drawn = look;
    this.list.replaceChildren(...store.endpoints.map((one) => this.#card(one)));
  }

  /** @param {Endpoint} one */
  #card(one) {
    const { language } = this.context;
    const state = language.t(`endpoint.state.${one.state}`);
    const facts = [
      one.host,
      language.t(`endpoint.source.${one.source}`),
      one.context_tokens === null
        ? language.t("endpoint.context.unknown")
        : language.t("endpoint.context", { n: language.count(one.context_tokens) }),
      one.structured && language.t("endpoint.structured"),
      one.tokenizer && language.t("endpoint.tokenizer"),
      one.reasoning && language.t("endpoint.reasoning"),
      one.sees && language.t("endpoint.sees"),
      language.t("endpoint.slots", { n: one.slots }),
      language.t("endpoint.priority", { n: one.priority }),
    ].filter(Boolean);
    return el(
      "li",
      { class: "endpoint", "data-state": one.state },
      el(
        "div",
        { class: "endpoint-head" },
        el("span", { class: "dot", "aria-hidden": "true" }),
        el("h3", { text: one.name }),
        one.demo && el("span", { class: "badge", text: language.t("model.demo") }),
        el("span", { class: "quiet", text: one.detail ? `${state} – ${one.detail}` : state }),
      ),
      one.model !== "" && el("p", { class: "endpoint-model", text: one.model.replace(/\s*\(demo\)$/, "") }),
      el("ul", { class: "facts" }, ...facts.map((fact) => el("li", { text: String(fact) }))),
      one.removable &&
        el("button", {
          type: "button",
          class: "link danger",
          text: language.t("endpoint.remove"),
          "aria-label": language.t("endpoint.remove.label", { name: one.name }),
          onclick: () => this.#remove(one.name),
        }),
    );
  }

  /** @param {string} name */
  async #remove(name) {
    const { language } = this.context;
    await this.#attempt(async () => {
      await this.settings.removeEndpoint(name);
      const back = () =>
        this.#attempt(async () => {
          await this.settings.restoreEndpoint(name);
          this.panel.say(language.t("endpoint.restored", { name }));
        });
      this.panel.say(language.t("endpoint.removed", { name }), { label: language.t("undo"), run: () => void back() });
    });
  }

  /** @param {() => Promise<void>} deed */
  async #attempt(deed) {
    try {
      await deed();
    } catch (error) {
      this.panel.say(this.context.actions.sentence(error), null, "bad");
    }
  }
}
