// Drives an exchange with Alpaca's JavaScript SDK as it is and tells what it saw: one JSON object a
// line, {"step", "value"} for what the SDK returned, {"http"} for every answer as it came.
//
// Environment: EXCHANGE_URL, KEY, SECRET, ADMIN_TOKEN.
import { Alpaca } from "@alpacahq/alpaca-trade-api";

const { EXCHANGE_URL: url, KEY: keyId, SECRET: secret, ADMIN_TOKEN: token } = process.env;
const sockets = url.replace("http:", "ws:");
const WAIT_MS = 20_000;

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const step = (name, value) => tell({ step: name, value: value ?? null });

// The real host names lead here; what comes back is told before the SDK reads it.
async function fetchApi(input, init) {
  const at = new URL(typeof input === "string" ? input : input.url);
  const answer = await fetch(url + at.pathname + at.search, init);
  const body = Buffer.from(await answer.clone().arrayBuffer()).toString("utf8");
  tell({ http: { method: init?.method ?? "GET", url: at.pathname + at.search, status: answer.status, body } });
  return answer;
}

async function admin(method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { "X-Admin-Token": token, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function advance(seconds) {
  const { now } = await admin("GET", "/admin/clock");
  const to = new Date(new Date(now).getTime() + seconds * 1000).toISOString();
  await admin("POST", "/admin/clock/advance", { to });
}

async function until(check, what) {
  const end = Date.now() + WAIT_MS;
  while (!check()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { name: error.name, status: error.status, code: error.code, message: error.message };
  }
  throw new Error("was not refused");
}

function client(more = {}) {
  return new Alpaca({ keyId, secret, fetchApi, rateLimit: false, retry: false, ...more });
}

async function accountCalls(trading) {
  step("account", await trading.account.getAccount());
  step("configurations", await trading.accountConfigurations.getAccountConfig());
  const accountConfigurations = { suspendTrade: false, noShorting: false };
  step(
    "configurations changed",
    await trading.accountConfigurations.patchAccountConfig({ accountConfigurations }),
  );
  step("clock", await trading.clock.legacyClock());
  const start = new Date("2025-10-20");
  const end = new Date("2025-10-24");
  step("calendar", await trading.calendar.legacyCalendar({ start, end }));
  step("assets", await trading.assets.getV2Assets({ status: "active" }));
  step("asset", await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: "WAVE" }));
}

async function watchlistCalls({ watchlists }) {
  const createWatchlistRequest = { name: "js", symbols: ["WAVE"] };
  const { id } = await watchlists.postWatchlist({ createWatchlistRequest });
  const addAssetToWatchlistRequest = { symbol: "FLAT" };
  await watchlists.addAssetToWatchlist({ watchlistId: id, addAssetToWatchlistRequest });
  step("watchlists", await watchlists.getWatchlists());
  await watchlists.removeAssetFromWatchlist({ watchlistId: id, symbol: "WAVE" });
  step("watchlist", await watchlists.getWatchlistById({ watchlistId: id }));
  await watchlists.deleteWatchlistById({ watchlistId: id });
  step("watchlists left", await watchlists.getWatchlists());
}

