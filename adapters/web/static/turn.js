/** One turn: the messages that asked, the steps, the answer, and what can be done with it. */

import { Answer, copyButton } from "./answer.js";
import { arrange, el, icon, iconButton, setText } from "./dom.js";
import { MessageView } from "./message.js";
import { StepsView } from "./steps.js";
import { isLive } from "./store.js";
import { TraceView } from "./trace.js";

/** @typedef {import("./types.js").Turn} Turn @typedef {import("./message.js").Context} Context */

export class TurnView {
  /** @param {Context} context @param {Turn["id"]} id */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    /** @type {Map<string, MessageView>} */
    this.messages = new Map();
    this.asked = el("div", { class: "asked" });
    this.steps = new StepsView(context);
    this.answer = new Answer(context.language, { class: "answer" });
    this.statusText = el("span");
    this.stop = el("button", {
      type: "button",
      class: "link",
      text: context.language.t("turn.stop"),
      onclick: () => context.actions.stop(id),
    });
    this.status = el(
      "div",
      { class: "status" },
      el("span", { class: "spinner", "aria-hidden": "true" }),
      this.statusText,
      this.stop,
    );
    this.consent = el("div", {
      class: "consent",
      role: "group",
      "aria-label": context.language.t("consent.title"),
      hidden: true,
    });
    this.outcome = el("p", { class: "outcome" });
    this.end = el("div", { class: "end" });
    this.trace = new TraceView(context, id);
    this.reply = el(
      "div",
      { class: "reply" },
      this.steps.root,
      this.answer.root,
      this.outcome,
      this.consent,
      this.status,
      this.end,
      this.trace.root,
    );
    this.root = el("article", { class: "turn", "data-turn": String(id) }, this.asked, this.reply);
    this.drawnEnd = "";
    this.drawnConsent = "";
  }

  /** @param {import("./store.js").Row} row */
  update({ turn, messages, hasReply, waits }) {
    const live = isLive(turn);
    this.root.dataset.state = turn.state;
    this.#showMessages(messages, live || !hasReply);
    this.reply.hidden = !hasReply;
    this.reply.lang = turn.lang === "zh" ? "zh-CN" : "en";
    this.reply.setAttribute("aria-busy", String(live));
    this.steps.update(turn.steps, live);
    this.answer.show(turn.html);
    this.answer.root.hidden = turn.html === "";
    this.answer.root.classList.toggle("typing", turn.state === "running" && turn.html !== "" && turn.status === "");
    this.#showOutcome(turn);
    this.#showStatus(turn, live, waits);
    this.#showConsent(turn);
    this.#showEnd(turn, live);
  }

  /** @param {import("./types.js").Message[]} messages @param {boolean} live */
  #showMessages(messages, live) {
    const roots = messages.map((message) => {
      const view = this.messages.get(message.message_id) ?? new MessageView(this.context, message.message_id);
      this.messages.set(message.message_id, view);
      view.update(message, live);
      return view.root;
    });
    arrange(this.asked, roots);
  }

  /** @param {Turn} turn */
  #showOutcome(turn) {
    const { language } = this.context;
    let text = "";
    if (turn.state === "stopped") text = language.t("turn.stopped");
    if (turn.state === "failed" && turn.html === "") text = language.t("turn.failed");
    if (turn.state === "refused" && turn.html === "") text = language.t("turn.refused");
    setText(this.outcome, text);
    this.outcome.hidden = text === "";
  }

  /** @param {Turn} turn @param {boolean} live @param {boolean} waits */
  #showStatus(turn, live, waits) {
    const { language } = this.context;
    const stepRuns = turn.steps.some((step) => step.state === "running");
    const isQuiet = turn.status === "" && (turn.html !== "" || stepRuns);
    this.status.hidden = !live || turn.state === "waiting" || (isQuiet && !waits);
    this.status.classList.toggle("waits", waits);
    let text = turn.status || language.t("turn.working");
    if (turn.state === "queued") text = language.t(waits ? "turn.queued" : "turn.starting");
    setText(this.statusText, text);
    // The turn being answered is stopped by the big button; one that waits behind it has its own.
    this.stop.hidden = !(waits && turn.can_stop);
  }

  /** @param {Turn} turn */
  #showConsent(turn) {
    const { key, question } = (turn.state === "waiting" && turn.consent) || { key: "", question: "" };
    if (key === this.drawnConsent) return;
    this.drawnConsent = key;
    this.consent.hidden = key === "";
    const { language, actions } = this.context;
    const decide = (/** @type {boolean} */ allow) => async () => {
      for (const button of this.consent.querySelectorAll("button")) button.disabled = true;
      await actions.consent(turn.id, key, allow);
      for (const button of this.consent.querySelectorAll("button")) button.disabled = false;
    };
    this.consent.replaceChildren(
      el("p", { class: "consent-title", text: language.t("consent.title") }),
      el("p", { class: "consent-question", text: question }),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "button", class: "button", text: language.t("consent.deny"), onclick: decide(false) }),
        el("button", {
          type: "button",
          class: "button primary",
          text: language.t("consent.allow"),
          onclick: decide(true),
        }),
      ),
    );
  }

  /** Sources, notes and buttons below an answer that is over. @param {Turn} turn @param {boolean} live */
  #showEnd(turn, live) {
    const look = JSON.stringify([
      live,
      turn.state,
      turn.sources,
      turn.notes,
      turn.model,
      turn.feedback,
      turn.can_retry,
      turn.text !== "",
    ]);
    this.turn = turn;
    if (look === this.drawnEnd) return;
    this.drawnEnd = look;
    this.end.hidden = live;
    if (live) return;
    const focused = this.end.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-action")
      : null;
    this.end.replaceChildren(this.#sources(turn), this.#notes(turn), this.#foot(turn));
    if (focused) /** @type {HTMLElement|null} */ (this.end.querySelector(`[data-action="${focused}"]`))?.focus();
  }

  /** @param {Turn} turn */
  #sources(turn) {
    const list = el("ol", {}, ...turn.sources.map((source) => el("li", {}, sourceOf(source))));
    return el(
      "section",
      { class: "sources", hidden: turn.sources.length === 0 },
      el("h2", { text: this.context.language.t("turn.sources") }),
      list,
    );
  }

  /** @param {Turn} turn */
  #notes(turn) {
    return el(
      "div",
      { class: "notes", hidden: turn.notes.length === 0 },
      ...turn.notes.map((note) => el("p", { text: note })),
    );
  }

  /** @param {Turn} turn */
  #foot(turn) {
    const { language, actions } = this.context;
    const foot = el("div", { class: "reply-foot", role: "group", "aria-label": language.t("turn.actions") });
    if (turn.can_retry) {
      const retry = () => actions.retry(turn.id);
      foot.append(
        el(
          "button",
          { type: "button", class: "button", "data-action": "retry", onclick: retry },
          icon("retry"),
          language.t("turn.retry"),
        ),
      );
    }
    if (turn.text !== "" && (turn.state === "answered" || turn.state === "stopped")) {
      foot.append(copyButton(language, "turn.copy", () => this.turn?.text ?? ""));
    }
    foot.append(this.trace.button);
    if (turn.state === "answered") foot.append(this.#thumb(turn, 1, "up"), this.#thumb(turn, -1, "down"));
    if (turn.model) foot.append(el("span", { class: "quiet model", text: turn.model }));
    return foot;
  }

  /** @param {Turn} turn @param {1|-1} value @param {"up"|"down"} name */
  #thumb(turn, value, name) {
    const isOn = turn.feedback === value;
    const click = () => this.context.actions.feedback(turn.id, isOn ? 0 : value);
    return iconButton(name, this.context.language.t(`turn.${name}`), click, {
      "aria-pressed": String(isOn),
      "data-action": name,
    });
  }
}

/** A source is a link when it is an address of the web, text otherwise. @param {string} source */
function sourceOf(source) {
  const url = URL.canParse(source) ? new URL(source) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) return el("span", { text: source });
  const path = url.pathname === "/" ? "" : url.pathname;
  return el("a", {
    href: url.href,
    rel: "noopener noreferrer",
    target: "_blank",
    title: url.href,
    text: url.host + path + url.search,
  });
}
