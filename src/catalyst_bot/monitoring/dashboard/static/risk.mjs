// The page about risk: asks for the board every few seconds and shows it.

import { byId, el, match, say, svg } from "./dom.mjs";
import * as as from "./format.mjs";
import { again, ensureSession } from "./unlocking.mjs";
import { showLimits } from "./panels.mjs";
import { ask } from "./session.mjs";

const EVERY_MS = 2_000;
const MARKS = { ok: "\u00a0", near: "▲", alert: "■" };
const SAYS = { info: "\u00a0", warning: "▲", critical: "■" };
const WIDTH = 600;
const HEIGHT = 120;

function show(board) {
  document.body.dataset.state = board.trading_state;
  say(byId("state"), board.trading_state.toUpperCase() + (board.halt_cause ? ` by ${as.words(board.halt_cause)}` : ""));
  byId("as-of").replaceChildren(board.at ? "as of " : "no record yet", board.at ? as.time(board.at, as.dayAndClock) : "");
  showLimits(board.gauges);
  lines("rooms", board.rooms, (room) => room.text, (room) => [room.is_closed ? "■" : "\u00a0", as.sentence(room.text)], (room) => room.is_closed && "full");
  lines("metrics", board.metrics, (row) => row.name, metric, (row) => row.state !== "ok" && (row.state === "alert" ? "full" : "near"));
  showAlerts(board.unanswered);
  showPath(board.drawdown_path);
  say(byId("drill"), board.drill.line || board.drill.text || "");
  byId("drill").dataset.level = board.drill.is_overdue ? "near" : "ok";
  const newest = board.timeline.slice().reverse();
  byId("timeline-empty").hidden = newest.length > 0;
  match(byId("timeline"), newest, (row) => row.seq, (row) =>
    el("li", {}, el("span", { class: "mark" }, SAYS[row.severity]), as.time(row.at, as.dayAndClock), el("span", {}, row.text)));
}

/** A list of lines: a mark, so that colour is never alone, and text. */
function lines(id, rows, key, parts, level) {
  match(byId(id), rows, key, (row) => {
    const [mark, ...rest] = parts(row);
    return el("li", { "data-level": level(row) || "ok" }, el("span", { class: "mark" }, mark), ...rest.map((text) => el("span", {}, text)));
  });
}

function metric(row) {
  const side = row.is_most ? "at most" : "at least";
  return [MARKS[row.state], as.sentence(row.name), figure(row.value, row.unit), `${side} ${figure(row.threshold, row.unit)}`, row.note];
}

function figure(value, unit) {
  if (value === null) return "–";
  if (unit === "fraction") return as.percent(value, { digits: 1 });
  if (unit === "ms") return `${as.quantity(Math.round(value))} ms`;
  return as.decimal(value, unit === "count" ? 0 : 2);
}

function showAlerts(rows) {
  byId("alerts-empty").hidden = rows.length > 0;
  match(byId("alerts"), rows, (row) => row.id, (row) =>
    el("li", { "data-level": "full" },
      el("span", { class: "mark" }, "■"),
      el("span", {}, row.title, " ", el("small", {}, row.reason)),
      el("button", { type: "button", class: "button", onclick: (event) => acknowledge(row, event.currentTarget) }, "I have seen it")));
}

async function acknowledge(row, button) {
  button.disabled = true;
  try {
    await again(() => ask("/api/acknowledge", { notice_id: row.id }));
    say(button, "recorded");
  } catch (error) {
    button.disabled = false;
    trouble(error.message);
  }
}

function showPath(points) {
  const deepest = Math.max(0, ...points.map((point) => point.drawdown));
  say(byId("path-summary"), points.length ? `deepest ${as.percent(deepest)} of ${as.count(points.length, "point")}` : "no valuation yet");
  const step = WIDTH / Math.max(1, points.length - 1);
  const place = (point, index) => `${(index * step).toFixed(1)},${(deepest ? (point.drawdown / deepest) * (HEIGHT - 4) : 0).toFixed(1)}`;
  const line = points.map(place).join(" ");
  byId("path").replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" },
    svg("polygon", { points: `0,0 ${line} ${WIDTH},0` }),
    svg("polyline", { points: line })));
}

function trouble(text) {
  byId("banner").hidden = text === "";
  say(byId("banner"), text);
}

async function keepLooking() {
  for (;;) {
    try {
      show(await again(() => ask("/api/risk")));
      trouble("");
    } catch (error) {
      trouble(`${error.message} What is shown may be old.`);
    }
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

ensureSession().then(keepLooking);
