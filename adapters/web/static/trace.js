/** How an answer came about: plans, calls, results, tokens and times, loaded when somebody asks for them. */

import { Answer } from "./answer.js";
import { el, icon } from "./dom.js";
import { argsList } from "./steps.js";

/** @typedef {import("./types.js").TraceStep} TraceStep @typedef {import("./message.js").Context} Context */

let counter = 0;

export class TraceView {
  /** @param {Context} context @param {import("./types.js").Turn["id"]} turn */
  constructor(context, turn) {
    this.context = context;
    this.turn = turn;
    counter += 1;
    this.root = el("section", { class: "trace", id: `trace-${counter}`, hidden: true });
    this.root.setAttribute("aria-label", context.language.t("trace.label"));
    this.button = el(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-expanded": "false",
        "aria-controls": this.root.id,
        "data-action": "trace",
        onclick: () => this.#toggle(),
      },
      icon("details"),
    );
    this.#label();
  }

  async #toggle() {
    this.root.hidden = !this.root.hidden;
    this.#label();
    if (this.root.hidden || this.root.childElementCount > 0) return;
    const { language, actions } = this.context;
    const wait = el("p", { class: "quiet", role: "status", text: language.t("trace.loading") });
    this.root.replaceChildren(wait);
    try {
      this.#draw(await actions.api.trace(this.turn));
    } catch (error) {
      // Closed and opened again, it is asked for again.
      this.root.replaceChildren();
      this.root.hidden = true;
      this.#label();
      actions.toasts.show(actions.sentence(error));
    }
  }

  #label() {
    const text = this.context.language.t(this.root.hidden ? "trace.show" : "trace.hide");
    this.button.setAttribute("aria-expanded", String(!this.root.hidden));
    this.button.setAttribute("aria-label", text);
    this.button.title = text;
  }

  /** @param {import("./types.js").Trace} trace */
  #draw(trace) {
    const { language } = this.context;
    const facts = [
      seconds(language, trace.started_at ?? trace.created_at, trace.finished_at),
      tokens(language, trace.tokens),
      trace.model ? language.t("trace.model", { name: trace.model }) : language.t("trace.nomodel"),
      trace.attempts > 1 && language.t("trace.attempts", { n: trace.attempts }),
      profileFact(language, trace.profiles),
    ].filter(Boolean);
    const list = el("ol", { class: "trace-steps" }, ...trace.steps.map((step) => this.#step(step)));
    this.root.replaceChildren(
      el("h2", { text: language.t("trace.label") }),
      el("ul", { class: "facts" }, ...facts.map((fact) => el("li", { text: String(fact) }))),
      trace.steps.length ? list : el("p", { class: "quiet", text: language.t("trace.none") }),
    );
  }

  /** @param {TraceStep} step */
  #step(step) {
    const { language } = this.context;
    const facts = [
      step.state !== "done" && language.t(`step.${step.state}`),
      seconds(language, step.started_at, step.finished_at),
      tokens(language, step.tokens),
      step.model,
      step.style && language.t("trace.style", { name: step.style }),
      step.attempts > 1 && language.t("trace.corrected"),
    ].filter(Boolean);
    return el(
      "li",
      { class: "trace-step", "data-kind": step.kind, "data-state": step.state },
      el(
        "div",
        { class: "trace-head" },
        el("h3", { text: this.#title(step) }),
        el("span", { class: "quiet", text: facts.join(" · ") }),
      ),
      ...this.#body(step),
    );
  }

  /** @param {TraceStep} step */
  #title(step) {
    const { language } = this.context;
    if (step.kind === "act") return step.title || step.tool;
    if (step.kind === "plan" && step.task) return language.t("trace.task", { task: step.task });
    return language.t(`trace.${step.kind}`);
  }

  /** @param {TraceStep} step @returns {(Node|false)[]} */
  #body(step) {
    const { language } = this.context;
    const planned = step.calls.map((call) =>
      el("li", {}, el("span", { class: "call", text: call.title || call.tool }), argsList(call.args)),
    );
    let decision = "";
    if (step.kind === "consent" && step.allowed !== null)
      decision = language.t(step.allowed ? "trace.allowed" : "trace.denied");
    return [
      step.thought !== "" && this.#prose(step.thought, "thought"),
      this.#fold("trace.reasoning", step.reasoning),
      planned.length > 0 && el("p", { class: "quiet", text: language.t("trace.calls") }),
      planned.length > 0 && el("ul", { class: "calls" }, ...planned),
      (step.kind === "act" || step.kind === "consent") && argsList(step.args),
      this.#fold("step.result", step.html),
      decision !== "" && el("p", { text: decision }),
      (step.detail !== "" || step.end !== null) &&
        el("p", { class: "reason", text: step.detail || language.t("trace.end") }),
      step.sources.length > 0 && el("p", { class: "quiet trace-sources", text: step.sources.join("  ") }),
    ];
  }

  /** Text of a model or a tool, sanitised by the server. @param {string} html @param {string} name */
  #prose(html, name) {
    const box = new Answer(this.context.language, { class: name });
    box.show(html);
    return box.root;
  }

  /** @param {"trace.reasoning"|"step.result"} label @param {string} html @returns {Node|false} */
  #fold(label, html) {
    if (html === "") return false;
    const fold = el("details", {}, el("summary", { text: this.context.language.t(label) }));
    // Long results cost nothing until they are looked at.
    fold.addEventListener("toggle", () => fold.childElementCount > 1 || fold.append(this.#prose(html, "result")));
    return fold;
  }
}

/** @param {import("./language.js").Language} language @param {string} from @param {string|null} to */
function seconds(language, from, to) {
  if (to === null) return "";
  const took = Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
  if (took < 1) return language.t("trace.milliseconds", { n: Math.round(took * 1000) });
  return language.t("trace.seconds", { n: language.decimal(took) });
}

/** @param {import("./language.js").Language} language @param {{prompt: number|null, completion: number|null}} found */
function tokens(language, { prompt, completion }) {
  if (prompt === null && completion === null) return "";
  return language.t("trace.tokens", { in: language.count(prompt ?? 0), out: language.count(completion ?? 0) });
}

/** @param {import("./language.js").Language} language @param {import("./types.js").Trace["profiles"]} profiles */
function profileFact(language, profiles) {
  const named = profiles.map(({ scope, version }) => {
    const place = ["default", "workspace", "channel"].includes(scope) ? language.t(`scope.${scope}`) : scope;
    return language.t("trace.version", { place, n: version });
  });
  return named.length ? language.t("trace.profile", { versions: named.join(" + ") }) : "";
}
