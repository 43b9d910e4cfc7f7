/** The dialog about who answers: each value, where it comes from, and its versions. */

import { ApiError } from "./api.js";
import { el } from "./dom.js";
import { fieldOf, valueText } from "./fields.js";
import { Panel } from "./panel.js";
import { VersionsView } from "./versions.js";

/** @typedef {import("./settings.js").Scope} Scope @typedef {import("./message.js").Context} Context */

export class ProfileDialog {
  /** @param {Context} context @param {import("./settings.js").PageSettings} settings */
  constructor(context, settings) {
    this.context = context;
    this.settings = settings;
    this.panel = new Panel("profile", context.language);
    this.panel.mayClose = () => this.#mayLeave();
    /** @type {Scope} */
    this.scope = "workspace";
    /** @type {string|null} */
    this.key = null;
    /** @type {import("./types.js").ScopeProfile|null} */
    this.saved = null;
    /** @type {Record<string, any>} what is set here, with what was changed */
    this.values = {};
    this.save = el("button", { type: "button", class: "button primary", onclick: () => this.#save() });
    this.hasVersions = false;
    /** Counts loads: an answer that another load has overtaken counts no more. */
    this.asked = 0;
    this.isSaving = false;
  }

  async open() {
    const { store, language } = this.context;
    this.key = store.key;
    this.scope = "workspace";
    this.hasVersions = false;
    // Not the values of the conversation for which it was open last.
    this.panel.body.replaceChildren();
    this.panel.foot.replaceChildren();
    this.panel.open(language.t("profile.title"));
    await this.#load();
  }

  get facts() {
    const { store, language } = this.context;
    const nothing = { agent_name: "", icon: "", values: [], choices: { tools: [], styles: [], max_iter_num: 50 } };
    return { language, profile: store.profile ?? nothing, endpoints: store.endpoints };
  }

  async #load(note = "") {
    const { language, actions } = this.context;
    this.asked += 1;
    const { asked, scope, key } = this;
    this.saved = null;
    this.#enable();
    let saved;
    try {
      await this.settings.load();
      saved = await this.settings.scope(scope, key);
      if (asked !== this.asked) return;
    } catch (error) {
      if (asked !== this.asked) return;
      this.panel.body.replaceChildren(el("p", { class: "trouble", role: "alert", text: actions.sentence(error) }));
      this.panel.foot.replaceChildren();
      return;
    }
    this.saved = saved;
    this.values = { ...saved.values };
    this.#draw();
    this.panel.say([note, ...saved.warnings].filter(Boolean).join(" "));
    this.save.textContent = language.t("profile.save");
  }

  get isChanged() {
    return this.saved !== null && JSON.stringify(sorted(this.values)) !== JSON.stringify(sorted(this.saved.values));
  }

  /** Whether nothing would be lost, or the person agrees to lose it. The first try warns, the second one leaves. */
  #mayLeave() {
    if (!this.isChanged || this.warned) return !(this.warned = false);
    this.warned = true;
    const { language } = this.context;
    const drop = { label: language.t("profile.drop"), run: () => this.panel.dialog.close() };
    this.panel.say(language.t("profile.unsaved"), drop, "bad");
    return false;
  }

  #draw() {
    const { language } = this.context;
    this.warned = false;
    this.panel.body.replaceChildren(this.#scopes(), this.#tabs(), this.hasVersions ? this.#versions() : this.#form());
    this.panel.foot.replaceChildren(...(this.hasVersions ? [] : [this.save]));
    this.save.textContent = language.t("profile.save");
    this.#enable();
  }

