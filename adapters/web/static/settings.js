/** Who answers in the conversation on the screen, and with which model: loading it, choosing, saving. */

import { ApiError } from "./api.js";

/** @typedef {"workspace"|"channel"} Scope */

/** A live test of an endpoint may take 20 s on the server. */
const TEST_MS = 45_000;

export class PageSettings {
  /** @param {import("./api.js").Api} api @param {import("./store.js").Store} store */
  constructor(api, store) {
    this.api = api;
    this.store = store;
    this.asked = 0;
  }

  /** Loads the effective profile and the endpoints; what fails shows elsewhere. */
  async load() {
    const { store } = this;
    this.asked += 1;
    const asked = this.asked;
    const [profile, endpoints] = await Promise.all([
      this.profile(store.key).catch(() => null),
      this.endpoints().catch(() => null),
    ]);
    if (asked !== this.asked) return;
    if (profile) store.profile = profile;
    if (endpoints) store.endpoints = endpoints;
    store.changed();
  }

  /** @param {string|null} key @returns {Promise<import("./types.js").Profile>} */
  profile(key) {
    return this.api.call("GET", `/profile${query({ conversation: key })}`);
  }

  // --- What is set at one place ----------------------------------------------------------------------------------

  /** @param {Scope} scope @param {string|null} key @returns {Promise<import("./types.js").ScopeProfile>} */
  scope(scope, key) {
    return this.api.call("GET", path(scope, key));
  }

  /**
   * @param {Scope} scope @param {string|null} key @param {Record<string, unknown>} values @param {number} basedOn
   * @returns {Promise<import("./types.js").ScopeProfile>}
   */
  async save(scope, key, values, basedOn) {
    const saved = await this.api.call("PUT", path(scope, key), { values, based_on: basedOn });
    void this.load();
    return saved;
  }

  /**
   * @param {Scope} scope @param {string|null} key @param {number|null} [before]
   * @returns {Promise<{versions: import("./types.js").Version[], next: number|null}>}
   */
  versions(scope, key, before = null) {
    return this.api.call("GET", path(scope, key, "/versions", { before }));
  }

  /**
   * @param {Scope} scope @param {string|null} key @param {number} a @param {number} b
   * @returns {Promise<{differences: {name: string, before: unknown, after: unknown}[]}>}
   */
  compare(scope, key, a, b) {
    return this.api.call("GET", path(scope, key, "/compare", { a, b }));
  }

  /** @param {Scope} scope @param {string|null} key @param {number} version */
  async restore(scope, key, version) {
    const restored = await this.api.call("POST", path(scope, key, "/restore"), { version });
    void this.load();
    return restored;
  }

  // --- Models ----------------------------------------------------------------------------------------------------

  /** Asks this model first in the conversation on the screen; "": in the server's own order. @param {string} model */
  async choose(model) {
    const { store } = this;
    if (store.key === null) {
      store.model = model;
      store.changed();
      return;
    }
    const key = store.key;
    // Somebody may have saved in between; what they have set stays.
    for (let tries = 0; ; tries += 1) {
      const { values, version } = await this.scope("channel", key);
      try {
        await this.save("channel", key, { ...values, model }, version);
        return;
      } catch (error) {
        if (tries > 0 || !(error instanceof ApiError && error.status === 409)) throw error;
      }
    }
  }

  /** @returns {Promise<import("./types.js").Endpoint[]>} */
  async endpoints() {
    return (await this.api.call("GET", "/endpoints")).endpoints;
  }

  /**
   * @param {Record<string, unknown>} draft
   * @returns {Promise<{lines: {name: string, state: "ok"|"warning"|"error", text: string}[], models: string[], ok: boolean}>}
   */
  test(draft) {
    return this.api.call("POST", "/endpoints/test", draft, { timeout: TEST_MS });
  }

  /** @param {string} name @param {Record<string, unknown>} draft */
  async saveEndpoint(name, draft) {
    await this.api.call("PUT", endpointPath(name), draft);
    await this.load();
  }

  /** @param {string} name */
  async removeEndpoint(name) {
    await this.api.call("DELETE", endpointPath(name));
    await this.load();
  }

  /** @param {string} name */
  async restoreEndpoint(name) {
    await this.api.call("POST", `${endpointPath(name)}/restore`, {});
    await this.load();
  }
}

/** @param {string} name */
function endpointPath(name) {
  return `/endpoints/${encodeURIComponent(name)}`;
}

/** @param {Scope} scope @param {string|null} key @param {string} [end] @param {Record<string, unknown>} [more] */
function path(scope, key, end = "", more = {}) {
  return `/profile/${scope}${end}${query({ conversation: scope === "channel" ? key : null, ...more })}`;
}

/** @param {Record<string, unknown>} values  null is left out */
function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
