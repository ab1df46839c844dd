// The page: gets a session, follows the server, shows each section that changed.

import { equityChart } from "./chart.mjs";
import { byId } from "./dom.mjs";
import { explain, wireExplanation } from "./explain.mjs";
import * as as from "./format.mjs";
import { follow } from "./live.mjs";
import { wireOperator } from "./operator.mjs";
import { addEvents, clearEvents, showFunnel, showLimits, showStatus, showTiles, wireEventFilter } from "./panels.mjs";
import { showPositions, showTrades } from "./tables.mjs";
import { ensureSession } from "./unlocking.mjs";

const sections = {};
const chart = equityChart();

function show(changed) {
  Object.assign(sections, changed);
  if ("status" in changed) showStatus(sections.status);
  if (["status", "account", "positions", "risk"].some((name) => name in changed)) showTiles(sections);
  if (changed.risk) showLimits(sections.risk);
  if (changed.funnel) showFunnel(sections.funnel);
  if (changed.positions) showPositions(sections.positions, explain);
  if (changed.trades) showTrades(sections.trades, explain);
  if (changed.events) addEvents(changed.events, explain);
  document.title = titleOf(sections);
}

function titleOf({ status, account }) {
  if (status && status.trading_state !== "active") return `■ ${status.trading_state.toUpperCase()} · Catalyst bot`;
  if (!account) return "Catalyst bot";
  return `${as.arrow(account.day_return)} ${as.percent(account.day_return, { sign: true })} · Catalyst bot`.trim();
}

async function start() {
  wireOperator(() => sections);
  wireExplanation();
  wireEventFilter(explain);
  await ensureSession();
  follow({
    ensureSession,
    status: () => sections.status,
    onState(state) {
      clearEvents();
      show(state);
      chart.replace(state.equity, state.account?.start_equity_usd);
    },
    onChange(change) {
      show(change);
      if (change.equity) chart.add(change.equity, sections.account?.start_equity_usd);
    },
  });
}

start().catch((error) => {
  byId("banner").hidden = false;
  byId("banner").textContent = `${error.message} Reload the page to try again.`;
});