async function orderCalls(trading) {
  const { orders, positions } = trading;
  const buy = { symbol: "WAVE", qty: 10, side: "buy" };
  const bought = await orders.market({ ...buy, clientOrderId: "js-market" });
  step("market", await orders.getOrderByClientOrderId({ clientOrderId: "js-market" }));
  step("market again", await refusal(() => orders.market({ ...buy, clientOrderId: "js-market" })));
  const resting = await orders.limit({ ...buy, symbol: "FLAT", limitPrice: 40, timeInForce: "gtc" });
  step("limit", resting);
  const patchOrderRequest = { limitPrice: "41" };
  const replaced = await orders.patchOrderByOrderId({ orderId: resting.id, patchOrderRequest });
  step("replaced", replaced);
  step("open", await orders.getAllOrders({ symbols: ["FLAT"] }));
  await orders.deleteOrderByOrderID({ orderId: replaced.id });
  step("cancelled", await orders.getOrderByOrderID({ orderId: replaced.id }));
  step("stop", await orders.stop({ ...buy, side: "sell", qty: 1, stopPrice: 90 }));
  const stopLimit = { ...buy, side: "sell", qty: 1, stopPrice: 90, limitPrice: 89 };
  step("stop limit", await orders.stopLimit(stopLimit));
  step("trailing stop", await orders.trailingStop({ ...buy, side: "sell", qty: 1, trailPercent: 5 }));
  const exits = { takeProfit: { limitPrice: 120 }, stopLoss: { stopPrice: 80 } };
  step("oco", await orders.oco({ symbol: "WAVE", qty: 1, side: "sell", ...exits }));
  step("cancelled all", await orders.deleteAllOrders());
  const entry = { symbol: "FLAT", qty: 2, side: "buy" };
  const legs = { takeProfit: { limitPrice: 60 }, stopLoss: { stopPrice: 45 } };
  const bracket = await orders.bracket({ ...entry, ...legs });
  step("bracket", await orders.getOrderByOrderID({ orderId: bracket.id, nested: true }));
  const protectedBuy = { symbol: "TREND", qty: 2, side: "buy", stopLoss: { stopPrice: 30 } };
  step("oto", await orders.oto(protectedBuy));
  step("positions", await positions.getAllOpenPositions());
  step("position", await positions.getOpenPosition({ symbolOrAssetId: "WAVE" }));
  const part = { symbolOrAssetId: "WAVE", qty: 4 };
  step("position reduced", await positions.deleteOpenPosition(part));
  step("closed all", await trading.closeAllPositions({ cancelOrders: true }));
  step("positions left", await positions.getAllOpenPositions());
  step("unknown", await refusal(() => positions.getOpenPosition({ symbolOrAssetId: "WAVE" })));
  step("bought", bought);
}

async function historyCalls({ accountActivities, portfolioHistory }) {
  step("activities", await accountActivities.getAccountActivities({ activityTypes: ["FILL"] }));
  const activityType = "FILL";
  step("fills", await accountActivities.getAccountActivitiesByActivityType({ activityType }));
  const asked = { period: "1D", timeframe: "1Min" };
  step("history", await portfolioHistory.getAccountPortfolioHistory(asked));
}

async function dataCalls(marketData) {
  const range = { start: new Date("2025-10-21T13:30:00Z"), end: new Date("2025-10-21T13:39:00Z") };
  const both = { symbols: ["WAVE", "FLAT"], ...range, feed: "iex" };
  step("bars", await marketData.getStockBars({ ...both, timeframe: "1Min", limit: 3 }));
  const trades = await marketData.getStockTrades({ ...both, symbols: ["WAVE"] });
  step("trades", trades.WAVE.slice(0, 3));
  const quotes = await marketData.getStockQuotes({ ...both, symbols: ["WAVE"] });
  step("quotes", quotes.WAVE.slice(0, 3));
  step("latest price", await marketData.getLatestPrice("FLAT", { feed: "iex" }));
  const symbols = "WAVE,FLAT";
  step("latest bars", await marketData.stocks.stockLatestBars({ symbols, feed: "iex" }));
  step("latest quotes", await marketData.stocks.stockLatestQuotes({ symbols, feed: "iex" }));
  step("latest trades", await marketData.stocks.stockLatestTrades({ symbols, feed: "iex" }));
  step("snapshots", await marketData.stocks.stockSnapshots({ symbols, feed: "iex" }));
  step("snapshot", await marketData.stocks.stockSnapshotSingle({ symbol: "WAVE", feed: "iex" }));
  step("exchanges", await marketData.stocks.stockMetaExchanges());
  step("news", await marketData.news.news({ symbols: "WAVE", limit: 10, includeContent: true }));
  step("most actives", await marketData.screener.mostActives({ top: 3 }));
  step("movers", await marketData.screener.movers({ marketType: "stocks", top: 2 }));
}

