/** A control for each value of a profile. */

import { el } from "./dom.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} root  the control, or the group of them
 * @property {() => any} read
 * @property {(value: any) => void} write
 */

/** @typedef {{language: import("./language.js").Language, profile: import("./types.js").Profile,
 *   endpoints: import("./types.js").Endpoint[]}} Facts */

const LONG = { agent_bio: 2, agent_instructions: 5 };
const CHOICES = { lang: ["auto", "en", "zh"], follow: ["addressed", "always", "mention"], answer_in: ["thread", "channel"], overlap: ["queue", "merge"] };

/**
 * @param {string} name @param {Facts} facts @param {() => void} onInput
 * @returns {Field}
 */
export function fieldOf(name, facts, onInput) {
  const { language, profile, endpoints } = facts;
  const id = `value-${name}`;
  const about = { id, "aria-describedby": `${id}-about` };
  if (name === "tool_names") return toolsField(id, facts, onInput);
  if (name === "max_iter_num") {
    const most = profile.choices.max_iter_num;
    const input = el("input", { type: "number", min: "0", max: String(most), step: "1", oninput: onInput, ...about });
    // What is no number is sent as it is: the server says what would be right.
    return plain(input, () => (input.value.trim() === "" ? "" : Number(input.value)));
  }
  if (name === "model") {
    const options = [["", language.t("picker.auto")], ...endpoints.map((one) => [one.name, modelLabel(language, one)])];
    return select(options, about, onInput);
  }
  if (name === "style") {
    const { styles } = profile.choices;
    return select(
      styles.map((style) => [style, style === "auto" ? language.t("option.auto") : style]),
      about,
      onInput,
    );
  }
  if (name === "network") {
    const options = [
      ["on", language.t("option.network.on")],
      ["off", language.t("option.network.off")],
    ];
    return select(options, about, onInput);
  }
  if (name in CHOICES) {
    const words = CHOICES[/** @type {keyof typeof CHOICES} */ (name)];
    const options = words.map((word) => [word, language.t(`option.${name}.${word}`)]);
    return select(options, about, onInput);
  }
  const rows = LONG[/** @type {keyof typeof LONG} */ (name)];
  return plain(
    rows
      ? el("textarea", { rows: String(rows), dir: "auto", oninput: onInput, ...about })
      : el("input", { type: "text", dir: "auto", oninput: onInput, ...about }),
  );
}

/** An endpoint as people know it. @param {import("./language.js").Language} language @param {import("./types.js").Endpoint} one */
export function modelLabel(language, one) {
  const model = one.model.replace(/\s*\(demo\)$/, "");
  const words = [model && model !== one.name ? `${one.name} · ${model}` : one.name];
  if (one.demo) words.push(`(${language.t("model.demo")})`);
  if (one.state !== "ok") words.push(`– ${language.t(`endpoint.state.${one.state}`)}`);
  return words.join(" ");
}

/** What a value is called where it is only read. @param {string} name @param {any} value @param {Facts} facts */
export function valueText(name, value, { language, profile, endpoints }) {
  if (value === null || value === undefined) return language.t("profile.inherited");
  if (value === "") return name === "model" ? language.t("picker.auto") : language.t("profile.empty");
  if (name === "tool_names") {
    if (value.includes("notool")) return language.t("tools.none");
    if (value.length === 0 || value.includes("auto")) return language.t("tools.all");
    const titles = new Map(profile.choices.tools.map((tool) => [tool.name, tool.title]));
    return value.map((/** @type {string} */ tool) => titles.get(tool) ?? tool).join(language.t("list.comma"));
  }
  if (name === "network") return language.t(value === "off" ? "option.network.off" : "option.network.on");
  if (name in CHOICES) return language.t(`option.${name}.${value}`);
  if (name === "style" && value === "auto") return language.t("option.auto");
  const endpoint = name === "model" && endpoints.find((one) => one.name === value);
  return endpoint ? modelLabel(language, endpoint) : String(value);
}

/**
 * @param {HTMLInputElement|HTMLTextAreaElement|HTMLSelectElement} control @param {() => any} [read]
 * @returns {Field}
 */
function plain(control, read = () => control.value) {
  return { root: control, read, write: (value) => (control.value = String(value ?? "")) };
}

/** @param {string[][]} options @param {Record<string, string>} props @param {() => void} onInput @returns {Field} */
function select(options, props, onInput) {
  const control = el(
    "select",
    { ...props, onchange: onInput },
    ...options.map(([value, text]) => el("option", { value, text })),
  );
  const write = (/** @type {any} */ value) => {
    // A value that nothing here has (an endpoint that is gone) stays choosable.
    if (![...control.options].some((option) => option.value === value))
      control.append(el("option", { value, text: value }));
    control.value = value;
  };
  return { root: control, read: () => control.value, write };
}

/** All tools, none, or some. @param {string} id @param {Facts} facts @param {() => void} onInput @returns {Field} */
function toolsField(id, { language, profile }, onInput) {
  const mode = (/** @type {"all"|"none"|"some"} */ value) =>
    el("input", { type: "radio", name: id, value, onchange: () => (show(), onInput()) });
  const modes = { all: mode("all"), none: mode("none"), some: mode("some") };
  const boxes = profile.choices.tools.map((tool) => ({
    name: tool.name,
    title: tool.title,
    box: el("input", { type: "checkbox", value: tool.name, onchange: onInput }),
  }));
  /** @type {string[]} names of tools that aren't here */
  let unknown = [];
  const list = el(
    "div",
    { class: "checks" },
    ...boxes.map(({ name, title, box }) =>
      el("label", { class: "check" }, box, el("span", { text: title }), el("code", { class: "quiet", text: name })),
    ),
  );
  const show = () => (list.hidden = !modes.some.checked);
  const root = el(
    "div",
    { role: "group", "aria-labelledby": `${id}-label`, "aria-describedby": `${id}-about` },
    ...Object.entries(modes).map(([value, input]) =>
      el("label", { class: "check" }, input, el("span", { text: language.t(`tools.${value}`) })),
    ),
    list,
  );
  const read = () => {
    if (modes.all.checked) return ["auto"];
    const chosen = boxes.filter(({ box }) => box.checked).map(({ name }) => name);
    return modes.none.checked || chosen.length + unknown.length === 0 ? ["notool"] : [...chosen, ...unknown];
  };
  const write = (/** @type {string[]} */ value) => {
    const isNone = value.includes("notool");
    const isAll = !isNone && (value.length === 0 || value.includes("auto"));
    const key = isNone ? "none" : isAll ? "all" : "some";
    modes[key].checked = true;
    const known = new Set(boxes.map(({ name }) => name));
    for (const { name, box } of boxes) box.checked = isAll || value.includes(name);
    unknown = key === "some" ? value.filter((name) => !known.has(name)) : [];
    show();
  };
  return { root, read, write };
}
