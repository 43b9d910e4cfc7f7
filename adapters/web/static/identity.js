/** The agent's name and icon at the top of the page: those of the profile that holds here. */

import { byId, el, setText } from "./dom.js";

export class Identity {
  /** @param {import("./message.js").Context} context @param {() => void} onOpen */
  constructor(context, onOpen) {
    this.context = context;
    this.button = byId("agent");
    this.button.addEventListener("click", onOpen);
    this.drawn = "";
  }

  get name() {
    const { store } = this.context;
    return store.profile?.agent_name || store.info?.name || "kagentbot";
  }

  draw() {
    const { store, language } = this.context;
    const icon = store.profile?.icon ?? "";
    const look = JSON.stringify([this.name, icon, language.lang]);
    if (look === this.drawn) return;
    this.drawn = look;
    for (const place of document.querySelectorAll("[data-agent-icon]")) place.replaceChildren(iconOf(icon));
    for (const place of document.querySelectorAll("[data-agent-name]")) setText(place, this.name);
    const label = language.t("profile.open", { name: this.name });
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
  }
}

/** An emoji, or our own picture: one from elsewhere would tell its server who looks at this page. @param {string} icon */
function iconOf(icon) {
  if (icon === "" || icon.startsWith("https:"))
    return el("img", { src: "/static/icon.svg", alt: "", width: "26", height: "26" });
  return el("span", { class: "emoji", "aria-hidden": "true", text: icon });
}
