// What the accessibility tests measure in the page. Each function returns a list of complaints.

() => {
  const visible = (node) => {
    const box = node.getBoundingClientRect();
    return (
      box.width > 1 &&
      box.height > 1 &&
      node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
      !node.closest("[inert]")
    );
  };
  const nameOf = (node) => {
    const tag = node.id ? `#${node.id}` : `${node.tagName.toLowerCase()}.${[...node.classList].join(".")}`;
    return `${tag} "${(node.textContent ?? "").trim().slice(0, 40)}"`;
  };

  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const rgba = (text) => {
    if (seen.has(text)) return seen.get(text);
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    seen.set(text, [r, g, b, a / 255]);
    return seen.get(text);
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, at) => value * a + below[at] * (1 - a));
  const background = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };

  const controls = () =>
    [...document.querySelectorAll("button, a[href], textarea, input, select, summary, [tabindex='0']")].filter(
      (node) => visible(node) && !node.disabled,
    );

  return {
    // WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large text.
    contrast: () => {
      const found = new Set();
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (!text.textContent.trim() || !visible(node) || node.closest(".sr, button:disabled")) continue;
        const style = getComputedStyle(node);
        const size = parseFloat(style.fontSize);
        const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
        const below = background(node);
        const ratio = contrast(over(rgba(style.color), below), below);
        if (ratio < needed) found.add(`${nameOf(node)}: ${ratio.toFixed(2)}`);
      }
      return [...found];
    },
    // Links inside running text are exempt, as in WCAG 2.2, 2.5.8.
    targets: (least) =>
      controls()
        .filter((node) => !node.matches(".prose a, .sources a, .scroller, .scroll, .result"))
        // A box that is ticked is as large as the label around it.
        .map((node) => (node.matches("[type='radio'], [type='checkbox']") ? (node.closest("label") ?? node) : node))
        .filter((node) => {
          const box = node.getBoundingClientRect();
          return box.width < least || box.height < least;
        })
        .map(
          (node) =>
            `${nameOf(node)}: ${Math.round(node.getBoundingClientRect().width)}x${Math.round(node.getBoundingClientRect().height)}`,
        ),
    names: () =>
      controls()
        .filter((node) => {
          const labels = [...(node.labels ?? [])].map((label) => label.textContent).join("");
          return !(node.getAttribute("aria-label") || labels || node.textContent).trim();
        })
        .map(nameOf),
    references: () =>
      ["aria-controls", "aria-describedby", "aria-labelledby", "for"].flatMap((name) =>
        [...document.querySelectorAll(`[${name}]`)]
          .filter(
            (node) =>
              !node
                .getAttribute(name)
                .split(" ")
                .every((id) => document.getElementById(id)),
          )
          .map((node) => `${name} of ${nameOf(node)}`),
      ),
    ids: () => {
      const all = [...document.querySelectorAll("[id]")].map((node) => node.id);
      return all.filter((id, at) => all.indexOf(id) !== at);
    },
    order: () => controls().map(nameOf),
    // The message box shows its focus by the colour of its frame, the search box by its frame's outline, everything
    // else by an outline of its own.
    focused: () => {
      const node = document.activeElement;
      const style = getComputedStyle(node.matches("[type='search']") ? node.parentElement : node);
      const frame = node.closest(".composer");
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      return {
        name: nameOf(node),
        marked: outlined || (frame !== null && node.matches("textarea")),
        frame: frame && getComputedStyle(frame).borderTopColor,
      };
    },
  };
};
