/** Rating: a question, its answers in this rater's own order and without names, and five buttons for each. */

import { Answer } from "../answer.js";
import { el, setText } from "../dom.js";
import { heading, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

const VALUES = [1, 2, 3, 4, 5];
const SEATS = "kagentbot.seat.";
const NAME = "kagentbot.rater";

/** @param {Context} context @param {string} method @param {string} rest @param {unknown} [body] */
function ask({ api }, method, rest, body) {
  return api.call(method, `/human/rating${rest}`, body);
}

/** Which set. */
export class ChooseSetView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = context.language.t("rate.title");
    this.root = el("div", { class: "column" }, working(context.language.t("loading")));
  }

  async load() {
    const { language } = this.context;
    const { sets } = await ask(this.context, "GET", "");
    const links = sets.map((/** @type {any} */ one) =>
      el(
        "li",
        {},
        el(
          "a",
          { class: "run set", href: `#/${one.id}` },
          el("b", { text: one.name, dir: "auto" }),
          el("span", { class: "quiet", text: language.t("rate.questions", { n: one.questions }) }),
        ),
      ),
    );
    this.root.replaceChildren(
      heading(this.context, this.title),
      el("p", { text: language.t("rate.about") }),
      links.length ? el("ul", { class: "runs sets" }, ...links) : el("p", { class: "blank", text: language.t("rate.none") }),
    );
  }
}

