// Open positions and trades.

import { byId, el, match, svg } from "./dom.mjs";
import * as as from "./format.mjs";

const cell = (label, content, props = {}) =>
  el("td", { ...props, "data-label": label }, ...[content].flat());
const number = (label, content, props = {}) => cell(label, content, { ...props, class: "n" });

export function showPositions(positions, explain) {
  byId("positions-empty").hidden = positions.length > 0;
  byId("positions").hidden = positions.length === 0;
  const total = positions.reduce((sum, row) => sum + Number(row.unrealised_usd), 0);
  byId("positions-hint").textContent = positions.length ? `${as.money(total, { sign: true })} unrealised` : "";
  match(byId("positions").tBodies[0], positions, (row) => row.trade_id, (row) =>
    el("tr", { onclick: () => explain(row.trade_id) },
      cell("Symbol", [
        el("button", { type: "button", class: "symbol", "aria-label": `Why ${row.symbol} is held` }, row.symbol),
        el("small", {}, ` since ${as.shortClock(row.opened_at)}`),
      ]),
      number("Quantity", as.quantity(row.quantity)),
      number("Cost", as.price(row.average_cost)),
      number("Last", as.price(row.last_price)),
      number("P&L", [profit(row.unrealised_usd), el("small", {}, as.percent(row.last_price / row.average_cost - 1, { sign: true }))], { "data-tone": as.tone(row.unrealised_usd) }),
      number("Stop", row.stop_price ? [as.price(row.stop_price), row.is_trailing ? el("small", {}, "trailing") : null] : "none"),
      number("To stop", stopDistance(row)),
      cell("Stop to target", ladder(row), { class: "ladder" })));
}

const profit = (usd) => `${as.arrow(usd)} ${as.money(usd, { sign: true })}`.trim();

function stopDistance(row) {
  if (!row.stop_price) return "–";
  return as.percent((Number(row.last_price) - Number(row.stop_price)) / Number(row.last_price), { digits: 1 });
}

/** Where the price stands between stop and target, with the cost as a tick. */
function ladder(row) {
  const [stop, cost, last, target] = [row.stop_price, row.average_cost, row.last_price, row.take_profit_price].map(Number);
  if (!row.stop_price || !row.take_profit_price || !(target > stop)) return "";
  const place = (value) => 4 + 112 * Math.min(1, Math.max(0, (value - stop) / (target - stop)));
  const label = `Stop ${as.price(stop)}, cost ${as.price(cost)}, last ${as.price(last)}, target ${as.price(target)}`;
  const from = Math.min(place(cost), place(last));
  return svg("svg", { viewBox: "0 0 120 14", role: "img", "aria-label": label, "data-tone": as.tone(last - cost) },
    svg("title", {}, label),
    svg("line", { class: "rail", x1: 4, x2: 116, y1: 7, y2: 7 }),
    svg("rect", { class: "gain", x: from, y: 5.5, width: Math.abs(place(last) - place(cost)), height: 3 }),
    svg("line", { class: "end", x1: 4, x2: 4, y1: 3, y2: 11 }),
    svg("line", { class: "end", x1: 116, x2: 116, y1: 3, y2: 11 }),
    svg("line", { class: "cost", x1: place(cost), x2: place(cost), y1: 2, y2: 12 }),
    svg("circle", { class: "last", cx: place(last), cy: 7, r: 3.5 }));
}

export function showTrades(trades, explain) {
  byId("trades-empty").hidden = trades.length > 0;
  byId("trades").hidden = trades.length === 0;
  match(byId("trades").tBodies[0], trades, (row) => row.trade_id, (row) => {
    const result = row.exit_at ? `${as.money(row.pnl_usd, { sign: true })}` : "open";
    return el("tr", { onclick: () => explain(row.trade_id) },
      cell("Symbol", [
        el("button", { type: "button", class: "symbol", "aria-label": `Why trade ${row.symbol}, ${result}` }, row.symbol),
        row.headline_title ? el("small", { class: "title", title: row.headline_title }, row.headline_title) : null,
      ]),
      cell("Opened", [as.time(row.entry_at, as.shortClock), el("small", {}, as.day(row.entry_at))]),
      cell("Closed", row.exit_at ? [as.time(row.exit_at, as.shortClock), el("small", {}, held(row))] : "open"),
      number("Quantity", as.quantity(row.quantity)),
      number("Entry", as.price(row.entry_price)),
      number("Exit", row.exit_at ? as.price(row.exit_price) : "–"),
      cell("Why closed", row.exit_reason ? as.words(row.exit_reason) : "–"),
      number("P&L", row.exit_at ? [profit(row.pnl_usd), el("small", {}, as.percent(row.pnl_fraction, { sign: true }))] : "open", { "data-tone": row.exit_at ? as.tone(row.pnl_usd) : "flat" }));
  });
}

const held = (row) => "after " + as.span(new Date(row.exit_at) - new Date(row.entry_at));
