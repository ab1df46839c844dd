// The panels without a table: header, tiles, limits, funnel, events.

import { byId, el, match, press, say } from "./dom.mjs";
import * as as from "./format.mjs";

const STATES = {
  active: { mark: "●", label: "ACTIVE", means: "trading" },
  reducing: { mark: "◐", label: "REDUCING", means: "only reduces positions" },
  halted: { mark: "■", label: "HALTED", means: "no new entries" },
};
const NOT_STARTED = { mark: "○", label: "NOT STARTED", means: "no run yet" };
const looks = (status) => STATES[status?.trading_state] ?? NOT_STARTED;
const MODES = { "paper-trading": "PAPER", backtest: "BACKTEST", live: "LIVE MONEY" };
const DATA = { generated: "GENERATED DATA", recorded: "RECORDED DATA", live: "LIVE DATA" };

export function showStatus(status) {
  const state = looks(status);
  document.body.dataset.state = status?.trading_state ?? "";
  say(byId("state"), `${state.mark} ${state.label}`);
  const badges = !status ? [] : [
    MODES[status.mode] ?? status.mode,
    DATA[status.data],
    status.broker && `broker ${status.broker}`,
    status.model_id && `${status.candidate_note ? "champion" : "model"} ${status.model_id}`,
    status.candidate_id && `candidate ${status.candidate_id}`,
  ].filter(Boolean);
  match(byId("badges"), badges, (text) => text, (text) => el("li", {}, text));
  byId("candidate").hidden = !status?.candidate_note;
  say(byId("candidate"), status?.candidate_note ?? "");
  const banner = byId("banner");
  const text = stateSentence(status);
  banner.hidden = text === "";
  say(banner, text);
  byId("resume-open").hidden = !status || status.trading_state === "active";
  byId("reduce-open").hidden = !status || status.trading_state !== "active";
  byId("halt-open").disabled = false;
}

export function stateSentence(status) {
  if (!status) return "";
  if (status.trading_state === "active") return "";
  const cause = status.halt_cause ? ` by ${as.words(status.halt_cause)}` : "";
  const since = status.halted_at ? ` since ${as.dayAndClock(status.halted_at)}` : "";
  const detail = status.halt_detail ? `: ${status.halt_detail}` : "";
  return `${looks(status).label}${cause}${since}${detail}`;
}

export function showTiles({ status, account, positions, risk }) {
  account ??= {};
  const limit = (name) => risk.find((row) => row.name === name)?.limit;
  const exposureLimit = limit("exposure");
  const mostPositions = limit("open_positions");
  const exposure = Number(account.equity_usd) ? Number(account.exposure_usd) / Number(account.equity_usd) : null;
  const state = looks(status);
  const dayUsd = account.equity_usd - account.day_open_equity_usd;
  const totalReturn = Number(account.start_equity_usd) ? account.equity_usd / account.start_equity_usd - 1 : null;
  const tiles = [
    ["State", `${state.mark} ${state.label}`, status?.halt_cause ? as.words(status.halt_cause) : state.means, `state-${status?.trading_state}`],
    ["Equity", as.money(account.equity_usd), `${as.money(account.cash_usd)} cash`],
    ["Day P&L", change(dayUsd), as.percent(account.day_return, { sign: true }), as.tone(dayUsd)],
    ["Total return", change(totalReturn, as.percent), `from ${as.money(account.start_equity_usd, { digits: 0 })}`, as.tone(totalReturn)],
    ["Exposure", as.percent(exposure, { digits: 1 }), exposureLimit ? `of ${as.percent(exposureLimit, { digits: 0 })} allowed` : as.money(account.exposure_usd)],
    ["Open positions", String(positions.length), mostPositions ? `warns above ${mostPositions}` : ""],
    ["Win rate", as.percent(account.win_rate, { digits: 1 }), account.trades ? `${account.wins} of ${as.count(account.trades, "trade")}` : "no closed trade yet"],
    ["Profit factor", profitFactor(account), "won ÷ lost"],
    ["Drawdown", as.percent(account.drawdown), account.max_drawdown == null ? "from the peak" : `deepest ${as.percent(account.max_drawdown)}`],
  ];
  match(byId("tiles"), tiles, ([label]) => label, ([label, value, note, tone]) =>
    el("div", { class: "tile", "data-tone": tone }, el("dt", {}, label), el("dd", { class: "value" }, ...cents(value)), el("dd", { class: "note" }, note || "\u00a0")));
}

/** Split the cents off: a phone has no room for them. */
function cents(text) {
  const [, whole, rest] = /^(.*\$[^.]*)(\.\d\d)?$/.exec(text) ?? [null, text];
  return [whole, rest && el("span", { class: "cents" }, rest)];
}

const change = (value, write = as.money) => `${as.arrow(value)} ${write(value, { sign: true })}`.trim();

function profitFactor(account) {
  if (account.profit_factor != null) return as.decimal(account.profit_factor);
  return account.trades ? "∞" : as.decimal(null);
}

