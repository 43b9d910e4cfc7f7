/** The versions of a profile: who changed what and when, two of them compared, and the way back. */

import { el } from "./dom.js";
import { valueText } from "./fields.js";

/** @typedef {import("./settings.js").Scope} Scope @typedef {import("./types.js").Version} Version */

export class VersionsView {
  /**
   * @param {import("./message.js").Context} context
   * @param {import("./settings.js").PageSettings} settings
   * @param {import("./panel.js").Panel} panel
   * @param {import("./fields.js").Facts} facts
   * @param {(note: string, action: {label: string, run: () => void}|null) => void} onChange  another version holds now
   */
  constructor(context, settings, panel, facts, onChange) {
    this.context = context;
    this.settings = settings;
    this.panel = panel;
    this.facts = facts;
    this.onChange = onChange;
    this.root = el("div", { class: "versions" });
    /** @type {Scope} */
    this.scope = "workspace";
    /** @type {string|null} */
    this.key = null;
    this.newest = 0;
    /** @type {Version[]} */
    this.found = [];
    /** @type {number|null} */
    this.next = null;
    this.isLoading = false;
  }

  /** @param {Scope} scope @param {string|null} key @param {number} newest */
  async load(scope, key, newest) {
    this.scope = scope;
    this.key = key;
    this.newest = newest;
    await this.#page();
  }

  async #page() {
    // Clicked twice, the same page would be listed twice.
    if (this.isLoading) return;
    this.isLoading = true;
    await this.#attempt(async () => {
      const page = await this.settings.versions(this.scope, this.key, this.next);
      this.found = [...this.found, ...page.versions];
      this.next = page.next;
      this.#draw();
    });
    this.isLoading = false;
  }

  #draw() {
    const { language } = this.context;
    if (this.found.length === 0) {
      this.root.replaceChildren(el("p", { class: "quiet", text: language.t("versions.none") }));
      return;
    }
    const more = el("button", {
      type: "button",
      class: "link",
      text: language.t("conversations.more"),
      onclick: () => this.#page(),
    });
    this.root.replaceChildren(
      this.#comparison(),
      el("ol", { class: "version-list" }, ...this.found.map((version) => this.#version(version))),
      this.next === null ? "" : more,
    );
  }

  /** Two versions to choose, and what differs between them. */
  #comparison() {
    const { language } = this.context;
    const numbers = [...this.found.map((one) => one.version), ...(this.next === null ? [0] : [])];
    const choice = (/** @type {string} */ label, /** @type {number} */ chosen) => {
      const name = (/** @type {number} */ n) =>
        n === 0 ? language.t("versions.before") : language.t("versions.number", { n });
      const options = numbers.map((n) => el("option", { value: String(n), text: name(n) }));
      const control = el("select", { "aria-label": label, onchange: () => show() }, ...options);
      control.value = String(chosen);
      return control;
    };
    const from = choice(language.t("versions.from"), numbers[1] ?? 0);
    const to = choice(language.t("versions.to"), numbers[0]);
    const table = el("div", { class: "differences", role: "status" });
    const show = () =>
      this.#attempt(async () => {
        const found = await this.settings.compare(this.scope, this.key, Number(from.value), Number(to.value));
        table.replaceChildren(this.#differences(found.differences));
      });
    void show();
    return el(
      "section",
      { class: "compare", "aria-label": language.t("versions.compare") },
      el(
        "div",
        { class: "compare-head" },
        el("span", { text: language.t("versions.compare") }),
        from,
        el("span", { "aria-hidden": "true", text: "→" }),
        to,
      ),
      table,
    );
  }

  /** @param {{name: string, before: unknown, after: unknown}[]} differences */
  #differences(differences) {
    const { language } = this.context;
    if (differences.length === 0) return el("p", { class: "quiet", text: language.t("versions.same") });
    const rows = differences.map(({ name, before, after }) =>
      el(
        "div",
        {},
        el("dt", { text: this.#field(name) }),
        el(
          "dd",
          {},
          el("del", { text: valueText(name, before, this.facts) }),
          " → ",
          el("ins", { text: valueText(name, after, this.facts) }),
        ),
      ),
    );
    return el("dl", {}, ...rows);
  }

  /** @param {Version} version */
  #version(version) {
    const { language } = this.context;
    const changed = version.changed.map((name) => this.#field(name)).join(language.t("list.comma"));
    const isNewest = version.version === this.newest;
    const back = el("button", {
      type: "button",
      class: "button",
      text: language.t("versions.restore"),
      "aria-label": language.t("versions.restore.label", { n: version.version }),
      onclick: () => this.#restore(version.version),
    });
    return el(
      "li",
      {},
      el(
        "div",
        { class: "version-words" },
        el("strong", { text: language.t("versions.number", { n: version.version }) }),
        isNewest && el("span", { class: "badge", text: language.t("versions.current") }),
        el("p", { class: "quiet", text: `${version.author} · ${language.whenExactly(version.at)}` }),
        changed !== "" && el("p", { class: "quiet", text: language.t("versions.changed", { names: changed }) }),
        version.restores !== null &&
          el("p", { class: "quiet", text: language.t("versions.restored", { n: version.restores }) }),
      ),
      !isNewest && back,
    );
  }

  /** @param {number} number */
  async #restore(number) {
    const { language } = this.context;
    const before = this.newest;
    await this.#attempt(async () => {
      await this.settings.restore(this.scope, this.key, number);
      const undo = {
        label: language.t("undo"),
        run: () =>
          void this.#attempt(async () => {
            await this.settings.restore(this.scope, this.key, before);
            this.onChange(language.t("versions.back", { n: before }), null);
          }),
      };
      this.onChange(language.t("versions.back", { n: number }), undo);
    });
  }

  /** @param {string} name */
  #field(name) {
    return this.facts.profile.values.some((one) => one.name === name)
      ? this.context.language.t(`field.${name}`)
      : name;
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
