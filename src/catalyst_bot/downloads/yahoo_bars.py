"""Bars from Yahoo through yfinance, an extra of its own (`make setup-yahoo`).

yfinance speaks a service that Yahoo documents nowhere and means for personal use. Its prices are
always adjusted backwards for splits; `adj_close` is for dividends as well.
"""

from __future__ import annotations

import asyncio
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.patience import Busy, Patience
from catalyst_bot.downloads.wanted import Fetched, Known, NothingThere, Period, with_day
from catalyst_bot.feeds.turns import Turns
from catalyst_bot.market_data.load import ADJUSTED, VALUES

READER_BROKE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
LIMITS = ((1, 1),)  # requests a second; Yahoo names no limit and blocks who asks too often
TIMEOUT_S = 5.0
_COLUMNS = ("Open", "High", "Low", "Close", "Volume", "Adj Close")


class YahooBars:
    """Bars of one interval: a `Source`. yfinance keeps its cookies in `cache`.

    Raises `ConfigError` where yfinance is not installed.
    """

    name = "yfinance"
    vendor = "Yahoo"
    place = "yfinance"
    adjustment = "prices adjusted backwards for splits, adj_close for dividends as well"
    terms = "for personal use under Yahoo's terms"

    def __init__(
        self, patience: Patience, *, interval: Interval, cache: Path, turns: Turns | None = None
    ) -> None:
        self._yfinance = _loaded(cache)
        self._patience = patience
        self._turns = turns or Turns(LIMITS)
        self.interval: Interval | None = interval
        self._spelled = str(interval)  # as Yahoo spells it, too

    async def fetch(self, symbol: str, period: Period, _: Known | None) -> Fetched | None:
        """See `Source`."""
        await self._turns.take()
        table = await self._patience.ask(
            lambda: asyncio.to_thread(self._ask, symbol, period)  # yfinance blocks
        )
        return Fetched(rows=with_day(self._bars(symbol, table)))

    def _ask(self, symbol: str, period: Period) -> Any:
        errors = self._yfinance.exceptions
        try:
            return self._yfinance.Ticker(symbol).history(
                start=period.first.isoformat(),
                end=(period.last + timedelta(days=1)).isoformat(),
                interval=self._spelled,
                auto_adjust=False,
                actions=False,
                timeout=TIMEOUT_S,
            )
        except errors.YFRateLimitError as error:
            raise Busy("Yahoo answers that there were too many requests", 30.0) from error
        except errors.YFTickerMissingError as error:
            raise NothingThere(f"{symbol}: Yahoo has no bars in these days ({error})") from error
        except errors.YFException as error:
            raise BadData(f"{symbol}: yfinance refuses: {error}") from error
        except OSError as error:  # what its client raises when there is no answer
            raise Busy(f"Yahoo: {error}") from error
        except READER_BROKE as error:  # it reads answers without looking at them first
            raise BadData(f"{symbol}: yfinance cannot read the answer: {error!r}") from error

    def _bars(self, symbol: str, table: Any) -> pl.DataFrame:
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise BadData(f"{symbol}: yfinance gave no {', '.join(missing)}")
        if not len(table):
            raise NothingThere(f"{symbol}: Yahoo has no bars in these days")
        if self.interval is Interval.DAY:
            times = pl.Series("date", [at.date() for at in table.index], dtype=pl.Date)
        else:
            utc = [at.to_pydatetime() for at in table.index.tz_convert("UTC")]
            times = pl.Series("timestamp", utc, dtype=pl.Datetime("us", "UTC"))
        names = dict(zip(_COLUMNS, (*VALUES, ADJUSTED), strict=True))
        return pl.DataFrame(
            [
                times,
                pl.Series("symbol", [symbol] * len(table), dtype=pl.String),
                *(
                    pl.Series(ours, table[theirs].astype(float).to_list(), dtype=pl.Float64)
                    for theirs, ours in names.items()
                ),
            ]
        )


def _loaded(cache: Path) -> Any:
    try:
        import yfinance  # noqa: PLC0415 - loads pandas, and is an extra
    except ImportError as error:
        raise ConfigError(
            f"--source yfinance needs yfinance, which is not installed ({error}): run "
            "`make setup-yahoo`"
        ) from error
    warnings.filterwarnings("ignore", module="yfinance")  # how it uses pandas is its own affair
    cache.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(cache))
    yfinance.config.debug.hide_exceptions = False  # or it logs them and returns an empty table
    return yfinance
