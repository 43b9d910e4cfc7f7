"use strict";
// The viewer. Everything in the data is untrusted text: it becomes text nodes, never markup.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data");
  const texts = read("texts");
  const PAGE = 50;
  // Bits of what may be looked for: in a benchmark of each reply, in a suite of each check and of the case itself.
  const FLAGS = data.suite ? { failed: 1, undecided: 2, passed: 4 } : { unreadable: 1, wrong: 2, raised: 4 };
  const unpacked = new Map();

  const make = (tag, attributes = {}, ...inner) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...inner.filter((one) => one !== null && one !== undefined));
    return node;
  };
  const points = (score) => (100 * score).toFixed(1);

  const block = (number) => {
    if (!unpacked.has(number)) {
      const bytes = Uint8Array.from(atob(data.blocks[number]), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      unpacked.set(number, new Response(stream).text().then(JSON.parse));
    }
    return unpacked.get(number);
  };

  const viewer = (root, lang) => {
    const words = texts[lang];
    const say = (name, fields = {}) => words[name].replace(/\{(\w+)\}/g, (all, field) => fields[field] ?? all);
    const number = (name) => words[`number_${name}`] ?? name;
    const state = { found: [], page: 0, chosen: -1 };

    const select = (name, label, options) => {
      const node = make("select", { name });
      for (const [value, said] of options) node.append(make("option", { value }, said));
      node.addEventListener("change", () => refresh());
      return [node, make("label", {}, label, node)];
    };
    const any = ["", say("any")];
    const present = (place) => [...new Set(data.index.map((entry) => entry[place]))];
    // A suite's cases are all of one type.
    const [type, typeLabel] = data.suite ? [{ value: "" }, null] : select("type", say("type"), [any, ...present(0).map((one) => [one, one])]);
    const templates = data.templates.map((one, place) => [String(place), one]);
    const [template, templateLabel] = select("template", say("template"), [any, ...templates]);
    const [language, languageLabel] = select("language", say("language"), [any, ...present(3).map((one) => [one, say(one)])]);
    const [show, showLabel] = select("show", say("show"), [any, ...Object.keys(FLAGS).map((one) => [one, say(one)])]);
    const [order, orderLabel] = select("order", say("order"), [["", say("as_filed")], ["worst", say("worst")], ["best", say("best")]]);
    const search = make("input", { type: "search", name: "search", autocomplete: "off", spellcheck: "false" });
    search.addEventListener("input", () => refresh());

    const count = make("span", { role: "status" });
    const earlier = make("button", { type: "button" }, say("earlier"));
    const later = make("button", { type: "button" }, say("later"));
    const list = make("ul", { class: "list" });
    const detail = make("article", { class: "detail", tabindex: "-1" }, make("p", { class: "quiet" }, say("choose")));
    earlier.addEventListener("click", () => turn(-1));
    later.addEventListener("click", () => turn(1));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const buttons = [...list.querySelectorAll("button")];
      const next = buttons[buttons.indexOf(document.activeElement) + step];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    });

    const every = (replies) => replies.reduce((all, one) => all | one[2], 0);
    const flagsOf = (entry, looked) => {
      if (data.suite) return template.value ? every(looked) : entry[5];
      return every(looked) | (entry[5] ? FLAGS.raised : 0);
    };
    const wanted = (entry) => {
      const [kind, id, query, lang_, , , replies] = entry;
      if (type.value && kind !== type.value) return false;
      if (language.value && lang_ !== language.value) return false;
      const looked = template.value ? replies.filter((one) => String(one[0]) === template.value) : replies;
      if (template.value && !looked.length) return false;
      const flag = FLAGS[show.value];
      if (flag && !(flagsOf(entry, looked) & flag)) return false;
      const text = search.value.trim().toLowerCase();
      return !text || query.toLowerCase().includes(text) || id.toLowerCase().includes(text);
    };
    const scored = (entry) => {
      const own = template.value ? entry[6].find((one) => String(one[0]) === template.value) : undefined;
      return own ? own[1] : entry[4];
    };

    const refresh = () => {
      state.found = data.index.map((entry, place) => place).filter((place) => wanted(data.index[place]));
      const way = { worst: 1, best: -1 }[order.value];
      if (way) state.found.sort((a, b) => way * (scored(data.index[a]) - scored(data.index[b])) || a - b);
      state.page = 0;
      draw();
    };
    const turn = (step) => {
      state.page += step;
      draw();
      list.scrollTop = 0;
      list.querySelector("button")?.focus();
    };

    const draw = () => {
      const from = state.page * PAGE;
      const shown = state.found.slice(from, from + PAGE);
      list.replaceChildren(...shown.map(row));
      if (!shown.length) list.append(make("li", {}, make("p", { class: "quiet none" }, say("none"))));
      count.textContent = say("found", { n: state.found.length.toLocaleString("en"), all: data.index.length.toLocaleString("en") })
        + (state.found.length > PAGE ? ` · ${say("page", { from: from + 1, to: from + shown.length })}` : "");
      earlier.disabled = from === 0;
      later.disabled = from + PAGE >= state.found.length;
    };

    const row = (place) => {
      const entry = data.index[place];
      const bits = data.suite ? entry[5] : every(entry[6]);
      const said = Object.keys(FLAGS).filter((name) => bits & FLAGS[name]).map((name) => say(name));
      const small = data.suite ? [say(entry[3]), entry[1]] : [entry[0], ...said, entry[1]];
      const button = make("button", { type: "button", "aria-current": String(place === state.chosen) },
        make("span", { class: "query", dir: "auto" }, entry[2] || say("empty")),
        data.suite ? verdict(said[0], bits) : make("span", { class: "score" }, points(scored(entry))),
        make("span", { class: "small" }, small.join(" · ")));
      button.addEventListener("click", () => open(place));
      return make("li", {}, button);
    };

    const open = async (place) => {
      state.chosen = place;
      for (const button of list.querySelectorAll("button")) button.setAttribute("aria-current", "false");
      document.activeElement?.closest(".list button")?.setAttribute("aria-current", "true");
      let texts_;
      try {
        texts_ = (await block(Math.floor(place / data.block)))[place % data.block];
      } catch {
        detail.replaceChildren(make("p", { class: "raises" }, say("broken")));
        return;
      }
      if (state.chosen !== place) return;
      detail.replaceChildren(...(data.suite ? openedCase : opened)(data.index[place], texts_));
      detail.focus({ preventScroll: true });
      if (matchMedia("(max-width: 60rem)").matches) detail.scrollIntoView({ block: "start" });
    };

    const verdict = (said, bit) => make("span", { class: bit === 4 ? "chip good" : bit === 1 ? "chip bad" : "chip" }, said);
    const titled = (name, text) => [make("h4", {}, say(name)), make("pre", { dir: "auto", tabindex: "0" }, text || say("empty"))];
    const openedCase = (entry, item) => {
      const line = item.line ? say("line", { n: item.line }) : "";
      const parts = [
        make("h3", { dir: "auto" }, item.query || say("empty")),
        make("p", { class: "quiet" }, [entry[1], say(entry[3]), line].filter(Boolean).join(" · ")),
      ];
      if (item.error) parts.push(make("p", { class: "raises" }, say("failure", { why: item.error })));
      else if (item.reply === null) parts.push(make("h4", {}, say("reply")), make("p", { class: "quiet" }, say("no_reply")));
      else parts.push(...titled("reply", item.reply));
      parts.push(make("h4", {}, say("checks")));
      item.checks.forEach((check, at) => {
        const inner = make("div", {}, check.why[lang] ? make("p", { dir: "auto" }, check.why[lang]) : null, pairs(check.wanted));
        const isOpen = FLAGS[check.outcome] !== FLAGS.passed || item.checks.length < 2;
        parts.push(make("details", { class: "template", open: isOpen },
          make("summary", {}, make("strong", {}, check.kind), verdict(say(check.outcome), FLAGS[check.outcome])), inner));
      });
      if (item.notes) parts.push(...titled("notes", item.notes));
      if (item.prompt) parts.push(make("details", { class: "more" }, make("summary", {}, say("prompt")), make("pre", { dir: "auto", tabindex: "0" }, item.prompt)));
      return parts;
    };

    const opened = (entry, item) => {
      const line = item.line ? say("line", { n: item.line }) : "";
      const parts = [
        make("h3", { dir: "auto" }, item.query || say("empty")),
        make("p", { class: "quiet" }, [entry[0], entry[1], say(entry[3]), line].filter(Boolean).join(" · ")),
      ];
      if (item.raises) parts.push(make("p", { class: "raises" }, say("raises", { why: item.raises })));
      // What was looked for is what is open.
      const flag = FLAGS[show.value] ?? 0;
      const asked = item.replies.findIndex((one, at) =>
        (!template.value || one.template === data.templates[template.value]) && (!flag || entry[6][at][2] & flag));
      const first = Math.max(asked, 0);
      item.replies.forEach((reply, at) => parts.push(reply_(reply, item, entry[6][at][2], at === first)));
      const goldens = make("ol");
      for (const golden of item.goldens) goldens.append(make("li", {}, pairs(golden)));
      if (item.more) goldens.append(make("li", {}, say("more", { n: item.more })));
      parts.push(make("details", { class: "more", open: item.replies.length < 2 },
        make("summary", {}, say("goldens", { n: item.goldens.length + item.more })), goldens));
      return parts;
    };

    const reply_ = (reply, item, flags, isOpen) => {
      const chips = [];
      item.metrics.forEach((metric, at) => {
        if (reply.scores[at] !== null) chips.push(make("span", { class: "chip" }, `${number(metric)} ${points(reply.scores[at])}`));
      });
      if (flags & FLAGS.unreadable) chips.push(make("span", { class: "chip bad" }, say("unreadable")));
      else if (flags & FLAGS.wrong) chips.push(make("span", { class: "chip bad" }, say("wrong")));
      else if (reply.parsed) chips.push(make("span", { class: "chip good" }, say("right")));
      const inner = make("div");
      if (reply.raises) inner.append(make("p", { class: "raises" }, say("raises", { why: reply.raises })));
      inner.append(make("h4", {}, say("reply")));
      if (reply.reply === null) inner.append(make("p", { class: "quiet" }, say("no_reply")));
      else inner.append(make("pre", { dir: "auto", tabindex: "0" }, reply.reply || say("empty")));
      if (reply.parsed) {
        const names = [say("thought"), say("tool"), say("args")];
        inner.append(make("h4", {}, say("read")), pairs(reply.parsed.map((value, at) => [names[at], value])));
      }
      if (reply.prompt) {
        inner.append(make("details", { class: "more" }, make("summary", {}, say("prompt")), make("pre", { dir: "auto", tabindex: "0" }, reply.prompt)));
      }
      return make("details", { class: "template", open: isOpen }, make("summary", {}, make("strong", {}, reply.template), ...chips), inner);
    };

    const pairs = (rows) => {
      const node = make("dl");
      for (const [name, value] of rows) node.append(make("dt", {}, name), make("dd", { dir: "auto" }, value || say("empty")));
      return node;
    };

    root.append(
      make("div", { class: "filters" }, ...[typeLabel, templateLabel, languageLabel, showLabel, orderLabel].filter(Boolean),
        make("label", { class: "grow" }, say("search"), search)),
      make("div", { class: "two" },
        make("div", {}, make("div", { class: "pager" }, earlier, count, later), list), detail));
    refresh();
  };

  for (const main of document.querySelectorAll("main")) {
    const root = main.querySelector(".viewer");
    if (root) viewer(root, main.dataset.lang);
    main.querySelector(".switch").addEventListener("click", () => {
      for (const one of document.querySelectorAll("main")) one.hidden = one === main;
      const other = document.querySelector("main:not([hidden])");
      document.documentElement.lang = other.lang;
      scrollTo(0, 0);
      other.querySelector(".switch").focus();
    });
  }
})();
