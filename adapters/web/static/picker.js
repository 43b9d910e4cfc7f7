/** Which model is asked first in the conversation on the screen; below the message box. */

import { byId, el } from "./dom.js";
import { modelLabel } from "./fields.js";

export class Picker {
  /** @param {import("./message.js").Context} context @param {import("./settings.js").PageSettings} settings */
  constructor(context, settings) {
    this.context = context;
    this.settings = settings;
    this.box = byId("picker-box");
    /** @type {HTMLSelectElement} */
    this.control = byId("picker");
    this.drawn = "";
    this.control.addEventListener("change", () => void this.#choose());
  }

  async #choose() {
    const { actions, toasts, language } = this.context;
    try {
      await this.settings.choose(this.control.value);
      const name = this.control.selectedOptions[0]?.textContent ?? "";
      toasts.say(language.t("picker.chosen", { name }));
    } catch (error) {
      toasts.show(actions.sentence(error));
      this.drawn = "";
      this.context.store.changed();
    }
  }

  draw() {
    const { store, language } = this.context;
    const set = store.profile?.values.find((one) => one.name === "model")?.value ?? "";
    const chosen = store.key === null && store.model !== null ? store.model : set;
    const look = JSON.stringify([store.endpoints, chosen, language.lang]);
    this.box.hidden = store.endpoints.length === 0;
    if (look === this.drawn) return;
    this.drawn = look;
    const known = store.endpoints.map((one) => el("option", { value: one.name, text: modelLabel(language, one) }));
    const isKnown = chosen === "" || store.endpoints.some((one) => one.name === chosen);
    this.control.replaceChildren(
      el("option", { value: "", text: language.t("picker.auto") }),
      ...known,
      ...(isKnown ? [] : [el("option", { value: chosen, text: chosen })]),
    );
    this.control.value = chosen;
  }
}
