"""What a replay of the running bot amounts to, and what stands beside it.

The account is read from the journal that the bot wrote; nothing is computed a second way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.messages.decisions import EquityMarked, PositionClosed
from catalyst_bot.domain.messages.facts import SessionClosed
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.features.kernels import Floats
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.ml.portfolio.benchmarks import capacity_of
from catalyst_bot.ml.portfolio.regimes import regimes_of_closes
from catalyst_bot.ml.validation.metrics import Metrics, equity_of, measure, returns_of

SHOWN = (
    *("total_return", "annual_return", "sharpe", "sortino", "calmar", "max_drawdown"),
    *("trades", "win_rate", "profit_factor", "exposure"),
)


@dataclass
class SessionCurve:
    """What a journal tells of its account: the worth and the invested share at every close, and
    every finished trade with what the account was worth then.
    """

    closes: list[datetime] = field(default_factory=list)
    equity_usd: list[float] = field(default_factory=list)
    exposure: list[float] = field(default_factory=list)
    trades: list[tuple[ClosedTrade, float]] = field(default_factory=list)
    _account: AccountView | None = None

    def learn(self, records: Iterable[Recorded]) -> None:
        """Read records of a journal, in order."""
        for record in records:
            body = record.body
            if isinstance(body, EquityMarked):
                self._account = body.account
            elif isinstance(body, PositionClosed) and self._account is not None:
                self.trades.append((body.trade, float(self._account.equity_usd)))
            elif isinstance(body, SessionClosed) and self._account is not None:
                equity = float(self._account.equity_usd)
                self.closes.append(body.at)
                self.equity_usd.append(equity)
                self.exposure.append(float(self._account.exposure_usd) / equity)

    def measured(self, start_usd: float) -> Metrics:
        """Return the measures of an account that began with so many dollars."""
        return measure(
            np.array([start_usd, *self.equity_usd]),
            np.array([float(trade.pnl_usd) for trade, _ in self.trades]),
            np.array(self.exposure),
        )

    def by_regime(self, start_usd: float, words: Sequence[str]) -> dict[str, Metrics]:
        """Return the measures of the sessions of each kind of market, put one after the other.

        Trades may last from one into another, so none are counted here.
        """
        returns = returns_of(np.array([start_usd, *self.equity_usd]))
        exposure, kinds = np.array(self.exposure), np.array(words)
        return {
            word: measure(equity_of(returns[kinds == word]), None, exposure[kinds == word])
            for word in sorted(set(words))
        }

    def capacity_usd(self, store: BarStore, participation_fraction: float) -> float | None:
        """Return `capacity_of` the entries by the volume of the bar before each; None without."""
        room = [
            worth * participation_fraction * volume / float(trade.quantity)
            for trade, worth in self.trades
            if (volume := _volume_before(store, trade)) is not None
        ]
        return capacity_of(room)


def _volume_before(store: BarStore, trade: ClosedTrade) -> float | None:
    last = store.window(trade.symbol, trade.entry_at, 1)
    return float(last[-1].volume) if last else None


def regimes_at(
    store: BarStore, benchmark: str, before: Sequence[datetime], closes: Sequence[datetime]
) -> tuple[str, ...]:
    """Return the kind of market of each session by its close, from what was known the evening
    before; `before` are closes of earlier sessions.
    """
    prices = np.array(_closes(store, benchmark, (*before, *closes)))
    words = regimes_of_closes(prices[np.isfinite(prices)])
    return words[-len(closes) :]


def held(store: BarStore, symbols: Sequence[str], closes: Sequence[datetime]) -> Metrics:
    """Return the measures of holding symbols in equal parts over closes, put equal at each.

    As the bars are: without costs, and without dividends where they are not in the prices. The
    first close is where it begins.
    """
    prices = np.array([_closes(store, symbol, closes) for symbol in symbols])
    with np.errstate(invalid="ignore"):
        moves = prices[:, 1:] / prices[:, :-1] - 1.0
    known = np.isfinite(moves)
    total = np.where(known, moves, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    returns: Floats = np.divide(total, count, out=np.zeros(len(total)), where=count > 0)
    return measure(equity_of(returns), None, np.ones(len(returns)))


def _closes(store: BarStore, symbol: str, closes: Sequence[datetime]) -> list[float]:
    """The last price known at each close, NaN before the first."""
    told = (store.last_close_before(symbol, at) for at in closes)
    return [price if price is not None else np.nan for price in told]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """Measures by what was traded or held, those of the first by kind of market; how large its
    account may grow. `halted` names the accounts whose trading was halted; `notes` say what of the
    input was refused, and why a model that was asked for did not decide.
    """

    first_close: str
    last_close: str
    results: Mapping[str, Metrics]
    regimes: Mapping[str, Metrics]
    capacity_usd: float | None
    journals: Mapping[str, str]
    halted: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "first_close": self.first_close,
            "last_close": self.last_close,
            "results": {name: metrics.as_dict() for name, metrics in self.results.items()},
            "regimes": {name: metrics.as_dict() for name, metrics in self.regimes.items()},
            "capacity_usd": self.capacity_usd,
            "journals": dict(self.journals),
            "halted": list(self.halted),
            "notes": list(self.notes),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row a result, for people."""
        return [
            (name, *(_text(getattr(metrics, measure_)) for measure_ in SHOWN))
            for name, metrics in (
                *self.results.items(),
                *((f"  in {word} sessions", metrics) for word, metrics in self.regimes.items()),
            )
        ]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
