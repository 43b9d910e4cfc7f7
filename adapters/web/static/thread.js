/** The log of a conversation: turns, messages on their way, and where it is scrolled to. */

import { arrange, byId, el } from "./dom.js";
import { pendingMessage } from "./message.js";
import { TurnView } from "./turn.js";
import { welcome } from "./welcome.js";

/** Nearer to the end than this, the reader is at the end and stays there. */
const NEAR_PX = 72;
/** What adds this much of the window's height at once would carry the reader past its beginning. */
const AT_ONCE = 0.75;
const ABOVE_PX = 12;

export class ThreadView {
  /** @param {import("./message.js").Context} context */
  constructor(context) {
    this.context = context;
    this.scroller = byId("scroll");
    this.root = byId("thread");
    this.jump = byId("jump");
    this.stuck = true;
    /** @type {Map<string, TurnView>} */
    this.turns = new Map();
    /** @type {Map<string, {look: string, node: HTMLElement}>} */
    this.pending = new Map();
    /** @type {{look: string, node: HTMLElement}} */
    this.plain = { look: "", node: el("div") };
    this.shown = "";
    this.earlier = el("button", {
      type: "button",
      class: "button earlier",
      onclick: () => context.actions.loadOlder(),
    });
    this.scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.jump.addEventListener("click", () => this.toEnd(true));
    this.root.addEventListener("click", (event) => {
      // What is unfolded is read from its beginning.
      if (/** @type {Element} */ (event.target).closest("[data-action='trace']")) this.stuck = false;
    });
    // Whatever makes the log or its window change size: who reads the end keeps reading the end.
    const sizes = new ResizeObserver(() => this.#keepEnd());
    sizes.observe(this.root);
    sizes.observe(this.scroller);
    new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && context.actions.loadOlder(),
      {
        root: this.scroller,
        rootMargin: "400px 0px 0px 0px",
      },
    ).observe(this.earlier);
  }

  /** Forgets all that was drawn, for another language. */
  reset() {
    this.turns.clear();
    this.pending.clear();
    this.plain.look = "";
  }

  draw() {
    const { store, language } = this.context;
    const shown = `${store.key} ${store.draft}`;
    const isOther = store.phase !== "ready" ? shown !== this.shown : !this.#continues(shown);
    this.shown = shown;
    if (isOther) {
      this.reset();
      this.stuck = true;
    }
    const { scrollHeight: before, scrollTop } = this.scroller;
    const first = this.root.querySelector(".turn");
    const wasTalk = !isOther && this.#isTalk();
    this.earlier.textContent = language.t("conversation.earlier");
    arrange(this.root, this.#nodes());
    const grewAbove = !isOther && first?.isConnected && this.root.querySelector(".turn") !== first;
    const growth = this.scroller.scrollHeight - before;
    if (!this.#isTalk()) this.scroller.scrollTop = 0;
    else if (this.stuck && wasTalk && !grewAbove && growth > this.scroller.clientHeight * AT_ONCE) this.#toLastTurn();
    else if (this.stuck) this.toEnd();
    else if (grewAbove) this.scroller.scrollTop = scrollTop + growth;
    this.#toTarget();
    this.#onScroll();
  }

  /** Goes to the turn that a search has found, through as many earlier pages as that takes. */
  #toTarget() {
    const { store, actions } = this.context;
    // The address, and with it the conversation, may change only after the click that chose the target.
    if (store.target === null || store.target.key !== store.key || store.phase !== "ready") return;
    const found = this.root.querySelector(`.turn[data-turn="${store.shownAs(store.target.turn)}"]`);
    if (!found && store.older !== null) {
      actions.loadOlder();
      return;
    }
    store.target = null;
    if (!found) return;
    this.stuck = false;
    found.scrollIntoView({ block: "start" });
  }

  /** Whether there is more than the empty page. */
  #isTalk() {
    return this.root.querySelector(".turn, .message") !== null;
  }

  /** A conversation that just got its key is still the same one on the screen. @param {string} shown */
  #continues(shown) {
    return shown === this.shown || (this.shown.startsWith("null ") && this.pending.size > 0);
  }

  /** @returns {HTMLElement[]} */
  #nodes() {
    const { store } = this.context;
    const waiting = store.waiting();
    if (store.phase === "empty" && waiting.length === 0) {
      return [this.#plain([store.info?.model, store.info?.offered_questions], () => welcome(this.context))];
    }
    if (store.turns.size + waiting.length === 0 && store.phase !== "ready")
      return [this.#plain([store.phase, store.failure], () => this.#absence())];
    const turns = store.rows().map((row) => {
      const key = String(row.turn.id);
      const view = this.turns.get(key) ?? new TurnView(this.context, row.turn.id);
      this.turns.set(key, view);
      view.update(row);
      return view.root;
    });
    return [...(store.older === null ? [] : [this.earlier]), ...turns, ...this.#pendingNodes(waiting)];
  }

  /** Why there is nothing to see. @returns {HTMLElement} */
  #absence() {
    const { store, language } = this.context;
    if (store.phase === "missing") return el("p", { class: "blank", text: language.t("conversation.missing") });
    if (store.phase === "failed")
      return el("p", {
        class: "blank",
        role: "alert",
        text: language.t("conversation.failed", { reason: store.failure }),
      });
    return el("p", { class: "blank slow", text: language.t("conversation.loading") });
  }

  /** @param {import("./types.js").Pending[]} waiting */
  #pendingNodes(waiting) {
    const fresh = new Map();
    for (const item of waiting) {
      const look = `${item.state} ${item.error}`;
      const known = this.pending.get(item.id);
      fresh.set(item.id, known?.look === look ? known : { look, node: pendingMessage(this.context, item) });
    }
    this.pending = fresh;
    return [...fresh.values()].map((one) => one.node);
  }

  /**
   * A page without turns, made anew only when it would look different.
   * @param {unknown} facts
   * @param {() => HTMLElement} make
   */
  #plain(facts, make) {
    const look = JSON.stringify([this.context.language.lang, facts]);
    if (look !== this.plain.look) this.plain = { look, node: make() };
    return this.plain.node;
  }

  // --- Scrolling -----------------------------------------------------------------------------------------------

  /** @param {boolean} [smooth] */
  toEnd(smooth = false) {
    this.stuck = true;
    const still = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: still ? "instant" : "smooth" });
    this.gliding = !still;
  }

  /** A long answer that arrives in one piece is shown from its question on. */
  #toLastTurn() {
    const top = this.root.querySelector(".turn:last-of-type")?.getBoundingClientRect().top ?? 0;
    this.scroller.scrollTop += top - this.scroller.getBoundingClientRect().top - ABOVE_PX;
    this.stuck = false;
  }

  #keepEnd() {
    if (this.stuck && this.#isTalk()) this.toEnd();
    this.#onScroll();
  }

  #onScroll() {
    const left = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    const atEnd = left < NEAR_PX;
    if (atEnd) this.gliding = false;
    if (!this.gliding) this.stuck = atEnd;
    this.jump.hidden = this.stuck || !this.#isTalk();
  }
}
