/** The page's root: makes the parts, joins them, and follows the address. */

import { Actions } from "./actions.js";
import { Api } from "./api.js";
import { Archive } from "./archive.js";
import { Composer } from "./composer.js";
import { drawNotice, openHelp, openLogin } from "./dialogs.js";
import { byId, setText } from "./dom.js";
import { Identity } from "./identity.js";
import { Language, choose } from "./language.js";
import { Looks } from "./looks.js";
import { Menu } from "./menu.js";
import { ModelsDialog } from "./models.js";
import { Outbox } from "./outbox.js";
import { Picker } from "./picker.js";
import { ProfileDialog } from "./profile.js";
import { SearchBox } from "./search.js";
import { PageSettings } from "./settings.js";
import { Sidebar, addressOf } from "./sidebar.js";
import { openShelf } from "./storage.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { ThreadView } from "./thread.js";
import { Toasts } from "./toasts.js";

const LANGUAGE = "kagentbot.language";
/** A server that restarts within this time isn't worth a word. */
const LOST_AFTER_MS = 1_000;
/** A hidden page without a live turn gives its connection back: browsers allow six per server, over all tabs. */
const LET_GO_AFTER_MS = 60_000;
/** How often it is looked what there is to do: at once while something is amiss, else every so many times. */
const TICK_MS = 2_000;
const OFTEN = 8;
const RARELY = 30;
/** A screen reader hears this much of an answer by itself. */
const SPOKEN_CHARS = 1_500;

const shelf = openShelf();
const language = new Language(shelf.get(LANGUAGE) ?? choose(navigator.languages));
const store = new Store();
const toasts = new Toasts(byId("toasts"), byId("announcer"), language);
const api = new Api({ language: () => language.tag, onReach, onTokenNeeded });
const stream = new Stream(api, {
  onOpen: () => void actions.reload(),
  onTurn: (key, turn) => store.putTurn(key, turn),
  onGone: (key) => store.forget(key),
});
const outbox = new Outbox({
  shelf,
  send: (item) => api.send(item.conversation, item.id, item.text, item.conversation === null ? item.model : null),
  onChange: () => {
    store.pending = outbox.items;
    store.changed();
  },
  onAccepted,
  onRejected,
});
const composer = new Composer(
  { language, store, shelf },
  {
    onSend: (text) => actions.send(text),
    onStop: () => void actions.stop(),
    onEditLast: () => actions.beginEditOfLast(),
  },
);
const actions = new Actions({ api, store, stream, outbox, composer, language, toasts, onSent: () => thread.toEnd() });
const settings = new PageSettings(api, store);
actions.settings = settings;
const archive = new Archive({ api, store, actions, language, toasts });
const context = { language, store, actions, archive, toasts };
const profileDialog = new ProfileDialog(context, settings);
const modelsDialog = new ModelsDialog(context, settings);
const identity = new Identity(context, () => void profileDialog.open());
const picker = new Picker(context, settings);
const menu = new Menu(archive, context);
const looks = new Looks(shelf, language);
new SearchBox(archive);
const sidebar = new Sidebar(context);
const thread = new ThreadView(context);

store.subscribe(() => {
  outbox.settle((id) => store.isShown(id));
  sidebar.draw();
  thread.draw();
  composer.draw();
  identity.draw();
  picker.draw();
  menu.draw();
  modelsDialog.draw();
  drawNotice(context, wake);
  const title =
    store.key === null ? language.t("conversation.new") : store.title || language.t("conversation.untitled");
  setText(byId("title"), store.phase === "loading" ? "" : title);
  document.title = store.key === null || !store.title ? identity.name : `${store.title} · ${identity.name}`;
});

store.onNews = (turn) => {
  if (turn.state === "waiting") {
    toasts.say(`${language.t("consent.title")}: ${turn.consent?.question ?? ""}`);
    return;
  }
  const template = document.createElement("template");
  template.innerHTML = turn.html;
  const plain = (template.content.textContent ?? "").replace(/\s+/g, " ").trim();
  if (turn.state === "answered") toasts.say(`${language.t("turn.answered")} ${plain.slice(0, SPOKEN_CHARS)}`);
  if (turn.state === "stopped") toasts.say(language.t("turn.stopped"));
  if (turn.state === "failed" || turn.state === "refused") toasts.say(plain || language.t(`turn.${turn.state}`));
  refresh({ info: turn.state === "failed" });
};

// --- What the parts report -----------------------------------------------------------------------------------------

/** @param {import("./types.js").Pending} item @param {string} key */
function onAccepted(item, key) {
  if (store.key === null && item.draft !== null && item.draft === store.draft) {
    store.named(key);
    composer.rename();
    history.replaceState(null, "", addressOf(key));
    stream.start(key);
    void settings.load();
  }
  refresh({ info: false });
}

