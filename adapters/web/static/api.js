/** The JSON API, one method per request. Errors are `ApiError` (the server said no) or `NoAnswer` (nobody did). */

/** @typedef {import("./types.js").Turn} Turn */

const BASE = "/api/v1";
const LOGIN = "/login";
const TIMEOUT_MS = 20_000;
/** Statuses that a proxy gives in the name of a server that isn't there. */
const GATEWAY = [502, 504];

/** The server answered, with an error. `message` is one sentence for people, or "" when it sent none. */
export class ApiError extends Error {
  /**
   * @param {number} status @param {string} code @param {string} message @param {number|null} retryAfter  seconds
   * @param {string} field  name of the value that is wrong
   */
  constructor(status, code, message, retryAfter = null, field = "") {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.field = field;
  }
}

/** No answer came: the server is down, or the connection broke. What was asked may or may not have happened. */
export class NoAnswer extends Error {}

/** Whether asking again later may help. @param {unknown} error */
export function isPassing(error) {
  if (error instanceof NoAnswer) return true;
  return error instanceof ApiError && (error.status === 503 || error.status === 429 || GATEWAY.includes(error.status));
}

export class Api {
  /**
   * @param {object} hooks
   * @param {() => string} hooks.language  the language of error sentences
   * @param {(reached: boolean) => void} hooks.onReach  told after each request whether the server answered at all
   * @param {() => void} hooks.onTokenNeeded  told when it answered 401
   */
  constructor({ language, onReach, onTokenNeeded }) {
    this.language = language;
    this.onReach = onReach;
    this.onTokenNeeded = onTokenNeeded;
  }

  /** @returns {Promise<import("./types.js").Info>} */
  info() {
    return this.call("GET", "/info");
  }

  /**
   * @param {string|null} before
   * @param {string} [words]  looks for these
   * @returns {Promise<{conversations: import("./types.js").Conversation[], next: string|null}>}
   */
  conversations(before = null, words = "") {
    const search = words ? `&q=${encodeURIComponent(words)}` : "";
    return this.call(
      "GET",
      `/conversations?limit=50${search}${before === null ? "" : `&before=${encodeURIComponent(before)}`}`,
    );
  }

  /**
   * @param {string} key
   * @param {string|number|null} before
   * @returns {Promise<{key: string, title: string, turns: Turn[], next: string|number|null}>}
   */
  conversation(key, before = null) {
    const page = before === null ? "" : `&before=${encodeURIComponent(before)}`;
    return this.call("GET", `/conversations/${encodeURIComponent(key)}?limit=50${page}`);
  }

  /**
   * @param {string|null} conversation
   * @param {string} id
   * @param {string} text
   * @param {string|null} [model]  what a conversation that begins shall ask first
   * @returns {Promise<{conversation: string, turn_id: Turn["id"], duplicate: boolean}>}
   */
  send(conversation, id, text, model = null) {
    return this.call("POST", "/messages", { conversation, message_id: id, text, ...(model ? { model } : {}) });
  }

  /** @param {string} key @param {string} id @param {string} text */
  edit(key, id, text) {
    return this.call("PUT", `/conversations/${encodeURIComponent(key)}/messages/${encodeURIComponent(id)}`, { text });
  }

  /** Also works while the page is being closed. @param {string} key @param {string} id */
  remove(key, id) {
    return this.call("DELETE", `/conversations/${encodeURIComponent(key)}/messages/${encodeURIComponent(id)}`, undefined, {
      keepalive: true,
    });
  }

  /** Also works while the page is being closed. @param {string} key */
  removeConversation(key) {
    return this.call("DELETE", `/conversations/${encodeURIComponent(key)}`, undefined, { keepalive: true });
  }

  /** @param {Turn["id"]} id @returns {Promise<import("./types.js").Trace>} */
  trace(id) {
    return this.call("GET", `/turns/${id}/trace`);
  }

  /** The address of a conversation as a file. @param {string} key @param {"markdown"|"json"} format */
  exportAddress(key, format) {
    const lang = this.language().startsWith("zh") ? "zh" : "en";
    return `${BASE}/conversations/${encodeURIComponent(key)}/export?format=${format}&lang=${lang}`;
  }

  /** @param {Turn["id"]} id */
  stop(id) {
    return this.call("POST", `/turns/${id}/stop`, {});
  }

  /** @param {Turn["id"]} id */
  retry(id) {
    return this.call("POST", `/turns/${id}/retry`, {});
  }

  /** @param {Turn["id"]} id @param {1|-1|0} value */
  feedback(id, value) {
    return this.call("POST", `/turns/${id}/feedback`, { value });
  }

  /** @param {Turn["id"]} id @param {string} key @param {boolean} allow */
  consent(id, key, allow) {
    return this.call("POST", `/turns/${id}/consent`, { key, allow });
  }

  /** Exchanges the token for a cookie; the page itself never keeps it. @param {string} token */
  login(token) {
    return this.call("POST", LOGIN, { token });
  }

  /** The stream of a conversation's turns. @param {string} key @param {AbortSignal} signal */
  events(key, signal) {
    return this.#request("GET", `/conversations/${encodeURIComponent(key)}/events`, {
      signal,
      headers: { Accept: "text/event-stream" },
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{keepalive?: boolean, timeout?: number}} [options]  milliseconds
   * @returns {Promise<any>}
   */
  async call(method, path, body, { keepalive = false, timeout = TIMEOUT_MS } = {}) {
    /** @type {RequestInit} */
    const init = { signal: AbortSignal.timeout(timeout), keepalive };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.#request(method, path, init);
    try {
      const text = await response.text();
      return text ? JSON.parse(text) : null;
    } catch {
      // The connection broke in mid-answer.
      throw new NoAnswer();
    }
  }

  /** @param {string} method @param {string} path @param {RequestInit} init @returns {Promise<Response>} */
  async #request(method, path, init) {
    /** @type {Record<string, string>} */
    const headers = { "Accept-Language": this.language(), .../** @type {Record<string, string>} */ (init.headers) };
    if (init.body !== undefined) headers["Content-Type"] = "application/json";
    // A header that no other site's page can send without asking first, and it is never allowed to.
    if (method !== "GET") headers["X-Kagentbot"] = "1";
    let response;
    try {
      response = await fetch(path === LOGIN ? LOGIN : BASE + path, {
        ...init,
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      this.onReach(false);
      throw new NoAnswer();
    }
    this.onReach(!GATEWAY.includes(response.status));
    if (response.ok) return response;
    if (response.status === 401 && path !== LOGIN) this.onTokenNeeded();
    throw await errorOf(response);
  }
}

/** @param {Response} response */
async function errorOf(response) {
  let code = "";
  let message = "";
  let field = "";
  try {
    ({ code, message, field = "" } = (await response.json()).error);
  } catch {
    // Not ours: a proxy's page, or a body limit that was hit before our code.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, code, message, Number.isFinite(wait) && wait > 0 ? wait : null, field);
}