async function tradingStream(trading) {
  const stream = trading.stream({ url: `${sockets}/stream`, initialReconnectMs: 10 });
  const updates = [];
  let listening = 0;
  stream.onTradeUpdate((update) => updates.push(update));
  stream.on("subscription", () => (listening += 1));
  stream.subscribeTradeUpdates();
  stream.connect();
  step("trading authenticated", await stream.waitForAuthentication(WAIT_MS));
  await until(() => listening > 0, "the trade updates' acknowledgement");
  const order = { symbol: "WAVE", qty: 3, side: "buy", type: "market", timeInForce: "day" };
  const filled = await trading.submitAndWait(order, { stream, timeoutMs: WAIT_MS });
  step("submitted and waited", filled);
  const before = listening;
  await admin("POST", "/admin/faults", {
    rules: [{ stream: "trading", action: { close: 1011 }, when: { times: 1 } }],
  });
  await trading.orders.market({ symbol: "WAVE", qty: 1, side: "sell" });
  await until(() => listening > before, "the trade updates after a lost connection");
  await trading.orders.market({ symbol: "WAVE", qty: 2, side: "sell" });
  const isSold = ({ event, order: { side, qty } }) =>
    event === "fill" && side === "sell" && qty === "2";
  await until(() => updates.some(isSold), "a fill after a lost connection");
  step("trade updates", updates);
  stream.disconnect();
}

async function dataStream(marketData) {
  const stream = marketData.stockStream({ url: `${sockets}/v2/iex` });
  const seen = { trades: [], quotes: [], bars: [], dailyBars: [], errors: [] };
  stream.onTrade((trade) => seen.trades.push(trade));
  stream.onQuote((quote) => seen.quotes.push(quote));
  stream.onBar((bar) => seen.bars.push(bar));
  stream.onDailyBar((bar) => seen.dailyBars.push(bar));
  stream.onError((error) => seen.errors.push(error));
  let acknowledged;
  stream.on("subscription", (state) => (acknowledged = state));
  stream.connect();
  step("data authenticated", await stream.waitForAuthentication(WAIT_MS));
  stream.subscribeForTrades(["WAVE"]);
  stream.subscribeForQuotes(["WAVE"]);
  stream.subscribeForBars(["WAVE", "FLAT"]);
  stream.subscribeForDailyBars(["FLAT"]);
  await until(() => acknowledged?.dailyBars.length === 1, "the subscription");
  step("subscription", acknowledged);
  await advance(120);
  await until(() => seen.bars.length >= 4, "bars");
  stream.unsubscribeFromTrades(["WAVE"]);
  await until(() => acknowledged.trades.length === 0, "the end of a subscription");
  step("data stream", {
    ...seen,
    trades: seen.trades.slice(0, 5),
    quotes: seen.quotes.slice(0, 5),
  });
  stream.disconnect();
}

async function newsStream(marketData) {
  const stream = marketData.newsStream({ url: `${sockets}/v1beta1/news` });
  const seen = [];
  let isSubscribed = false;
  stream.onNews((item) => seen.push(item));
  stream.on("subscription", () => (isSubscribed = true));
  stream.connect();
  await stream.waitForAuthentication(WAIT_MS);
  stream.subscribeForNews(["*"]);
  await until(() => isSubscribed, "the news subscription");
  step("news subscribed");
  await advance(600);
  await until(() => seen.length >= 3, "news");
  step("news stream", seen);
  stream.disconnect();
}

async function wrongKey() {
  const stranger = client({ secret: "wrong" });
  step("wrong key", await refusal(() => stranger.trading.account.getAccount()));
  const stream = stranger.marketData.stockStream({ url: `${sockets}/v2/iex` });
  stream.connect();
  step("wrong key on a stream", await stream.waitForAuthenticationResult(WAIT_MS));
}

const alpaca = client();
await accountCalls(alpaca.trading);
await watchlistCalls(alpaca.trading);
await orderCalls(alpaca.trading);
await historyCalls(alpaca.trading);
await dataCalls(alpaca.marketData);
await tradingStream(alpaca.trading);
await dataStream(alpaca.marketData);
await newsStream(alpaca.marketData);
await wrongKey();
step("done");
process.exit(0);
