"""The world of one schedule: what things cost, who may trade, and what is written about it.

Small and quick on purpose: a few companies, prices that walk, jump and stand still.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from catalyst_bot.domain.market import Bar, BarSeries, Quote, series_of
from catalyst_bot.domain.news import Headline

INTERVAL = timedelta(minutes=1)
HISTORY_BARS = 40
MOST_BARS = HISTORY_BARS + 20  # that anybody is told
MOST_HEADLINES = 1_000  # that may come again
BENCHMARK = "SPY"
COMPANIES: dict[str, tuple[str, float]] = {
    "AXQL": ("Axquila Genetics", 40.0),
    "HLYO": ("Helyora Bio", 12.5),
    "ORVM": ("Orvamed Devices", 95.0),
    "TQSO": ("Tequisso Software", 150.0),
    "KLDR": ("Kaldera Minerals", 7.3),
    "BRNQ": ("Brenquist Foods", 61.0),
    "VLTX": ("Voltarix Power", 28.4),
    "DNVX": ("Dunavox Systems", 18.2),
    "PLGR": ("Pellgrim Robotics", 77.0),
    "SRQN": ("Sarquine Energy", 33.6),
}
GOOD_NEWS = (
    "{company} Receives FDA Approval for {product} for the Treatment of Asthma",
    "{company} Awarded ${usd} Million Contract by NASA",
    "{company} Reports Record Fourth Quarter Revenue, Beats Estimates by {usd}%",
    "{company} to Be Acquired by Bigcorp in All-Cash Transaction of ${usd} Million",
    "{company} Wins ${usd} Million Navy Contract",
)
BAD_NEWS = (
    "{company} Reports Fourth Quarter Results Below Expectations",
    "{company} Says {product} Did Not Meet Primary Endpoint in Phase 3 Trial",
    "{company} Announces ${usd} Million Public Offering of Common Stock",
)
PRODUCTS = ("Velorix", "Zanteva", "Orphelin", "Quintara", "Mabuvia", "Tressala")
_WORDS = ("\ufffd\u202e", "<script>alert(1)</script>", "A" * 300, "&#0;&amp;", "\U0001f4a5 100x")


@dataclass(slots=True)
class Stock:
    """One symbol: its price, its bars (oldest first), and the bar being made."""

    symbol: str
    price: float
    bars: list[Bar] = field(default_factory=list)
    high: float = 0.0
    low: float = 0.0
    opened: float = 0.0
    drift: float = 0.0  # of every step, as a fraction
    is_halted: bool = False
    is_frozen: bool = False

    def move_to(self, price: float) -> None:
        """Trade at a price."""
        self.price = max(round(price, 2), 0.05)
        self.high, self.low = max(self.high, self.price), min(self.low, self.price)

    def close_bar(self, at: datetime, volume: float) -> Bar:
        """End the bar that began an interval ago, and begin the next one."""
        bar = Bar(
            symbol=self.symbol,
            opened_at=at - INTERVAL,
            closed_at=at,
            open=self.opened,
            high=self.high,
            low=self.low,
            close=self.price,
            volume=volume,
        )
        self.bars.append(bar)
        del self.bars[:-MOST_BARS]
        self.begin_bar()
        return bar

    def begin_bar(self) -> None:
        """Begin a bar at the current price."""
        self.opened = self.high = self.low = self.price


class World:
    """Prices and news of one schedule, drawn from its chance."""

    def __init__(self, chance: Random, start: datetime) -> None:
        self._chance = chance
        grid = start - timedelta(seconds=start.timestamp() % INTERVAL.total_seconds())
        self.stocks = {
            symbol: _stock(symbol, price, grid, chance)
            for symbol, price in {
                **{s: p for s, (_, p) in COMPANIES.items()},
                BENCHMARK: 520.0,
            }.items()
        }
        self.next_bar_at = grid + INTERVAL
        self.headlines: deque[Headline] = deque(maxlen=MOST_HEADLINES)
        self._told = 0

    def tradable(self) -> list[str]:
        """Return the symbols that are not the benchmark."""
        return list(COMPANIES)

    def walk(self) -> None:
        """Let every price that trades take a step."""
        for stock in self.stocks.values():
            if not stock.is_halted:
                calm = 0.0002 if stock.symbol == BENCHMARK else 0.002
                stock.move_to(stock.price * (1 + self._chance.gauss(stock.drift, calm)))

    def quote(self, symbol: str, at: datetime) -> Quote:
        """Return an honest quote: a cent or a basis point around the price."""
        price = self.stocks[symbol].price
        half = max(0.01, round(price * 0.0002, 2))
        return Quote(
            symbol=symbol,
            at=at,
            bid=round(price - half, 2),
            ask=round(price + half, 2),
            is_synthetic=False,
        )

    def close_bars(self) -> list[Bar]:
        """End the interval for every symbol."""
        at, self.next_bar_at = self.next_bar_at, self.next_bar_at + INTERVAL
        return [
            stock.close_bar(at, float(self._chance.randint(80_000, 300_000)))
            for stock in self.stocks.values()
            if not stock.is_halted
        ]

    def skip_to(self, at: datetime) -> None:
        """Let a night pass: bars begin anew."""
        self.next_bar_at = at + INTERVAL
        for stock in self.stocks.values():
            stock.begin_bar()

    def split(self, symbol: str, shares_per_share: int) -> None:
        """Let a price and its past follow a split."""
        stock = self.stocks[symbol]
        stock.bars = [
            replace(
                bar,
                open=bar.open / shares_per_share,
                high=bar.high / shares_per_share,
                low=bar.low / shares_per_share,
                close=bar.close / shares_per_share,
                volume=bar.volume * shares_per_share,
            )
            for bar in stock.bars
        ]
        stock.price = round(stock.price / shares_per_share, 2)
        stock.begin_bar()

    def bars(self, symbol: str, at: datetime) -> BarSeries:
        """Return the closed bars of a symbol."""
        known = [bar for bar in self.stocks[symbol].bars[-MOST_BARS:] if bar.closed_at <= at]
        return series_of(symbol, known)

    def write_headline(self, at: datetime) -> Headline:
        """Write news about a company, good news more often than bad."""
        chance = self._chance
        symbol = chance.choice(self.tradable())
        title = chance.choice(GOOD_NEWS if chance.random() < 0.8 else BAD_NEWS).format(
            company=COMPANIES[symbol][0],
            product=chance.choice(PRODUCTS),
            usd=chance.randint(11, 900),
        )
        self._told += 1
        headline = Headline(
            item_id=f"trial-{self._told}",
            source="trial",
            title=title,
            symbols=(symbol,),
            published_at=at - timedelta(seconds=chance.randint(1, 60)),
            received_at=at,
        )
        self.headlines.append(headline)
        return headline

    def repeated(self, at: datetime) -> Headline | None:
        """Return an earlier headline once more: the same item, or the same words again."""
        if not self.headlines:
            return None
        earlier = self._chance.choice(self.headlines)
        if self._chance.random() < 0.5:
            return replace(earlier, received_at=at)
        self._told += 1
        title = self._chance.choice(
            (earlier.title, f"CORRECTION: {earlier.title}", f"{earlier.title} -2-")
        )
        return replace(earlier, item_id=f"trial-{self._told}", title=title, received_at=at)

    def garbage(self, at: datetime) -> Headline:
        """Return a headline that nobody should have sent."""
        chance = self._chance
        headline = self.write_headline(at)
        match chance.randrange(3):
            case 0:
                return replace(headline, title=chance.choice(_WORDS), symbols=("NOSUCH",))
            case 1:
                return replace(headline, published_at=at.replace(year=1970))
            case _:
                return replace(headline, published_at=at.replace(year=2199))


def _stock(symbol: str, price: float, grid: datetime, chance: Random) -> Stock:
    """Return a stock with its past: a slow walk that ends at the price."""
    drift = 0.0 if symbol == BENCHMARK else chance.choice((-0.001, 0.0, 0.0, 0.001, 0.002))
    stock = Stock(symbol=symbol, price=price, drift=drift)
    spread = price * 0.002
    for back in range(HISTORY_BARS, 0, -1):
        at = grid - back * INTERVAL
        opened, closed = (price + chance.uniform(-spread, spread) for _ in range(2))
        stock.bars.append(
            Bar(
                symbol=symbol,
                opened_at=at,
                closed_at=at + INTERVAL,
                open=round(opened, 2),
                high=round(max(opened, closed) + spread / 2, 2),
                low=round(min(opened, closed) - spread / 2, 2),
                close=round(closed, 2),
                volume=float(chance.randint(80_000, 300_000)),
            )
        )
    stock.begin_bar()
    return stock
