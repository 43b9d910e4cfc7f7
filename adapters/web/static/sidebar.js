/** The list of conversations; a drawer where the window is narrow. */

import { byId, el, setText } from "./dom.js";
import { marked } from "./search.js";

const NARROW = "(max-width: 50rem)";

/** @param {string} key */
export const addressOf = (key) => `#/c/${encodeURIComponent(key)}`;

export class Sidebar {
  /** @param {import("./message.js").Context} context */
  constructor(context) {
    this.context = context;
    this.app = byId("app");
    this.side = byId("side");
    this.list = byId("list");
    this.model = byId("model");
    this.narrow = matchMedia(NARROW);
    this.isOpen = false;
    this.drawn = "";
    byId("new").addEventListener("click", () => {
      this.close();
      context.actions.begin();
    });
    byId("menu").addEventListener("click", () => this.open());
    byId("menu-close").addEventListener("click", () => this.close());
    byId("scrim").addEventListener("click", () => this.close());
    this.list.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("a")) this.close();
    });
    this.narrow.addEventListener("change", () => this.#place());
    this.#place();
  }

  open() {
    this.isOpen = true;
    this.#place();
    byId("menu-close").focus();
  }

  /** @returns {boolean} whether it was open */
  close() {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.#place();
    byId("menu").focus();
    return true;
  }

  #place() {
    const drawer = this.narrow.matches;
    this.app.classList.toggle("drawer-open", drawer && this.isOpen);
    this.side.inert = drawer && !this.isOpen;
    byId("main").inert = drawer && this.isOpen;
    byId("scrim").hidden = !(drawer && this.isOpen);
    byId("menu").setAttribute("aria-expanded", String(this.isOpen));
  }

  draw() {
    const { store, language } = this.context;
    this.#drawModel();
    const listed = store.conversations.filter((one) => !store.gone.has(one.key));
    const look = JSON.stringify([
      listed,
      store.search,
      store.key,
      store.moreConversations,
      language.lang,
      new Date().toDateString(),
    ]);
    if (look === this.drawn) return;
    this.drawn = look;
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    this.list.replaceChildren(...(store.search.phase === "none" ? this.#groups(listed) : this.#results()));
    if (focused)
      /** @type {HTMLElement|undefined} */ (
        [...this.list.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)
      )?.focus();
  }

  /** What a search found. */
  #results() {
    const { language, store, archive } = this.context;
    const { words, phase, next } = store.search;
    const found = store.search.found.filter((one) => !store.gone.has(one.key));
    if (phase === "asking") return [el("p", { class: "quiet list-empty", text: language.t("search.asking") })];
    if (phase === "failed") return [el("p", { class: "quiet list-empty", text: language.t("search.failed") })];
    if (found.length === 0)
      return [el("p", { class: "quiet list-empty", text: language.t("search.none", { words, n: 0 }) })];
    const links = found.map((one) => el("li", {}, this.#link(one, words)));
    const count = next === null ? "search.count" : "search.atleast";
    const more = el("button", {
      type: "button",
      class: "link list-more",
      text: language.t("conversations.more"),
      onclick: () => archive.more(),
    });
    return [
      el("h2", { text: language.t(count, { n: found.length }) }),
      el("ul", { class: "results" }, ...links),
      ...(next === null ? [] : [more]),
    ];
  }

  /** @param {import("./types.js").Conversation[]} listed */
  #groups(listed) {
    const { store, language, actions } = this.context;
    if (listed.length === 0)
      return [el("p", { class: "quiet list-empty", text: language.t("conversations.none") })];
    /** @type {Node[]} */
    const nodes = [];
    let period = "";
    let group = el("ul");
    for (const one of listed) {
      if (language.period(one.last_message_at) !== period) {
        period = language.period(one.last_message_at);
        group = el("ul");
        nodes.push(el("h2", { text: period }), group);
      }
      group.append(el("li", {}, this.#link(one)));
    }
    if (store.moreConversations !== null) {
      const more = () => actions.loadConversations(true).catch(() => undefined);
      nodes.push(
        el("button", {
          type: "button",
          class: "link list-more",
          text: language.t("conversations.more"),
          onclick: more,
        }),
      );
    }
    return nodes;
  }

  /** @param {import("./types.js").Conversation} one @param {string} [words]  that were looked for */
  #link(one, words = "") {
    const { store, language } = this.context;
    const title = one.title || language.t("conversation.untitled");
    return el(
      "a",
      {
        href: addressOf(one.key),
        "aria-current": one.key === store.key ? "page" : null,
        title,
        onclick: () => {
          const turn = one.found?.turn_id ?? null;
          store.target = turn === null ? null : { key: one.key, turn };
          store.changed();
        },
      },
      el(
        "span",
        { class: "list-words" },
        el("span", { class: "list-title", dir: "auto" }, ...marked(title, words)),
        one.found?.snippet
          ? el("span", { class: "list-snippet", dir: "auto" }, ...marked(one.found.snippet, words))
          : null,
      ),
      one.live &&
        el("span", { class: "pulse" }, el("span", { class: "sr", text: `(${language.t("conversations.live")})` })),
    );
  }

  #drawModel() {
    const { store, language } = this.context;
    const { info } = store;
    this.model.hidden = !info;
    if (!info) return;
    this.model.dataset.state = info.model.state;
    setText(byId("model-name"), info.model.name);
    this.model.title = language.t("models.open", { name: info.model.name });
    const state = language.t(`model.state.${info.model.state}`);
    setText(byId("model-state"), info.model.demo ? `${language.t("model.demo")} · ${state}` : state);
  }
}