export class RatingView {
  /** @param {Context} context @param {string} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.title = context.language.t("rate.title");
    this.root = el("div", { class: "column" });
    /** @type {any} */
    this.sheet = null;
    this.onkey = (/** @type {KeyboardEvent} */ event) => this.#key(event);
    document.addEventListener("keydown", this.onkey);
    // One request after the other: what was pressed last is what counts.
    this.queue = Promise.resolve();
  }

  close() {
    document.removeEventListener("keydown", this.onkey);
  }

  get seat() {
    return this.context.shelf.get(SEATS + this.id);
  }

  async load() {
    if (this.seat) await this.#open(null);
    else this.#enter();
  }

  // --- Who rates

  #enter() {
    const { language, shelf } = this.context;
    const input = el("input", { type: "text", name: "rater", maxlength: "60", required: true, autocomplete: "nickname", dir: "auto" });
    input.value = shelf.get(NAME) ?? "";
    const trouble = el("p", { class: "trouble", role: "alert" });
    const onsubmit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        const seat = await ask(this.context, "POST", `/${this.id}/seat`, { name: input.value });
        shelf.put(SEATS + this.id, seat);
        shelf.put(NAME, seat.name);
        await this.#open(null);
      } catch (error) {
        setText(trouble, this.context.sentence(error));
      }
    };
    this.root.replaceChildren(
      heading(this.context, this.title),
      el("p", { text: language.t("rate.rule") }),
      el(
        "form",
        { class: "order", onsubmit },
        el("label", { class: "field" }, el("span", { text: language.t("rate.name") }), input, el("span", { class: "quiet", text: language.t("rate.name.about") })),
        trouble,
        el("div", { class: "buttons" }, el("button", { type: "submit", class: "button primary", text: language.t("rate.begin") })),
      ),
    );
    input.focus();
  }

  // --- One question

  /** @param {number|null} number */
  async #open(number) {
    this.sheet = await ask(this.context, "POST", `/${this.id}/sheet`, { ...this.seat, number });
    if (this.sheet.number === null) this.#end();
    else this.#draw();
  }

  #draw() {
    const { language } = this.context;
    const { number, question, answers, progress } = this.sheet;
    this.cards = answers.map((/** @type {any} */ one) => this.#card(one));
    this.bar = el("progress", { max: "1", "aria-label": language.t("rate.progress") });
    this.far = el("span", { class: "quiet", role: "status" });
    const button = (/** @type {string} */ name, /** @type {() => void} */ onclick, /** @type {Record<string, any>} */ props = {}) =>
      el("button", { type: "button", class: "button", text: language.t(name), onclick, ...props });
    this.next = button("rate.next", () => this.#go(number + 1), { class: "button primary" });
    this.root.replaceChildren(
      el("div", { class: "rate-far" }, this.bar, this.far),
      el("p", { class: "quiet", text: language.t("rate.number", { n: number, all: progress.total }) }),
      el("h1", { class: "question", text: question, dir: "auto", tabindex: "-1" }),
      el("ol", { class: "answers" }, ...this.cards.map((/** @type {any} */ card) => card.root)),
      el(
        "div",
        { class: "rate-foot" },
        button("rate.back", () => this.#go(number - 1), { disabled: number === 1 }),
        button("rate.skip", () => this.#skip()),
        this.next,
      ),
      el("p", { class: "quiet keys-hint", text: language.t("rate.keys") }),
    );
    this.#drawProgress();
    this.#choose(Math.max(0, answers.findIndex((/** @type {any} */ one) => one.rating === null)), false);
    /** @type {HTMLElement|null} */ (this.root.querySelector(".question"))?.focus({ preventScroll: true });
    this.root.parentElement?.scrollTo(0, 0);
  }

  /** @param {any} one */
  #card(one) {
    const { language } = this.context;
    const letter = String.fromCharCode(64 + one.place);
    const name = language.t("rate.answer", { letter: one.place <= 26 ? letter : String(one.place) });
    const text = new Answer(language, { class: "answer-text" });
    text.show(one.html);
    const buttons = VALUES.map((value) =>
      el("button", {
        type: "button",
        class: "value",
        "aria-pressed": String(one.rating === value),
        "aria-label": `${name}: ${value} – ${language.t(`rate.value.${value}`)}`,
        title: language.t(`rate.value.${value}`),
        text: String(value),
        onclick: () => this.#rate(one.place - 1, value),
      }),
    );
    const root = el(
      "li",
      { class: "rated" },
      el("h2", { text: name }),
      text.root,
      one.sources.length > 0 && el("p", { class: "quiet sources-line", text: one.sources.join("  ") }),
      el(
        "div",
        { class: "values", role: "group", "aria-label": name },
        el("span", { class: "quiet", text: language.t("rate.value.1") }),
        ...buttons,
        el("span", { class: "quiet", text: language.t("rate.value.5") }),
      ),
    );
    return { root, buttons };
  }

  #drawProgress() {
    const { language } = this.context;
    const { done, skipped, total } = this.sheet.progress;
    this.bar.value = total ? (done + skipped) / total : 0;
    setText(this.far, language.t("rate.far", { n: done + skipped, all: total }));
    const left = this.sheet.answers.filter((/** @type {any} */ one) => one.rating === null).length;
    this.next.disabled = left > 0 && !this.sheet.skipped;
  }

  /** @param {number} at @param {boolean} [isSeen] */
  #choose(at, isSeen = true) {
    this.at = Math.min(Math.max(at, 0), this.cards.length - 1);
    this.cards.forEach((/** @type {any} */ card, /** @type {number} */ place) => card.root.classList.toggle("here", place === this.at));
    if (isSeen) this.cards[this.at]?.root.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} at @param {number} value */
  #rate(at, value) {
    const { sheet } = this;
    const one = sheet.answers[at];
    const before = one.rating;
    one.rating = value;
    this.#mark(at);
    // Those that look for the next one have it before the server has answered.
    const following = sheet.answers.findIndex((/** @type {any} */ other) => other.rating === null);
    this.#choose(following === -1 ? at : following);
    this.#drawProgress();
    this.#queued(async () => {
      try {
        const body = { ...this.seat, number: sheet.number, place: one.place, value };
        sheet.progress = await ask(this.context, "PUT", `/${this.id}/rating`, body);
      } catch (error) {
        one.rating = before;
        this.context.toasts.show(this.context.sentence(error));
      }
      if (sheet !== this.sheet || sheet.number === null) return;
      this.#mark(at);
      this.#drawProgress();
    });
  }

  /** @param {number} at */
  #mark(at) {
    const { rating } = this.sheet.answers[at];
    this.cards[at].buttons.forEach((/** @type {HTMLElement} */ button, /** @type {number} */ place) =>
      button.setAttribute("aria-pressed", String(VALUES[place] === rating)),
    );
  }

  #skip() {
    const { number } = this.sheet;
    this.#queued(async () => {
      try {
        await ask(this.context, "POST", `/${this.id}/skip`, { ...this.seat, number });
        await this.#open(null);
      } catch (error) {
        this.context.toasts.show(this.context.sentence(error));
      }
    });
  }

  /** @param {number} number */
  #go(number) {
    const { total } = this.sheet.progress;
    this.#queued(async () => {
      try {
        await this.#open(number > total ? null : Math.max(1, number));
      } catch (error) {
        this.context.toasts.show(this.context.sentence(error));
      }
    });
  }

  /** @param {() => Promise<void>} deed */
  #queued(deed) {
    this.queue = this.queue.then(deed);
  }

  #end() {
    const { language } = this.context;
    const { done, skipped, total } = this.sheet.progress;
    this.root.replaceChildren(
      heading(this.context, language.t("rate.over")),
      el("p", { role: "status", text: language.t("rate.over.text", { done, skipped, all: total }) }),
      el(
        "div",
        { class: "buttons files" },
        el("button", { type: "button", class: "button", text: language.t("rate.review"), onclick: () => this.#go(1) }),
        el("a", { class: "button", href: "#/", text: language.t("rate.home") }),
      ),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const typing = event.target instanceof HTMLInputElement;
    if (typing || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.sheet || this.sheet.number === null || document.querySelector("dialog[open]")) return;
    const { number } = this.sheet;
    const keys = {
      ArrowDown: () => this.#choose(this.at + 1),
      ArrowUp: () => this.#choose(this.at - 1),
      ArrowLeft: () => number > 1 && this.#go(number - 1),
      ArrowRight: () => !this.next.disabled && this.#go(number + 1),
      s: () => this.#skip(),
    };
    const value = VALUES.find((one) => String(one) === event.key);
    const deed = value ? () => this.#rate(this.at, value) : keys[/** @type {keyof typeof keys} */ (event.key)];
    if (!deed) return;
    event.preventDefault();
    deed();
  }
}