export function showLimits(limits) {
  byId("limits-empty").hidden = limits.length > 0;
  match(byId("limits"), limits, (row) => row.name, (row) => {
    const share = Number(row.limit) > 0 ? Math.max(0, Number(row.used) / Number(row.limit)) : 1;
    const level = share >= 1 ? "full" : share >= 0.9 ? "near" : "ok";
    return el("li", { "data-level": level },
      el("span", { class: "name" }, as.sentence(row.name)),
      el("span", { class: "used" }, `${amount(row.used, row.unit)} / ${amount(row.limit, row.unit)}`),
      el("meter", { min: 0, max: 1, high: 0.9, value: Math.min(1, share), "aria-label": as.sentence(row.name) }),
      el("span", { class: "room" }, roomSentence(row, level)));
  });
}

function amount(value, unit) {
  if (unit === "fraction") return as.percent(value, { digits: 1 });
  if (unit === "usd") return as.money(value, { digits: 0 });
  if (unit === "ratio") return as.decimal(value, 2) + " ×";
  return as.quantity(value);
}

const THEN = { refuses: "entries are refused", pauses: "the strategy pauses", halts: "trading halts", warns: "a warning" };

function roomSentence(row, level) {
  const what = THEN[row.then] ?? THEN.refuses;
  if (level === "full") return `■ used up: ${what}`;
  const mark = level === "near" ? "▲ " : "";
  if (row.room_usd != null) return `${mark}${as.money(row.room_usd, { digits: 0 })} more until ${what}`;
  const left = Number(row.limit) - Number(row.used);
  if (row.unit === "fraction") return `${mark}${as.decimal(left * 100, 1)} points more until ${what}`;
  return `${mark}${amount(left, row.unit)} more until ${what}`;
}

const STEPS = [
  ["seen", "Seen"], ["deduped", "New"], ["with_ticker", "With ticker"], ["catalyst", "Catalyst"],
  ["signal", "Signal"], ["intent", "Intent"], ["approved", "Approved"], ["filled", "Filled"],
];
let openStep = "";
let funnel = {};

export function showFunnel(newest) {
  funnel = newest;
  const rows = STEPS.map(([step, label], place) => {
    const reached = Number(funnel[step] ?? 0);
    const before = place ? Number(funnel[STEPS[place - 1][0]] ?? 0) : reached;
    return { step, label, reached, lost: Math.max(0, before - reached), share: before ? reached / before : 0, open: step === openStep };
  });
  match(byId("funnel"), rows, (row) => row.step, (row) =>
    el("li", {}, el("button", {
      type: "button", "aria-expanded": String(row.open), "aria-controls": "losses",
      onclick: () => { openStep = openStep === row.step ? "" : row.step; showFunnel(funnel); },
    },
    el("span", { class: "label" }, row.label),
    el("span", { class: "value" }, as.quantity(row.reached)),
    el("span", { class: "lost" }, row.step === "seen" ? "headlines" : row.lost ? `${as.quantity(row.lost)} stopped` : "all of them"),
    el("progress", { max: 1, value: row.share, "aria-hidden": "true" }))));
  showLosses();
}

function showLosses() {
  const panel = byId("losses");
  panel.hidden = openStep === "";
  if (panel.hidden) return;
  const label = STEPS.find(([step]) => step === openStep)[1];
  const reasons = Object.entries(funnel.lost?.[openStep] ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 8);
  panel.replaceChildren(
    el("h3", {}, reasons.length ? `Why items did not reach “${label}”` : `Nothing was lost before “${label}”.`),
    el("ul", {}, ...reasons.map(([reason, number]) =>
      el("li", {}, el("b", {}, as.quantity(number)), ` ${as.words(reason)}`))));
}

const MARKS = { info: "●", warning: "▲", critical: "■" };
const MOST_EVENTS = 300;
let events = [];
let onlyLoud = false;

/** Forget all events: the full state that follows has them, perhaps of another run. */
export function clearEvents() {
  events = [];
}

/** Add events; those known already are ignored. */
export function addEvents(rows, explain) {
  const known = events.length ? events[0].seq : -1;
  events = [...rows.filter((row) => row.seq > known).reverse(), ...events].slice(0, MOST_EVENTS);
  showEvents(explain);
}

export function showEvents(explain) {
  const rows = onlyLoud ? events.filter((row) => row.severity !== "info") : events;
  const empty = byId("events-empty");
  empty.hidden = rows.length > 0;
  byId("events").parentElement.hidden = rows.length === 0;
  if (events.length > 0) say(empty, "No warning so far.");
  match(byId("events"), rows, (row) => row.seq, (row) =>
    el("li", { "data-severity": row.severity },
      el("span", { class: "mark", title: row.severity, role: "img", "aria-label": row.severity }, MARKS[row.severity] ?? "●"),
      el("div", {},
        el("p", {}, as.time(row.at), " ", ...headed(row.text)),
        row.reason ? el("p", { class: "reason" }, row.reason) : null),
      row.trail_id ? el("button", { type: "button", class: "why", "aria-label": `Why: ${row.text}`, onclick: () => explain(row.trail_id) }, "why") : null));
}

/** "ACME: bought 5" begins with its symbol; make that stand out. */
function headed(text) {
  const [, symbol, rest] = /^([A-Z][A-Z0-9.]{0,6}): (.*)$/s.exec(text) ?? [];
  return symbol ? [el("b", {}, symbol), ` ${rest}`] : [text];
}

export function wireEventFilter(explain) {
  byId("event-filter").addEventListener("click", ({ target }) => {
    if (target.tagName !== "BUTTON") return;
    press(byId("event-filter"), target);
    onlyLoud = target.dataset.only === "loud";
    showEvents(explain);
  });
}
