/** Making elements without a framework. Nothing here takes HTML: texts are text. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]  `class`, `text`, listeners (`onclick`); the rest are attributes, unless null or false
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/** Line drawings on a 24 x 24 grid. */
const DRAWINGS = {
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h10",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V6M6 11.5 12 5.5l6 6",
  up: "M7.5 11v8.5H4.2V11zM7.5 11l3.7-6.6c1.5 0 2.4 1 2.4 2.4V10h4.6c1.2 0 2 1.1 1.8 2.2l-1.1 5.7c-.2 1-1 1.6-1.9 1.6H7.5",
  down: "M16.5 13V4.5h3.3V13zM16.5 13l-3.7 6.6c-1.5 0-2.4-1-2.4-2.4V14H5.8c-1.2 0-2-1.1-1.8-2.2l1.1-5.7c.2-1 1-1.6 1.9-1.6h9.5",
  copy: "M9 9.5C9 8.7 9.7 8 10.5 8h7c.8 0 1.5.7 1.5 1.5v9c0 .8-.7 1.5-1.5 1.5h-7C9.7 20 9 19.3 9 18.5zM15 8V5.5C15 4.7 14.3 4 13.5 4h-7C5.7 4 5 4.7 5 5.5v9c0 .8.7 1.5 1.5 1.5H9",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9M19.5 4.5V9H15",
  pencil: "M4.5 19.5l.9-4L15.9 5a1.8 1.8 0 0 1 2.5 0l.6.6a1.8 1.8 0 0 1 0 2.5L8.5 18.6zM14 7l3 3",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.2 10.5l.3 6M13.8 10.5l-.3 6",
  jump: "M12 5v13M6 12.5l6 6 6-6",
  chevron: "M9 6l6 6-6 6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3L20 20",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  details: "M5 6.5h2M10.5 6.5H19M5 12h2M10.5 12H19M5 17.5h2M10.5 17.5H19",
  theme_auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  theme_light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.8v1.7M12 19.5v1.7M2.8 12h1.7M19.5 12h1.7M5.5 5.5l1.2 1.2M17.3 17.3l1.2 1.2M5.5 18.5l1.2-1.2M17.3 6.7l1.2-1.2",
  theme_dark: "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z",
  warning: "M12 4.5L21 19.5H3zM12 10v4.2M12 16.9h.01",
};
const STOP_SQUARE = { x: "7", y: "7", width: "10", height: "10", rx: "2" };
const SVG = "http://www.w3.org/2000/svg";

/** @param {keyof typeof DRAWINGS | "stop"} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, name === "stop" ? "rect" : "path");
  if (name === "stop") for (const [key, value] of Object.entries(STOP_SQUARE)) shape.setAttribute(key, value);
  else shape.setAttribute("d", DRAWINGS[name]);
  if (name === "stop") shape.setAttribute("class", "filled");
  svg.append(shape);
  return svg;
}

/**
 * A button that shows only an icon.
 * @param {keyof typeof DRAWINGS | "stop"} name
 * @param {string} label
 * @param {(event: Event) => void} onclick
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, label, onclick, props = {}) {
  return el(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}

/** @template {HTMLElement} T @param {string} id @returns {T} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element #${id}`);
  return /** @type {T} */ (node);
}

/**
 * Sets text only when it differs, so that a screen reader isn't told twice.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes `parent` hold exactly `children`, in order, moving only what is out of place.
 * @param {Element} parent
 * @param {Node[]} children
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/**
 * Copies text; also where the clipboard API is missing (plain http beyond localhost).
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }
  const area = el("textarea", { class: "sr", "aria-hidden": "true", tabindex: "-1" });
  const before = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  // Deprecated, and the only way in an insecure context.
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
