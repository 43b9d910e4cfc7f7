/** The list of runs, which follows those that go on. */

import { arrange, el } from "../dom.js";
import { Card } from "./card.js";
import { ask, confirmed, heading, working } from "./parts.js";

/** @typedef {import("./frame.js").Context} Context */

/** Milliseconds between two looks: while a run goes on, and otherwise. */
const OFTEN_MS = 2_000;
const SELDOM_MS = 15_000;

export class RunsView {
  /** @param {Context} context */
  constructor(context) {
    const { language } = context;
    this.context = context;
    this.title = language.t("runs.title");
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    /** @type {any[]} those beyond the first page, which nothing changes any more */
    this.older = [];
    /** @type {number|null} */
    this.next = null;
    /** @type {any[]} */
    this.chosen = [];
    this.list = el("ul", { class: "runs" });
    this.none = el("p", { class: "blank", text: language.t("runs.none"), hidden: true });
    this.more = el("button", {
      type: "button",
      class: "button",
      text: language.t("runs.more"),
      hidden: true,
      onclick: () => void this.#attempt(() => this.#earlier()),
    });
    this.bar = el("div", { class: "choice", role: "status", hidden: true });
    const start = el("a", { class: "button primary", href: "#/new", text: language.t("place.start") });
    this.wait = working(language.t("loading"));
    this.root = el("div", { class: "column" }, heading(context, this.title, start), this.wait, this.none, this.list, this.more, this.bar);
    this.isOpen = true;
  }

  async load() {
    await this.#look();
    this.wait.remove();
    this.#soon();
  }

  close() {
    this.isOpen = false;
    clearTimeout(this.timer);
  }

  #soon() {
    const isLive = [...this.cards.values()].some((card) => card.run.progress);
    this.timer = setTimeout(
      async () => {
        // A server that is away is looked for again; the strip at the top says so.
        if (!document.hidden) await this.#look().catch(() => undefined);
        if (this.isOpen) this.#soon();
      },
      isLive ? OFTEN_MS : SELDOM_MS,
    );
  }

  async #look() {
    const found = await ask(this.context, "GET", "/runs?limit=30");
    if (!this.isOpen) return;
    if (this.older.length === 0) this.next = found.next;
    const fresh = new Set(found.runs.map((/** @type {any} */ run) => run.id));
    const last = found.runs.at(-1)?.number ?? 0;
    this.#draw([...found.runs, ...this.older.filter((run) => !fresh.has(run.id) && run.number < last)]);
  }

  async #earlier() {
    const found = await ask(this.context, "GET", `/runs?limit=30&before=${this.next}`);
    this.older.push(...found.runs);
    this.next = found.next;
    await this.#look();
  }

  /** @param {any[]} runs */
  #draw(runs) {
    const deeds = {
      onCancel: (/** @type {any} */ run) => void this.#cancel(run),
      onDelete: (/** @type {any} */ run) => void this.#delete(run),
      onChoose: (/** @type {any} */ run, /** @type {boolean} */ on) => this.#choose(run, on),
    };
    const cards = new Map();
    for (const run of runs) {
      const card = this.cards.get(run.id) ?? new Card(this.context, run, deeds);
      card.draw(run);
      cards.set(run.id, card);
    }
    this.cards = cards;
    arrange(this.list, [...cards.values()].map((card) => card.root));
    this.none.hidden = runs.length > 0;
    this.more.hidden = this.next === null;
  }

  /** @param {any} run @param {boolean} on */
  #choose(run, on) {
    this.chosen = [...this.chosen.filter((one) => one.id !== run.id), ...(on ? [run] : [])];
    while (this.chosen.length > 2) this.cards.get(this.chosen.shift().id)?.release();
    this.#drawChoice();
  }

  #drawChoice() {
    const { language } = this.context;
    const [one, other] = [...this.chosen].sort((a, b) => a.number - b.number);
    this.bar.hidden = !one;
    if (!one) return;
    const clear = el("button", {
      type: "button",
      class: "link",
      text: language.t("runs.compare.clear"),
      onclick: () => {
        for (const run of this.chosen) this.cards.get(run.id)?.release();
        this.chosen = [];
        this.#drawChoice();
      },
    });
    let said = other ? "" : language.t("runs.compare.one", { id: one.id });
    const isSame = other && one.data_sha256 === other.data_sha256;
    if (other && !isSame) said = language.t("runs.compare.data");
    const go = isSame && el("a", {
      class: "button primary",
      href: `#/compare/${one.id}/${other.id}`,
      text: language.t("runs.compare.two"),
    });
    this.bar.replaceChildren(el("span", { text: said }), go || "", clear);
  }

  /** @param {any} run */
  async #cancel(run) {
    const { language, toasts } = this.context;
    const question = language.t("run.cancel.ask", { model: run.model });
    if (!(await confirmed(this.context, question, language.t("run.cancel.yes")))) return;
    await this.#attempt(async () => {
      await ask(this.context, "POST", `/runs/${run.id}/cancel`, {});
      toasts.show(language.t("run.cancelled"));
      await this.#look();
    });
  }

  /** @param {any} run */
  async #delete(run) {
    const { language, toasts } = this.context;
    const question = language.t("run.delete.ask", { id: run.id, model: run.model });
    if (!(await confirmed(this.context, question, language.t("run.delete.yes")))) return;
    await this.#attempt(async () => {
      await ask(this.context, "DELETE", `/runs/${run.id}`);
      toasts.show(language.t("run.deleted", { id: run.id }));
      this.older = this.older.filter((one) => one.id !== run.id);
      this.#choose(run, false);
      await this.#look();
    });
  }

  /** @param {() => Promise<void>} deed */
  async #attempt(deed) {
    try {
      await deed();
    } catch (error) {
      this.context.toasts.show(this.context.sentence(error));
    }
  }
}
