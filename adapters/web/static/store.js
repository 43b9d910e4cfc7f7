/**
 * What the page knows. Views read it and never write; `actions.js` and the stream write it. Every change leads to one
 * drawing of the page with the next frame, however many changes there were.
 */

import { WITHOUT_REPLY, last, successors } from "./lineage.js";

/**
 * @typedef {import("./types.js").Turn} Turn
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Pending} Pending
 */

/**
 * @typedef {object} Row  One turn as it is shown.
 * @property {Turn} turn
 * @property {Message[]} messages
 * @property {boolean} hasReply
 * @property {boolean} waits  whether another turn is being answered before it
 */

/** @typedef {{title: string, turns: Turn[], next: string|number|null}} Page */

const LIVE = ["queued", "running", "waiting"];

/** @param {Turn} turn */
export const isLive = (turn) => LIVE.includes(turn.state);

/**
 * Whether a picture of a turn replaces the one we have. What is over never comes back to life (an old picture that
 * arrives late would make it so); in the same state, the version decides.
 * @param {Turn} next @param {Turn|undefined} known
 */
export function replaces(next, known) {
  if (!known) return true;
  if (isLive(next) && !isLive(known)) return false;
  return next.state !== known.state || next.version >= known.version;
}

/** @param {Turn["id"]} a @param {Turn["id"]} b */
function byId(a, b) {
  return Number(a) - Number(b);
}

export class Store {
  /** @type {import("./types.js").Info|null} */
  info = null;
  /** @type {import("./types.js").Conversation[]} */
  conversations = [];
  /** @type {string|null} cursor of the list's next page */
  moreConversations = null;
  /** Whether the server has not answered for a moment. */
  lost = false;
  /** @type {Pending[]} */
  pending = [];
  /** @type {Set<string>} ids of messages whose deletion can still be undone */
  deleting = new Set();

  /** @type {Set<string>} keys of conversations that are deleted, or about to be */
  gone = new Set();
  /**
   * @type {{words: string, phase: "none"|"asking"|"done"|"failed", found: import("./types.js").Conversation[],
   *   next: string|null}}
   */
  search = { words: "", phase: "none", found: [], next: null };
  /** @type {import("./types.js").Profile|null} what holds in the conversation on the screen */
  profile = null;
  /** @type {import("./types.js").Endpoint[]} */
  endpoints = [];
  /** @type {{key: string, turn: Turn["id"]}|null} the turn that a search has found, to be scrolled to */
  target = null;
  /** @type {string|null} the model that was chosen for a conversation that doesn't exist yet */
  model = null;

  /** @type {string|null} the conversation on the screen */
  key = null;
  /** @type {string|null} joins the messages of a conversation that has no key yet */
  draft = null;
  title = "";
  /** @type {"empty"|"loading"|"ready"|"missing"|"failed"} */
  phase = "empty";
  failure = "";
  /** @type {string|null} id of the message that is being edited */
  editing = null;
  /** @type {Map<Turn["id"], Turn>} */
  turns = new Map();
  /** @type {string|number|null} cursor of the page before the oldest turn */
  older = null;
  /** Counts pictures; `touched` has the count at which each turn's came. */
  serial = 0;
  /** @type {Map<Turn["id"], number>} */
  touched = new Map();

  /** @type {(turn: Turn) => void} told of each turn that ends or asks for consent while one watches */
  onNews = () => undefined;
  /** @type {Set<() => void>} */
  listeners = new Set();
  scheduled = false;

  /** @param {() => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
  }

  changed() {
    if (this.scheduled) return;
    this.scheduled = true;
    const draw = () => {
      this.scheduled = false;
      for (const listener of this.listeners) listener();
    };
    // A hidden page gets no frames.
    if (document.hidden) setTimeout(draw);
    else requestAnimationFrame(draw);
  }

  /** @param {import("./types.js").Info} info */
  putInfo(info) {
    // The server's name of a demo model says so once more; here it is said in the reader's language.
    const name = info.model.name.replace(/\s*\(demo\)$/, "");
    this.info = { ...info, model: { ...info.model, name } };
    this.changed();
  }

  /**
   * Turns to a conversation (key), to one that has no key yet (draft), or to the empty page.
   * @param {string|null} key
   * @param {string|null} draft
   */
  show(key, draft) {
    this.key = key;
    this.draft = draft;
    this.title = "";
    this.phase = key === null ? "empty" : "loading";
    this.failure = "";
    this.editing = null;
    this.model = null;
    this.turns = new Map();
    this.older = null;
    this.touched = new Map();
    this.changed();
  }

  /** The conversation is no more. @param {string} key */
  forget(key) {
    this.gone.add(key);
    this.conversations = this.conversations.filter((one) => one.key !== key);
    this.search.found = this.search.found.filter((one) => one.key !== key);
    if (this.key === key) {
      this.turns = new Map();
      this.older = null;
      this.phase = "missing";
    }
    this.changed();
  }

  /** The conversation without a key got one; what is on the screen stays. @param {string} key */
  named(key) {
    this.model = null;
    this.key = key;
    this.draft = null;
    this.phase = "ready";
    this.changed();
  }

