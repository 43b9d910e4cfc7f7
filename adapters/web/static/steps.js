/** The steps of a turn: shown as they happen, afterwards folded to one line. */

import { Answer } from "./answer.js";
import { arrange, el, icon, setText } from "./dom.js";

/** @typedef {import("./types.js").Step} Step @typedef {import("./message.js").Context} Context */

let counter = 0;

export class StepsView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Map<string, StepView>} */
    this.views = new Map();
    counter += 1;
    this.list = el("ol", { class: "rail", id: `steps-${counter}`, "aria-label": context.language.t("steps.label") });
    this.label = el("span");
    this.fold = el(
      "button",
      { type: "button", class: "fold", "aria-controls": this.list.id, onclick: () => this.#toggle() },
      icon("chevron"),
      this.label,
    );
    this.body = el("div", { class: "fold-body" }, this.list);
    this.root = el("div", { class: "steps" }, this.fold, this.body);
    this.wasLive = false;
    this.open = false;
    this.count = 0;
  }

  /** @param {Step[]} steps @param {boolean} isLive */
  update(steps, isLive) {
    this.root.hidden = steps.length === 0;
    // They fold by themselves once, when the answer is there; from then on they are the reader's.
    if (isLive !== this.wasLive) this.open = isLive;
    this.wasLive = isLive;
    this.count = steps.length;
    this.fold.hidden = isLive;
    arrange(
      this.list,
      steps.map((step) => {
        const view = this.views.get(step.key) ?? new StepView(this.context);
        this.views.set(step.key, view);
        view.update(step);
        return view.root;
      }),
    );
    this.#draw();
  }

  #toggle() {
    this.open = !this.open;
    this.#draw();
  }

  #draw() {
    setText(this.label, this.context.language.t(this.open ? "steps.hide" : "steps.show", { n: this.count }));
    this.fold.setAttribute("aria-expanded", String(this.open));
    this.root.classList.toggle("open", this.open);
    this.body.inert = !this.open;
  }
}

class StepView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.title = el("span", { class: "step-title" });
    this.state = el("span", { class: "sr" });
    this.args = el("dl", { class: "args" });
    this.result = new Answer(context.language, {
      class: "result",
      tabindex: "0",
      role: "group",
      "aria-label": context.language.t("step.result"),
    });
    this.root = el(
      "li",
      { class: "step" },
      el("div", { class: "step-head" }, this.title, this.state),
      this.args,
      this.result.root,
    );
    this.drawnArgs = "";
  }

  /** @param {Step} step */
  update(step) {
    this.root.dataset.state = step.state;
    setText(this.title, (step.title || step.tool) + (step.state === "running" ? "…" : ""));
    setText(this.state, ` (${this.context.language.t(`step.${step.state}`)})`);
    this.#showArgs(step.args);
    this.result.show(step.html);
    this.result.root.hidden = step.html === "";
  }

  /** @param {Record<string, unknown>} args */
  #showArgs(args) {
    const look = JSON.stringify(args);
    if (look === this.drawnArgs) return;
    this.drawnArgs = look;
    const fresh = argsList(args ?? {});
    this.args.replaceWith(fresh);
    this.args = fresh;
  }
}

/** The arguments of a call; hidden when there are none. @param {Record<string, unknown>} args */
export function argsList(args) {
  const entries = Object.entries(args);
  return el(
    "dl",
    { class: "args", hidden: entries.length === 0 },
    ...entries.map(([name, value]) =>
      el(
        "div",
        {},
        el("dt", { text: name }),
        el("dd", { text: typeof value === "string" ? value : JSON.stringify(value) }),
      ),
    ),
  );
}
