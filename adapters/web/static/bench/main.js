/** The console's root: benchmarks and ratings. Which view is shown is in the address. */

import { Api, ApiError } from "../api.js";
import { openLogin } from "../dialogs.js";
import { byId, el, setText } from "../dom.js";
import { Language, choose } from "../language.js";
import { Looks } from "../looks.js";
import { openShelf } from "../storage.js";
import { Toasts } from "../toasts.js";
import { BoardView } from "./board.js";
import { CompareView } from "./compare.js";
import { DataView } from "./data.js";
import { ItemsView } from "./items.js";
import { RunView } from "./run.js";
import { RunsView } from "./runs.js";
import { StartView } from "./start.js";
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

const shelf = openShelf();
const language = new Language(shelf.get(LANGUAGE) ?? choose(navigator.languages), texts);
const toasts = new Toasts(byId("toasts"), byId("announcer"), language);
const api = new Api({ language: () => language.tag, onReach, onTokenNeeded });
/** @type {Context} */
const context = { language, api, toasts, shelf, sentence };
const looks = new Looks(shelf, language);
const main = byId("main");

/** @type {[string, string][]} address and text */
const PLACES = [
  ["#/", "place.runs"],
  ["#/new", "place.start"],
  ["#/board", "place.board"],
  ["#/data", "place.data"],
];
/** @type {[RegExp, (found: string[]) => View][]} */
const ROUTES = [
  [/^#\/new$/, () => new StartView(context)],
  [/^#\/board$/, () => new BoardView(context)],
  [/^#\/data$/, () => new DataView(context)],
  [/^#\/run\/([0-9a-f]{8})$/, ([id]) => new RunView(context, id)],
  [/^#\/run\/([0-9a-f]{8})\/items$/, ([id]) => new ItemsView(context, id)],
  [/^#\/compare\/([0-9a-f]{8})\/([0-9a-f]{8})$/, ([a, b]) => new CompareView(context, a, b)],
];

/** @type {View|null} */
let view = null;

function route() {
  const found = ROUTES.map(([pattern, make]) => [pattern.exec(location.hash), make]).find(([match]) => match);
  view?.close?.();
  view = found ? found[1](found[0].slice(1)) : new RunsView(context);
  main.replaceChildren(view.root);
  document.title = `${view.title} · kagentbot`;
  drawPlaces();
  void show(view);
}

/** @param {View} shown */
async function show(shown) {
  try {
    await shown.load();
  } catch (error) {
    if (shown !== view) return;
    const again = el("button", { type: "button", class: "button", text: language.t("again"), onclick: route });
    shown.root.replaceChildren(el("p", { class: "trouble", role: "alert", text: sentence(error) }), again);
  }
}

/** @param {unknown} error */
function sentence(error) {
  if (error instanceof ApiError) return error.message || language.t("error.unknown", { status: error.status });
  return language.t("error.unreachable");
}

function drawPlaces() {
  const here = PLACES.find(([address]) => address === location.hash)?.[0] ?? "#/";
  byId("places").replaceChildren(
    ...PLACES.map(([address, text]) =>
      el("a", {
        class: "place",
        href: address,
        "aria-current": address === here ? "page" : null,
        text: language.t(text),
      }),
    ),
  );
}

function drawTexts() {
  document.documentElement.lang = language.tag;
  for (const node of document.querySelectorAll("[data-t]"))
    setText(node, language.t(node.getAttribute("data-t") ?? ""));
  for (const node of document.querySelectorAll("[data-t-label]"))
    node.setAttribute("aria-label", language.t(node.getAttribute("data-t-label") ?? ""));
  looks.draw();
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let lostTimer;

/** @param {boolean} reached */
function onReach(reached) {
  const strip = byId("notice");
  if (reached) {
    clearTimeout(lostTimer);
    lostTimer = undefined;
    strip.hidden = true;
    return;
  }
  lostTimer ??= setTimeout(() => {
    setText(strip, language.t("connection.lost"));
    strip.hidden = false;
  }, LOST_AFTER_MS);
}

function onTokenNeeded() {
  openLogin(language, (token) => api.login(token), route);
}

byId("language").addEventListener("click", () => {
  language.set(language.lang === "zh" ? "en" : "zh");
  shelf.put(LANGUAGE, language.lang);
  drawTexts();
  route();
});
byId("skip").addEventListener("click", () => main.focus());
window.addEventListener("hashchange", () => {
  route();
  main.focus({ preventScroll: true });
  main.scrollTop = 0;
});

drawTexts();
route();