  /**
   * The newest page of the conversation. Turns that it should have and hasn't were superseded or withdrawn while nobody
   * told us, unless the stream has brought them since the page was asked for.
   * @param {string} key @param {Page} page @param {number} asked  `serial` when it was asked for
   */
  putNewest(key, page, asked) {
    if (key !== this.key) return;
    const listed = new Set(page.turns.map((turn) => turn.id));
    const oldest = page.next === null ? -Infinity : Math.min(...page.turns.map((turn) => Number(turn.id)));
    for (const id of [...this.turns.keys()]) {
      if (!listed.has(id) && Number(id) >= oldest && (this.touched.get(id) ?? 0) <= asked) this.turns.delete(id);
    }
    // A reload after a gap doesn't move the cursor that older pages have reached.
    if (this.turns.size === 0 || this.phase === "loading") this.older = page.next;
    for (const turn of page.turns) {
      // What the stream has brought meanwhile is newer than a page that was on its way, unless the turn is over there.
      if ((this.touched.get(turn.id) ?? 0) <= asked || !isLive(turn)) this.#put(turn);
    }
    this.title = page.title;
    this.phase = "ready";
    this.changed();
  }

  /** @param {string} key @param {Page} page */
  putOlder(key, page) {
    if (key !== this.key) return;
    for (const turn of page.turns) this.#put(turn);
    this.older = page.next;
    this.changed();
  }

  /** @param {string} key @param {Turn} turn */
  putTurn(key, turn) {
    if (key !== this.key) return;
    this.#put(turn);
    this.changed();
  }

  /** @param {Turn} turn */
  #put(turn) {
    const known = this.turns.get(turn.id);
    this.serial += 1;
    this.touched.set(turn.id, this.serial);
    if (!replaces(turn, known)) return;
    this.turns.set(turn.id, turn);
    const isOurs = this.pending.some((item) => turn.messages.some((message) => message.message_id === item.id));
    const wasWatched = known ? isLive(known) : isOurs;
    const asks = turn.state === "waiting" && known?.state !== "waiting";
    if (wasWatched && (asks || !isLive(turn))) this.onNews(turn);
  }

  /** The turn that Stop means: the one being answered, else the next to be. @returns {Turn|undefined} */
  stoppable() {
    const live = [...this.turns.values()]
      .filter((turn) => isLive(turn) && turn.can_stop)
      .sort((a, b) => byId(a.id, b.id));
    return live.find((turn) => turn.state !== "queued") ?? live[0];
  }

  /** @returns {boolean} */
  hasLive() {
    return [...this.turns.values()].some(isLive);
  }

  /** The turn that stands for this one, which may have been merged or asked again. @param {Turn["id"]} id */
  shownAs(id) {
    return last(id, successors([...this.turns.values()].sort((a, b) => byId(a.id, b.id))));
  }

  /** Whether a turn shows this message. @param {string} id */
  isShown(id) {
    return [...this.turns.values()].some((turn) => turn.messages.some((message) => message.message_id === id));
  }

  /** Own messages that no turn shows yet, of the conversation on the screen. @returns {Pending[]} */
  waiting() {
    const mine = this.pending.filter((item) =>
      this.key === null ? item.draft !== null && item.draft === this.draft : item.conversation === this.key,
    );
    return mine.filter((item) => !this.isShown(item.id));
  }

  /**
   * The turns as they are shown. A message stands with the turn that answers it: the newest one that has it, or the
   * one that its own turn was merged into, superseded by, or retried as.
   * @returns {Row[]}
   */
  rows() {
    const turns = [...this.turns.values()].sort((a, b) => byId(a.id, b.id));
    const next = successors(turns);
    /** @type {Map<string, Turn["id"]>} */
    const owner = new Map();
    for (const turn of turns) for (const message of turn.messages) owner.set(message.message_id, last(turn.id, next));
    /** @type {Map<Turn["id"], Message[]>} */
    const owned = new Map();
    for (const turn of turns) {
      const id = last(turn.id, next);
      owned.set(id, [
        ...(owned.get(id) ?? []),
        ...turn.messages.filter((message) => owner.get(message.message_id) === id),
      ]);
    }
    /** @type {Row[]} */
    const rows = [];
    let waits = false;
    for (const turn of turns.filter((one) => !next.has(one.id))) {
      const messages = this.#asShown(owned.get(turn.id) ?? []);
      const isGoing = isLive(turn) && messages.length > 0 && messages.every((message) => message.erased);
      const hasReply = !WITHOUT_REPLY.includes(turn.state) && !isGoing;
      const isReplaced = messages.length === 0 && turn.messages.length > 0;
      if (isReplaced || (!hasReply && messages.every((message) => message.erased))) continue;
      rows.push({ turn, messages, hasReply, waits: waits && turn.state === "queued" });
      waits ||= isLive(turn);
    }
    return rows;
  }

  /** Each message once, in the order of writing. @param {Message[]} messages @returns {Message[]} */
  #asShown(messages) {
    const found = new Map(messages.map((message) => [message.message_id, message]));
    return [...found.values()]
      .sort((a, b) => a.sent_at.localeCompare(b.sent_at))
      .map((message) => (this.deleting.has(message.message_id) ? { ...message, text: "", erased: true } : message));
  }
}
