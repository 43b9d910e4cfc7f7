/** The chosen language: texts, dates and numbers. */

import { texts } from "./texts.js";

/** @typedef {"en"|"zh"} Lang */

const DAY_MS = 86_400_000;

/**
 * The first of the browser's languages that we speak; English otherwise.
 * @param {readonly string[]} wanted
 * @returns {Lang}
 */
export function choose(wanted) {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** Fills `{name}` and `{n|one|other}`. @param {string} text @param {Record<string, string|number>} values */
export function fill(text, values) {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name, one, other) => {
    if (!(name in values)) return whole;
    if (one === undefined) return String(values[name]);
    return values[name] === 1 ? one : other;
  });
}

export class Language {
  /** @param {Lang} lang @param {{en: Record<string, string>, zh: Record<string, string>}} [catalogue] */
  constructor(lang, catalogue = texts) {
    this.lang = lang;
    this.catalogue = catalogue;
    this.formats = formatsOf(lang);
  }

  /** @param {Lang} lang */
  set(lang) {
    this.lang = lang;
    this.formats = formatsOf(lang);
  }

  /** For `lang` attributes and the server. */
  get tag() {
    return this.lang === "zh" ? "zh-CN" : "en";
  }

  /** @param {string} key @param {Record<string, string|number>} [values] */
  t(key, values = {}) {
    return fill(this.catalogue[this.lang][key], values);
  }

  /** A message's time: the hour today, with the date otherwise. @param {string} at */
  when(at) {
    const date = new Date(at);
    return (dayNumber(date) === dayNumber(new Date()) ? this.formats.time : this.formats.date).format(date);
  }

  /** @param {string} at */
  whenExactly(at) {
    return this.formats.full.format(new Date(at));
  }

  /** @param {number} value */
  count(value) {
    return this.formats.number.format(value);
  }

  /** With one digit after the point below ten. @param {number} value */
  decimal(value) {
    return value < 10 ? this.formats.decimal.format(value) : this.formats.number.format(Math.round(value));
  }

  /** The heading under which a conversation is listed. @param {string} at */
  period(at) {
    const date = new Date(at);
    const age = dayNumber(new Date()) - dayNumber(date);
    if (age <= 0) return this.t("day.today");
    if (age === 1) return this.t("day.yesterday");
    if (age < 7) return this.t("day.week");
    return this.formats.month.format(date);
  }
}

/** @param {Lang} lang */
function formatsOf(lang) {
  // English speakers keep the date order of their own region.
  const tag = navigator.languages.find((one) => one.toLowerCase().startsWith(lang)) ?? (lang === "zh" ? "zh-CN" : "en");
  return {
    time: new Intl.DateTimeFormat(tag, { hour: "numeric", minute: "2-digit" }),
    date: new Intl.DateTimeFormat(tag, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }),
    full: new Intl.DateTimeFormat(tag, { dateStyle: "full", timeStyle: "short" }),
    month: new Intl.DateTimeFormat(tag, { month: "long", year: "numeric" }),
    number: new Intl.NumberFormat(tag),
    decimal: new Intl.NumberFormat(tag, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  };
}

/** Days since some fixed midnight, in local time. @param {Date} date */
function dayNumber(date) {
  return Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / DAY_MS);
}
