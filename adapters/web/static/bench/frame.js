/** The frame of a page of the console: language, colours, signing in, and the view that the address names. */

import { Api, ApiError } from "../api.js";
import { openLogin } from "../dialogs.js";
import { byId, el, setText } from "../dom.js";
import { Language, choose } from "../language.js";
import { Looks } from "../looks.js";
import { openShelf } from "../storage.js";
import { Toasts } from "../toasts.js";
import { texts } from "./texts.js";

const LANGUAGE = "kagentbot.language";
/** A server that restarts within this time isn't worth a word. */
const LOST_AFTER_MS = 1_000;

/**
 * @typedef {object} Context
 * @property {Language} language
 * @property {Api} api
 * @property {Toasts} toasts
 * @property {import("../storage.js").Shelf} shelf
 * @property {(error: unknown) => string} sentence  what went wrong, for people
 */

/** @typedef {{title: string, root: HTMLElement, load: () => Promise<void>, close?: () => void}} View */
/** @typedef {(context: Context, found: string[]) => View} Make */

export class Frame {
  /**
   * @param {[string, string][]} places  address and text of what the head leads to
   * @param {[RegExp, Make][]} routes @param {Make} home  shown where no route fits
   */
  constructor(places, routes, home) {
    this.places = places;
    this.routes = routes;
    this.home = home;
    const shelf = openShelf();
    const language = new Language(shelf.get(LANGUAGE) ?? choose(navigator.languages), texts);
    const api = new Api({
      language: () => language.tag,
      onReach: (reached) => this.#onReach(reached),
      onTokenNeeded: () => openLogin(language, (token) => api.login(token), () => this.#route()),
    });
    const toasts = new Toasts(byId("toasts"), byId("announcer"), language);
    /** @type {Context} */
    this.context = { language, api, toasts, shelf, sentence: (error) => this.#sentence(error) };
    this.looks = new Looks(shelf, language);
    this.main = byId("main");
    /** @type {View|null} */
    this.view = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.lostTimer = undefined;
  }

  start() {
    const { language, shelf } = this.context;
    byId("language").addEventListener("click", () => {
      language.set(language.lang === "zh" ? "en" : "zh");
      shelf.put(LANGUAGE, language.lang);
      this.#drawTexts();
      this.#route();
    });
    byId("skip").addEventListener("click", () => this.main.focus());
    window.addEventListener("hashchange", () => {
      this.#route();
      this.main.focus({ preventScroll: true });
      this.main.scrollTop = 0;
    });
    this.#drawTexts();
    this.#route();
  }

  #route() {
    const found = this.routes
      .map(([pattern, make]) => ({ match: pattern.exec(location.hash), make }))
      .find(({ match }) => match);
    this.view?.close?.();
    this.view = found?.match ? found.make(this.context, found.match.slice(1)) : this.home(this.context, []);
    this.main.replaceChildren(this.view.root);
    document.title = `${this.view.title} · kagentbot`;
    this.#drawPlaces();
    void this.#show(this.view);
  }

  /** @param {View} shown */
  async #show(shown) {
    const { language } = this.context;
    try {
      await shown.load();
    } catch (error) {
      if (shown !== this.view) return;
      const again = el("button", { type: "button", class: "button", text: language.t("again"), onclick: () => this.#route() });
      const trouble = el("p", { class: "trouble", role: "alert", text: this.#sentence(error) });
      shown.root.replaceChildren(trouble, again);
    }
  }

  /** @param {unknown} error */
  #sentence(error) {
    const { language } = this.context;
    if (error instanceof ApiError) return error.message || language.t("error.unknown", { status: error.status });
    return language.t("error.unreachable");
  }

  #drawPlaces() {
    if (this.places.length === 0) return;
    // The first one is where everything belongs that is no part of another.
    const [[first], ...others] = this.places;
    const here = others.find(([address]) => `${location.hash}/`.startsWith(`${address}/`))?.[0] ?? first;
    byId("places").replaceChildren(
      ...this.places.map(([address, text]) =>
        el("a", {
          class: "place",
          href: address,
          "aria-current": address === here ? "page" : null,
          text: this.context.language.t(text),
        }),
      ),
    );
  }

  #drawTexts() {
    const { language } = this.context;
    document.documentElement.lang = language.tag;
    for (const node of document.querySelectorAll("[data-t]"))
      setText(node, language.t(node.getAttribute("data-t") ?? ""));
    for (const node of document.querySelectorAll("[data-t-label]"))
      node.setAttribute("aria-label", language.t(node.getAttribute("data-t-label") ?? ""));
    this.looks.draw();
  }

  /** @param {boolean} reached */
  #onReach(reached) {
    const strip = byId("notice");
    if (reached) {
      clearTimeout(this.lostTimer);
      this.lostTimer = undefined;
      strip.hidden = true;
      return;
    }
    this.lostTimer ??= setTimeout(() => {
      setText(strip, this.context.language.t("connection.lost"));
      strip.hidden = false;
    }, LOST_AFTER_MS);
  }
}
