/**
 * Follows a conversation's event stream for as long as it is shown. The stream is level-triggered: after any gap, the
 * server sends complete pictures again, so reconnecting is all there is to do.
 *
 * `EventSource` would hide the status of a refused connection and choose its own pauses; hence fetch.
 */

import { ApiError } from "./api.js";
import { Pause, backOff } from "./pause.js";

/** The server pings every 15 s; a connection this long silent is dead, whatever the socket says. */
const SILENCE_MS = 40_000;
/** A connection that lasted this long was a good one: the next reconnect is immediate again. */
const GOOD_MS = 5_000;

export class Stream {
  /**
   * @param {import("./api.js").Api} api
   * @param {object} hooks
   * @param {(key: string) => void} hooks.onOpen  connected: load what may have been missed
   * @param {(key: string, turn: import("./types.js").Turn) => void} hooks.onTurn
   * @param {(key: string) => void} hooks.onGone  the conversation was deleted
   */
  constructor(api, { onOpen, onTurn, onGone }) {
    this.api = api;
    this.onOpen = onOpen;
    this.onTurn = onTurn;
    this.onGone = onGone;
    this.pause = new Pause();
    /** @type {string|null} */
    this.key = null;
    this.abort = new AbortController();
  }

  /** @param {string} key */
  start(key) {
    if (this.key === key) return;
    this.stop();
    this.key = key;
    this.abort = new AbortController();
    void this.#follow(key, this.abort.signal);
  }

  stop() {
    this.key = null;
    this.abort.abort();
    this.pause.end();
  }

  /** Try now instead of after the rest of the pause. */
  wake() {
    this.pause.end();
  }

  /** @param {string} key @param {AbortSignal} signal */
  async #follow(key, signal) {
    for (let tries = 0; !signal.aborted; tries += 1) {
      const began = performance.now();
      let status = 0;
      try {
        await this.#connect(key, signal);
      } catch (error) {
        if (error instanceof ApiError) status = error.status;
      }
      if (signal.aborted || status === 404) return;
      if (performance.now() - began > GOOD_MS) tries = 0;
      // Without the token, asking again is pointless until somebody has signed in.
      await this.pause.wait(status === 401 ? Infinity : backOff(tries));
    }
  }

  /** One connection, until it ends. @param {string} key @param {AbortSignal} signal */
  async #connect(key, signal) {
    const connection = new AbortController();
    const stop = () => connection.abort();
    signal.addEventListener("abort", stop);
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      const response = await this.api.events(key, connection.signal);
      if (!response.body) return;
      this.onOpen(key);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || signal.aborted) return;
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
        for (const event of parser.push(value)) {
          if (event.type === "turn") this.onTurn(key, JSON.parse(event.data));
          if (event.type === "gone") this.onGone(key);
        }
      }
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      connection.abort();
    }
  }
}

/** Cuts a text/event-stream into events (WHATWG HTML, section 9.2.6; without ids and retry, which we don't use). */
export class EventParser {
  constructor() {
    this.rest = "";
    this.type = "";
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {string} text @returns {{type: string, data: string}[]} */
  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    const events = [];
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) events.push({ type: this.type || "message", data: this.data.join("\n") });
        this.type = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") this.type = value;
      if (field === "data") this.data.push(value);
    }
    return events;
  }
}
