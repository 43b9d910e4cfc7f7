/** The button that chooses between the system's colours, light and dark ones. `theme.js` puts the choice into effect. */

import { byId, icon } from "./dom.js";

const KEY = "kagentbot.theme";
/** @type {("auto"|"light"|"dark")[]} */
const ORDER = ["auto", "light", "dark"];

export class Looks {
  /** @param {import("./storage.js").Shelf} shelf @param {import("./language.js").Language} language */
  constructor(shelf, language) {
    this.shelf = shelf;
    this.language = language;
    this.button = byId("theme");
    this.button.addEventListener("click", () => this.#next());
    window.addEventListener("storage", (event) => {
      if (event.key !== KEY) return;
      shelf.forget(KEY);
      this.draw();
    });
  }

  get chosen() {
    const found = this.shelf.get(KEY);
    return ORDER.includes(found) ? found : "auto";
  }

  #next() {
    const next = ORDER[(ORDER.indexOf(this.chosen) + 1) % ORDER.length];
    if (next === "auto") this.shelf.remove(KEY);
    else this.shelf.put(KEY, next);
    // For browsers that allow no storage.
    document.documentElement.dataset.chosen = next;
    document.dispatchEvent(new Event("kagentbot:theme"));
    this.draw();
  }

  draw() {
    const now = this.chosen;
    const next = ORDER[(ORDER.indexOf(now) + 1) % ORDER.length];
    const label = this.language.t("theme.label", {
      now: this.language.t(`theme.${now}`),
      next: this.language.t(`theme.${next}`),
    });
    this.button.replaceChildren(icon(`theme_${now}`));
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
  }
}