/** @param {import("./types.js").Pending} item @param {unknown} error */
function onRejected(item, error) {
  item.error = actions.sentence(error);
  const isOnScreen = store.waiting().includes(item);
  // Nothing else is being written: the text returns to where it can be changed.
  if (isOnScreen && composer.isEmpty()) {
    outbox.drop(item);
    composer.put(item.text, item.error);
    if (store.key === null && store.waiting().length === 0) store.show(null, null);
  }
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let lostTimer;

/** @param {boolean} reached */
function onReach(reached) {
  if (!reached) {
    lostTimer ??= setTimeout(() => {
      store.lost = true;
      store.changed();
    }, LOST_AFTER_MS);
    return;
  }
  if (lostTimer === undefined) return;
  clearTimeout(lostTimer);
  lostTimer = undefined;
  const wasLost = store.lost;
  store.lost = false;
  store.changed();
  outbox.wake();
  if (wasLost) refresh({ info: true });
}

function onTokenNeeded() {
  openLogin(language, (token) => api.login(token), start);
}

// --- Keeping up with the server ------------------------------------------------------------------------------------

/** @param {{info: boolean}} what */
function refresh({ info }) {
  // A failure here shows elsewhere: `onReach` and `onTokenNeeded` have been told.
  if (info)
    api.info().then(
      (fresh) => store.putInfo(fresh),
      () => undefined,
    );
  if (info) void settings.load();
  actions.loadConversations().catch(() => undefined);
}

function wake() {
  outbox.wake();
  stream.wake();
  refresh({ info: true });
}

/** Everything from the server again: at the beginning, and after signing in. */
function start() {
  wake();
  void actions.reload();
}

let ticks = 0;
setInterval(() => {
  if (document.hidden) return;
  ticks += 1;
  const isUneasy = store.lost || !store.info || store.info.model.state !== "ok";
  const others = store.conversations.some((one) => one.live) ? OFTEN : RARELY;
  if (isUneasy || ticks % RARELY === 0) refresh({ info: true });
  else if (ticks % others === 0) refresh({ info: false });
  if (store.phase === "loading" || store.phase === "failed") void actions.reload();
}, TICK_MS);

/** @type {ReturnType<typeof setTimeout>|undefined} */
let letGo;
document.addEventListener("visibilitychange", () => {
  clearTimeout(letGo);
  if (document.hidden) {
    letGo = setTimeout(() => store.hasLive() || stream.stop(), LET_GO_AFTER_MS);
    return;
  }
  if (store.key !== null) stream.start(store.key);
  wake();
});
window.addEventListener("online", wake);
window.addEventListener("pagehide", () => {
  composer.leave();
  actions.flush();
  archive.flush();
});

// --- Language ------------------------------------------------------------------------------------------------------

function drawTexts() {
  document.documentElement.lang = language.tag;
  for (const node of document.querySelectorAll("[data-t]"))
    setText(node, language.t(/** @type {any} */ (node.getAttribute("data-t"))));
  for (const node of document.querySelectorAll("[data-t-label]")) {
    const text = language.t(/** @type {any} */ (node.getAttribute("data-t-label")));
    node.setAttribute("aria-label", text);
    if (node.tagName === "BUTTON") node.setAttribute("title", text);
  }
  byId("text").setAttribute("placeholder", language.t("composer.placeholder"));
  byId("search").setAttribute("placeholder", language.t("search.placeholder"));
  looks.draw();
}

byId("language").addEventListener("click", () => {
  language.set(language.lang === "zh" ? "en" : "zh");
  shelf.put(LANGUAGE, language.lang);
  drawTexts();
  thread.reset();
  store.changed();
  refresh({ info: true });
});

// --- Keyboard ------------------------------------------------------------------------------------------------------

byId("help-open").addEventListener("click", () => openHelp(language));
byId("model").addEventListener("click", () => void modelsDialog.open());
byId("skip").addEventListener("click", () => byId("text").focus());

document.addEventListener("keydown", (event) => {
  const hasDialog = document.querySelector("dialog[open]") !== null;
  if (event.isComposing || hasDialog) return;
  if (event.key === "Escape" && !sidebar.close()) void actions.stop();
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyN") {
    event.preventDefault();
    actions.begin();
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "/") {
    event.preventDefault();
    openHelp(language);
  }
  // Writing while nothing has the focus means writing a message.
  const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (isText && document.activeElement === document.body) byId("text").focus();
});

// --- The address ---------------------------------------------------------------------------------------------------

/** `#token=…` signs in, once, and leaves the address bar and the history. @returns {Promise<void>} */
async function useToken() {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  await api.login(decodeURIComponent(token)).catch(() => undefined);
}

function route() {
  const key = /^#\/c\/(.+)$/.exec(location.hash)?.[1];
  if (key) {
    actions.open(decodeURIComponent(key));
    return;
  }
  // A message that began a conversation and was not accepted yet is shown where it was written.
  const unsent = outbox.items.find((item) => item.conversation === null && item.state !== "accepted");
  actions.open(null, store.draft ?? unsent?.draft ?? null);
}

window.addEventListener("hashchange", async () => {
  const isToken = location.hash.startsWith("#token=");
  await useToken();
  if (isToken) start();
  else route();
});

drawTexts();
await useToken();
outbox.restore();
route();
composer.enter();
composer.focus();
refresh({ info: true });
