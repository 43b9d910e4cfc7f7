/** The empty page: a greeting, questions to try, and what kind of model is behind it. */

import { el } from "./dom.js";

/** The setting that names another model's address. */
const MODEL_SETTING = "OPENAI_BASE_URL";

/** @param {import("./message.js").Context} context @returns {HTMLElement} */
export function welcome({ store, language, actions }) {
  const { info } = store;
  const root = el(
    "section",
    { class: "welcome" },
    el("h2", { text: language.t("welcome.title") }),
    el("p", { class: "lead", text: language.t("welcome.text") }),
  );
  if (!info) return root;
  const own = info.offered_questions.filter((question) => question.lang === language.lang);
  const others = info.offered_questions.filter((question) => question.lang !== language.lang);
  const buttons = [...own, ...others].map((question) =>
    el(
      "li",
      {},
      el(
        "button",
        { type: "button", lang: question.lang, onclick: () => actions.send(question.text) },
        el("span", { text: question.text }),
      ),
    ),
  );
  if (buttons.length)
    root.append(el("ul", { class: "offers", "aria-label": language.t("welcome.offers") }, ...buttons));
  if (info.model.demo) {
    const [before, after] = language.t("welcome.demo", { model: info.model.name }).split("{setting}");
    root.append(el("p", { class: "fine" }, before, el("code", { text: MODEL_SETTING }), after));
  }
  return root;
}
