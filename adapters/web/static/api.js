/** The JSON API, one method per request. Errors are `ApiError` (the server said no) or `NoAnswer` (nobody did). */

/** @typedef {import("./types.js").Turn} Turn */

const BASE = "/api/v1";
const LOGIN = "/login";
const TIMEOUT_MS = 20_000;
/** Statuses that a proxy gives in the name of a server that isn't there. */
const GATEWAY = [502, 504];

/** The server answered, with an error. `message` is one sentence for people, or "" when it sent none. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {number|null} retryAfter seconds */
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
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
    return this.#json("GET", "/info");
  }

  /**
   * @param {string|null} before
   * @returns {Promise<{conversations: import("./types.js").Conversation[], next: string|null}>}
   */
  conversations(before = null) {
    return this.#json(
      "GET",
      `/conversations?limit=50${before === null ? "" : `&before=${encodeURIComponent(before)}`}`,
    );
  }

  /**
   * @param {string} key
   * @param {string|number|null} before
   * @returns {Promise<{key: string, title: string, turns: Turn[], next: string|number|null}>}
   */
  conversation(key, before = null) {
    const page = before === null ? "" : `&before=${encodeURIComponent(before)}`;
    return this.#json("GET", `/conversations/${encodeURIComponent(key)}?limit=50${page}`);
  }

  /**
   * @param {string|null} conversation
   * @param {string} id
   * @param {string} text
   * @returns {Promise<{conversation: string, turn_id: Turn["id"], duplicate: boolean}>}
   */
  send(conversation, id, text) {
    return this.#json("POST", "/messages", { conversation, message_id: id, text });
  }

  /** @param {string} key @param {string} id @param {string} text */
  edit(key, id, text) {
    return this.#json("PUT", `/conversations/${encodeURIComponent(key)}/messages/${encodeURIComponent(id)}`, { text });
  }

  /** Also works while the page is being closed. @param {string} key @param {string} id */
  remove(key, id) {
    return this.#json(
      "DELETE",
      `/conversations/${encodeURIComponent(key)}/messages/${encodeURIComponent(id)}`,
      undefined,
      true,
    );
  }

  /** @param {Turn["id"]} id */
  stop(id) {
    return this.#json("POST", `/turns/${id}/stop`, {});
  }

  /** @param {Turn["id"]} id */
  retry(id) {
    return this.#json("POST", `/turns/${id}/retry`, {});
  }

  /** @param {Turn["id"]} id @param {1|-1|0} value */
  feedback(id, value) {
    return this.#json("POST", `/turns/${id}/feedback`, { value });
  }

  /** @param {Turn["id"]} id @param {string} key @param {boolean} allow */
  consent(id, key, allow) {
    return this.#json("POST", `/turns/${id}/consent`, { key, allow });
  }

  /** Exchanges the token for a cookie; the page itself never keeps it. @param {string} token */
  login(token) {
    return this.#json("POST", LOGIN, { token });
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
   * @param {boolean} [keepalive]
   * @returns {Promise<any>}
   */
  async #json(method, path, body, keepalive = false) {
    /** @type {RequestInit} */
    const init = { signal: AbortSignal.timeout(TIMEOUT_MS), keepalive };
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
  try {
    ({ code, message } = (await response.json()).error);
  } catch {
    // Not ours: a proxy's page, or a body limit that was hit before our code.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, code, message, Number.isFinite(wait) && wait > 0 ? wait : null);
}
