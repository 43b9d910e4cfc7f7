/**
 * The answer's box. This is the only place that inserts HTML, and it is HTML that the server has rendered from
 * Markdown with raw HTML off and links restricted; the page's content security policy forbids scripts and styles in it
 * once more.
 */

import { copyText, el, icon } from "./dom.js";

const COPIED_MS = 1_600;

export class Answer {
  /** @param {import("./language.js").Language} language @param {Record<string, string>} props  of its element */
  constructor(language, props) {
    this.language = language;
    this.root = el("div", { ...props, class: `prose ${props.class}` });
    this.html = "";
    /** @type {string[]} the source of each block that is shown */
    this.blocks = [];
  }

  /**
   * Shows `html`. Blocks that have not changed stay as they are, so that a selection or a scrolled table survives
   * while more text arrives.
   * @param {string} html
   */
  show(html) {
    if (html === this.html) return;
    this.html = html;
    const template = document.createElement("template");
    template.innerHTML = html;
    const fresh = [...template.content.childNodes].flatMap(asBlock);
    const sources = fresh.map((block) => block.outerHTML);
    let same = 0;
    while (same < sources.length && sources[same] === this.blocks[same]) same += 1;
    while (this.root.children.length > same) this.root.lastElementChild?.remove();
    for (const block of fresh.slice(same)) this.root.append(this.#dress(block));
    this.blocks = sources;
  }

  /**
   * Adds what a block needs on a page: a box to scroll in, a copy button.
   * @param {Element} block
   * @returns {Element}
   */
  #dress(block) {
    const holder = el("div");
    holder.append(block);
    for (const table of holder.querySelectorAll("table")) wrap(table, "table-box", this.language.t("table.label"));
    for (const pre of holder.querySelectorAll("pre")) {
      const box = wrap(pre, "code-box", this.language.t("code.label"));
      const copy = copyButton(this.language, "code.copy", () => pre.textContent ?? "");
      box.prepend(el("div", { class: "code-head" }, el("span", { class: "quiet", text: languageOf(pre) }), copy));
    }
    return holder.firstElementChild ?? holder;
  }
}

/** Text outside of any block gets one of its own. @param {Node} node @returns {Element[]} */
function asBlock(node) {
  if (node instanceof Element) return [node];
  const text = node.nodeType === Node.TEXT_NODE ? (node.textContent ?? "").trim() : "";
  return text ? [el("p", { text })] : [];
}

/**
 * Puts a node into a box that scrolls sideways, and can be scrolled with the keyboard.
 * @param {Element} node
 * @param {string} name
 * @param {string} label
 */
function wrap(node, name, label) {
  const scroller = el("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": label });
  const box = el("div", { class: name }, scroller);
  node.replaceWith(box);
  scroller.append(node);
  return box;
}

/** What a code block says that it is written in. @param {Element} pre */
function languageOf(pre) {
  const found = [...(pre.querySelector("code")?.classList ?? [])].find((name) => name.startsWith("language-"));
  return found ? found.slice("language-".length) : "";
}

/**
 * A button that copies and says so.
 * @param {import("./language.js").Language} language @param {"code.copy"|"turn.copy"} label @param {() => string} text
 */
export function copyButton(language, label, text) {
  const name = language.t(label);
  const button = el(
    "button",
    { type: "button", class: "icon-button copy", "aria-label": name, title: name },
    icon("copy"),
  );
  button.addEventListener("click", async () => {
    const done = await copyText(text());
    const told = language.t(done ? "turn.copied" : "error.copy");
    button.setAttribute("aria-label", told);
    button.title = told;
    if (done) button.replaceChildren(icon("check"));
    button.classList.toggle("did", done);
    setTimeout(() => {
      button.setAttribute("aria-label", name);
      button.title = name;
      button.replaceChildren(icon("copy"));
      button.classList.remove("did");
    }, COPIED_MS);
  });
  return button;
}
