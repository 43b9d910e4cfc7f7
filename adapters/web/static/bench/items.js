/** The items of a run: filters, pages, and one item with all that was asked and said. Texts are shown as they are. */

import { el, setText } from "../dom.js";
import { itemOf } from "./item.js";
import { ask, heading, points, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const PAGE = 30;
/** Milliseconds without a key before the words count. */
const PAUSE_MS = 250;
const TYPES = ["plantooluse", "reflextion", "conclusion", "profile"];
const LANGS = ["en", "zh"];

export class ItemsView {
  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    const { language } = context;
    this.context = context;
    this.id = id;
    this.start = 0;
    this.asked = 0;
    this.title = language.t("items.title", { id });
    const any = ["", language.t("items.any")];
    const changed = () => this.#again();
    this.template = this.#select("template", [any], changed);
    this.words = el("input", { type: "search", name: "q", maxlength: "200", autocomplete: "off", spellcheck: "false" });
    this.words.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(changed, PAUSE_MS);
    });
    this.form = el(
      "form",
      { class: "filters", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      this.#select("type", [any, ...TYPES.map((name) => [name, language.t(`type.${name}`)])], changed),
      this.template,
      this.#select("lang", [any, ...LANGS.map((name) => [name, language.t(`lang.${name}`)])], changed),
      this.#select(
        "show",
        [any, ...["unreadable", "wrong", "raised"].map((name) => [name, language.t(`items.show.${name}`)])],
        changed,
      ),
      this.#select(
        "order",
        [["", language.t("items.order.file")], ...["worst", "best"].map((name) => [name, language.t(`items.order.${name}`)])],
        changed,
      ),
      el("label", { class: "field" }, el("span", { text: language.t("items.search") }), this.words),
    );
    this.count = el("span", { class: "quiet", role: "status" });
    this.where = el("span", { class: "quiet" });
    this.before = el("button", { type: "button", class: "button", text: language.t("items.before"), onclick: () => this.#turn(-PAGE) });
    this.after = el("button", { type: "button", class: "button", text: language.t("items.after"), onclick: () => this.#turn(PAGE) });
    this.list = el("ul", { class: "items", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#walk(event) });
    this.detail = el("section", { class: "item", tabindex: "-1" }, el("p", { class: "quiet", text: language.t("items.choose") }));
    this.wait = working(language.t("items.making"));
    this.body = el(
      "div",
      { class: "items-body", hidden: true },
      el(
        "div",
        { class: "items-side" },
        this.count,
        this.list,
        el("div", { class: "pager" }, this.before, this.where, this.after),
      ),
      this.detail,
    );
    this.root = el(
      "div",
      { class: "column wide" },
      el("a", { class: "back", href: `#/run/${id}`, text: `← ${language.t("run.title", { id })}` }),
      heading(context, this.title),
      this.form,
      this.wait,
      this.body,
    );
  }

  /** @param {string} name @param {string[][]} options @param {() => void} onchange */
  #select(name, options, onchange) {
    const control = el("select", { name, onchange }, ...options.map(([value, text]) => el("option", { value, text })));
    return el("label", { class: "field" }, el("span", { text: this.context.language.t(`items.${name}`) }), control);
  }

  async load() {
    this.asked += 1;
    const { asked } = this;
    const query = new URLSearchParams({ limit: String(PAGE), start: String(this.start) });
    for (const [name, value] of new FormData(this.form)) if (value !== "") query.set(name, String(value));
    const found = await ask(this.context, "GET", `/runs/${this.id}/items?${query}`);
    if (asked !== this.asked) return;
    this.wait.remove();
    this.body.hidden = false;
    this.#draw(found);
  }

  #again() {
    this.start = 0;
    void this.#attempt();
  }

  /** @param {number} by */
  #turn(by) {
    this.start = Math.max(0, this.start + by);
    void this.#attempt();
  }

  async #attempt() {
    try {
      await this.load();
    } catch (error) {
      this.context.toasts.show(this.context.sentence(error));
    }
  }

  /** @param {any} found */
  #draw({ items, found, all, templates }) {
    const { language } = this.context;
    const select = /** @type {HTMLSelectElement} */ (this.template.querySelector("select"));
    const missing = templates.filter((/** @type {string} */ name) => ![...select.options].some((one) => one.value === name));
    select.append(...missing.map((/** @type {string} */ name) => el("option", { value: name, text: name })));
    setText(this.count, found === 0 ? language.t("items.none") : language.t("items.found", { n: found, all }));
    setText(this.where, found === 0 ? "" : language.t("items.page", { from: this.start + 1, to: this.start + items.length }));
    this.before.disabled = this.start === 0;
    this.after.disabled = this.start + items.length >= found;
    this.list.replaceChildren(...items.map((/** @type {any} */ one) => this.#entry(one)));
  }

  /** @param {any} one */
  #entry(one) {
    const { language } = this.context;
    const flags = ["unreadable", "wrong", "raised"].filter((name) => one[name]);
    const button = el(
      "button",
      { type: "button", class: "item-button", onclick: () => void this.#open(one, button) },
      el("span", { class: "item-query", text: one.query, dir: "auto" }),
      el(
        "span",
        { class: "quiet" },
        `${points(one.score)} · ${language.t(`type.${one.type}`)} · ${one.id}`,
        ...flags.map((name) => el("span", { class: "flag", text: language.t(`items.show.${name}`) })),
      ),
    );
    return el("li", {}, button);
  }

  /** @param {any} one @param {HTMLElement} button */
  async #open(one, button) {
    for (const other of this.list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    try {
      const texts = await ask(this.context, "GET", `/runs/${this.id}/items/${one.place}`);
      if (button.getAttribute("aria-current") !== "true") return;
      const chosen = /** @type {HTMLSelectElement} */ (this.template.querySelector("select")).value;
      this.detail.replaceChildren(...itemOf(this.context.language, texts, chosen));
      this.detail.focus({ preventScroll: true });
      if (matchMedia("(max-width: 60rem)").matches) this.detail.scrollIntoView({ block: "start" });
      else this.detail.scrollTop = 0;
    } catch (error) {
      this.context.toasts.show(this.context.sentence(error));
    }
  }

  /** Arrow keys go from item to item. @param {KeyboardEvent} event */
  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...this.list.querySelectorAll("button")];
    const next = buttons[buttons.findIndex((one) => one === document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