  #enable() {
    this.save.disabled = this.isSaving || !this.isChanged;
  }

  #scopes() {
    const { language } = this.context;
    const radio = (/** @type {Scope} */ scope) => {
      const input = el("input", { type: "radio", name: "scope", value: scope, onchange: () => this.#turn(scope) });
      input.checked = scope === this.scope;
      input.disabled = scope === "channel" && this.key === null;
      return el("label", { class: "check" }, input, el("span", { text: language.t(`scope.${scope}`) }));
    };
    return el(
      "fieldset",
      { class: "scopes" },
      el("legend", { text: language.t("profile.scope") }),
      radio("workspace"),
      radio("channel"),
    );
  }

  /** @param {Scope} scope */
  #turn(scope) {
    if (this.isChanged && !this.warned) {
      this.#mayLeave();
      for (const input of this.panel.body.querySelectorAll("[name='scope']"))
        /** @type {HTMLInputElement} */ (input).checked = input.getAttribute("value") === this.scope;
      return;
    }
    this.scope = scope;
    // What is typed into the values of the other place would be gone when those of this one come.
    for (const control of this.panel.body.querySelectorAll("form.rows :is(input, textarea, select, button)"))
      control.setAttribute("disabled", "");
    void this.#load();
  }

  #tabs() {
    const { language } = this.context;
    const tab = (/** @type {boolean} */ isVersions, /** @type {string} */ text) =>
      el("button", {
        type: "button",
        class: "tab",
        "aria-pressed": String(this.hasVersions === isVersions),
        text,
        onclick: () => {
          this.hasVersions = isVersions;
          this.#draw();
        },
      });
    return el(
      "div",
      { class: "tabs", role: "group", "aria-label": language.t("profile.title") },
      tab(false, language.t("profile.values")),
      tab(true, language.t("profile.versions")),
    );
  }

  #versions() {
    const view = new VersionsView(this.context, this.settings, this.panel, this.facts, (note, action) =>
      this.#load().then(() => this.panel.say(note, action)),
    );
    void view.load(this.scope, this.key, this.saved?.version ?? 0);
    return view.root;
  }

  #form() {
    const rows = (this.saved?.inherited ?? []).map((inherited) => this.#row(inherited));
    return el("form", { class: "rows", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, ...rows);
  }

  /** @param {import("./types.js").ProfileValue} inherited */
  #row(inherited) {
    const { language } = this.context;
    const { name } = inherited;
    const id = `value-${name}`;
    const field = fieldOf(name, this.facts, () => {
      this.values[name] = field.read();
      show();
    });
    const origin = el("p", { class: "origin quiet" });
    const label = name === "tool_names" ? el("span") : el("label", { for: id });
    label.id = `${id}-label`;
    label.className = "row-label";
    label.textContent = language.t(`field.${name}`);
    const show = () => {
      const isSet = name in this.values;
      const reset = el("button", {
        type: "button",
        class: "link",
        text: language.t("profile.reset"),
        onclick: () => {
          delete this.values[name];
          field.write(inherited.value);
          show();
          field.root.focus();
        },
      });
      const place = language.t(`scope.${inherited.scope}`);
      const text = isSet
        ? language.t("profile.here", { value: valueText(name, inherited.value, this.facts), place })
        : language.t("profile.from", { place });
      origin.replaceChildren(el("span", { text }), isSet ? reset : "");
      row.classList.toggle("set", isSet);
      this.#enable();
      this.warned = false;
    };
    const about = el("p", { class: "quiet", id: `${id}-about`, text: inherited.about.replaceAll("`", "") });
    const row = el("div", { class: "row", "data-field": name }, label, field.root, about, origin);
    field.write(name in this.values ? this.values[name] : inherited.value);
    show();
    return row;
  }

  async #save() {
    const { language, actions } = this.context;
    const { asked, scope, key } = this;
    const sent = { ...this.values };
    this.isSaving = true;
    this.#enable();
    try {
      const saved = await this.settings.save(scope, key, sent, this.saved?.version ?? 0);
      if (asked !== this.asked) return;
      this.saved = saved;
      this.values = merged(saved.values, sent, this.values);
      const { warnings, version } = saved;
      this.panel.say([language.t("profile.saved", { n: version }), ...warnings].join(" "));
    } catch (error) {
      if (asked !== this.asked) return;
      const isConflict = error instanceof ApiError && error.status === 409;
      const again = { label: language.t("profile.reload"), run: () => void this.#load() };
      this.panel.say(actions.sentence(error), isConflict ? again : null, "bad");
      if (error instanceof ApiError && error.field) this.#point(error.field);
    } finally {
      this.isSaving = false;
      this.#enable();
    }
  }

  /** @param {string} name */
  #point(name) {
    const row = this.panel.body.querySelector(`[data-field="${CSS.escape(name)}"]`);
    /** @type {HTMLElement|null|undefined} */ (row?.querySelector("input, textarea, select"))?.focus();
  }
}

/** @param {Record<string, any>} values */
function sorted(values) {
  return Object.entries(values).sort(([a], [b]) => a.localeCompare(b));
}

/**
 * What was saved, with what was typed while it was on its way.
 * @param {Record<string, any>} saved @param {Record<string, any>} sent @param {Record<string, any>} now
 */
function merged(saved, sent, now) {
  const values = { ...saved };
  for (const name of Object.keys({ ...sent, ...now })) {
    if (JSON.stringify(sent[name]) === JSON.stringify(now[name])) continue;
    if (name in now) values[name] = now[name];
    else delete values[name];
  }
  return values;
}
