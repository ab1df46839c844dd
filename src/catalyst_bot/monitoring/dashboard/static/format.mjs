// How numbers, times and words look, in one place.

import { el } from "./dom.mjs";

const MINUS = "−";
const NONE = "–";

const plain = (digits) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const DIGITS = [0, 1, 2, 3, 4].map(plain);
const QUANTITY = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });
const isMissing = (value) => value === null || value === undefined || value === "" || Number.isNaN(Number(value));

function signed(number, text, wantsSign) {
  if (number < 0) return MINUS + text;
  return wantsSign && number > 0 ? "+" + text : text;
}

/** "$1,234.50"; with `sign` also "+$…". */
export function money(value, { sign = false, digits = 2 } = {}) {
  if (isMissing(value)) return NONE;
  const rounded = Number(Number(value).toFixed(digits));
  return signed(rounded, "$" + DIGITS[digits].format(Math.abs(rounded)), sign);
}

/** A price; cents, and finer below a dollar. */
export function price(value) {
  if (isMissing(value)) return NONE;
  return DIGITS[Math.abs(Number(value)) < 1 ? 4 : 2].format(Number(value));
}

/** "12.3 %" of a fraction. */
export function percent(fraction, { sign = false, digits = 2 } = {}) {
  if (isMissing(fraction)) return NONE;
  const rounded = Number((Number(fraction) * 100).toFixed(digits));
  return signed(rounded, DIGITS[digits].format(Math.abs(rounded)) + " %", sign);
}

export const quantity = (value) => (isMissing(value) ? NONE : QUANTITY.format(Number(value)));
export const decimal = (value, digits = 2) => (isMissing(value) ? NONE : DIGITS[digits].format(Number(value)));

/** ▲ ▼ and a tone: the sign is never told by colour alone. */
export const arrow = (value) => (Number(value) > 0 ? "▲" : Number(value) < 0 ? "▼" : "");
export const tone = (value) => (Number(value) > 0 ? "up" : Number(value) < 0 ? "down" : "flat");

/** "take_profit" → "take profit". */
export const words = (name) => String(name ?? "").replaceAll("_", " ");
export const sentence = (name) => {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** "1 trade", "2 trades". */
export const count = (number, noun) => `${QUANTITY.format(number)} ${noun}${Number(number) === 1 ? "" : "s"}`;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT_CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export const clock = (at) => CLOCK.format(new Date(at));
export const shortClock = (at) => SHORT_CLOCK.format(new Date(at));
export const day = (at) => DAY.format(new Date(at));
export const dayAndClock = (at) => `${DAY_YEAR.format(new Date(at))}, ${CLOCK.format(new Date(at))}`;
export const utc = (at) => new Date(at).toISOString().slice(0, 19).replace("T", " ") + " UTC";

/** A <time> in local time whose tooltip says UTC. */
export function time(at, write = clock) {
  if (!at) return NONE;
  return el("time", { datetime: at, title: utc(at) }, write(at));
}

/** "8 s", "3 min", "2 h". */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
