"""Bars from CSV files, one a symbol: at an address like Stooq's, or in a folder of this machine.

Read are the headers that such files have (`Date,Open,High,Low,Close,Volume`, `<TICKER>,<DATE>,...`)
and our own. A time of day must say its zone: nobody can guess it. Whatever is no such table is
refused with its beginning: a vendor's "daily limit exceeded" comes as an ordinary page.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter
from urllib.parse import quote, urlsplit

import httpx2
import polars as pl

from catalyst_bot.alpaca.access import is_loopback
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.pages import Pages, asked_of
from catalyst_bot.downloads.patience import Patience
from catalyst_bot.downloads.wanted import Fetched, Known, NothingThere, Period, with_day
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.page import one_line
from catalyst_bot.feeds.source import redacted
from catalyst_bot.feeds.turns import Turns
from catalyst_bot.market_data.load import ADJUSTED, VALUES

KEY_ENV = "CATALYST_CSV_KEY"
LIMITS = ((1, 1),)  # requests a second, where nobody documents a limit
MAX_BYTES = 64 << 20
_FIELDS = frozenset({"symbol", "lower", "start", "end", "key"})
_OTHER_NAMES = {
    "vol": "volume",
    "adj_close": ADJUSTED,
    "adjclose": ADJUSTED,
    "datetime": "timestamp",
}
_QUOTED_BYTES = 80
_A_DAY = date(2020, 1, 2)


class CsvBars:
    """Bars of one interval from a template of addresses or paths: a `Source`.

    In `template`, `{symbol}`, `{lower}` (the symbol in small letters), `{start}`, `{end}` and
    `{key}` are filled in; days may have a form, as in `{start:%Y%m%d}`. `adjustment` and `terms`
    are the words of whoever set it up. Raises `ConfigError` for a template that will not do.
    """

    name = "csv"

    def __init__(
        self,
        client: httpx2.AsyncClient,
        patience: Patience,
        *,
        template: str,
        key: str,
        interval: Interval,
        adjustment: str,
        terms: str,
        turns: Turns | None = None,
    ) -> None:
        _check(template, key)
        self._pages = Pages(client, patience, turns or Turns(LIMITS))
        self._template = template
        self._key = key
        self.interval: Interval | None = interval
        self.adjustment = adjustment
        self.terms = terms
        self._is_web = _is_web(template)
        self.place = redacted(_filled(template, "SYMBOL", _ANY)) if self._is_web else template
        self.vendor = urlsplit(self.place).hostname or "files" if self._is_web else "files"

    async def fetch(self, symbol: str, period: Period, known: Known | None) -> Fetched | None:
        """See `Source`."""
        if not self._is_web:
            path = Path(_filled(self._template, symbol, period))
            return Fetched(rows=self._read(symbol, period, _content(path), str(path)))
        url = _filled(self._template, symbol, period, quote(self._key, safe=""))
        request = Request(url=url, secret=self._key, max_bytes=MAX_BYTES)
        is_later = known is not None and known.period.first <= period.first
        answer = await self._pages.get(request, known if is_later else None)
        if answer is None:
            return None
        try:
            rows = self._read(symbol, period, answer.content, f"{symbol} at {self.place}")
        except BadData as error:  # it quotes the page, which may repeat the key
            raise BadData(request.blotted(str(error))) from None
        return Fetched(
            rows=rows,
            asked=asked_of(url),
            etag=answer.validators.etag,
            last_modified=answer.validators.last_modified,
        )

    def _read(self, symbol: str, period: Period, content: bytes, place: str) -> pl.DataFrame:
        bars = with_day(_read_bars(content, symbol, place, is_daily=self.interval is Interval.DAY))
        return bars.filter(pl.col("day") >= period.first)


_ANY = Period(first=_A_DAY, last=_A_DAY)


def _check(template: str, key: str) -> None:
    """Refuse what cannot be filled in, leads elsewhere than it says, or shows a key to others."""
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        _filled(template, "A", _ANY, key)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError(f"downloads.csv = {template!r}: cannot be filled in: {error}") from error
    if unknown := sorted(fields - _FIELDS):
        known = ", ".join(f"{{{name}}}" for name in sorted(_FIELDS))
        raise ConfigError(f"downloads.csv: {{{unknown[0]}}} is none of {known}")
    if not fields & {"symbol", "lower"}:
        raise ConfigError(
            "downloads.csv names no {symbol}: give an address or path such as "
            "https://example.org/{symbol}.csv"
        )
    if "key" in fields and not key:
        raise ConfigError(f"downloads.csv has a {{key}}: set {KEY_ENV} (or {KEY_ENV}_FILE)")
    if not _is_web(template):
        return
    try:
        parts = urlsplit(template)
        _ = parts.port  # reading it checks it
    except ValueError as error:
        raise ConfigError(f"downloads.csv: is no address: {error}") from error
    if parts.password is not None:
        raise ConfigError(f"downloads.csv holds a password: write {{key}} and set {KEY_ENV}")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    if "{" in parts.netloc or not is_safe:
        raise ConfigError(
            f"downloads.csv: {redacted(template)} is no https address with a fixed host"
        )


def _is_web(template: str) -> bool:
    return "://" in template


def _filled(template: str, symbol: str, period: Period, key: str = "") -> str:
    return template.format(
        symbol=symbol, lower=symbol.lower(), start=period.first, end=period.last, key=key
    )


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadData(f"{path}: more than {MAX_BYTES >> 20} MiB; put each symbol into a file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NothingThere(f"{path}: no such file") from error
    except OSError as error:
        raise BadData(f"{path}: cannot be read: {error.strerror}") from error


def _read_bars(content: bytes, symbol: str, place: str, *, is_daily: bool) -> pl.DataFrame:
    """Return bars in the columns of the import, prices as they are; rows without a readable time
    refuse the file, since a table of which half is missing looks like a market that was closed.
    """
    try:
        table = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise BadData(f"{place}: is no CSV table: {_beginning(content)}") from error
    spelled = {name: name.strip("<> ").lower().replace(" ", "_") for name in table.columns}
    named = {name: _OTHER_NAMES.get(plain, plain) for name, plain in spelled.items()}
    if len(set(named.values())) < len(named):
        raise BadData(f"{place}: two columns of one name in {', '.join(table.columns)}")
    table = table.rename(named)
    time = "date" if is_daily else "timestamp"
    missing = [name for name in (time, *VALUES) if name not in table.columns]
    if missing:
        raise BadData(f"{place}: no {', '.join(missing)} in {_beginning(content)}")
    read = _date if is_daily else _time
    return table.select(
        pl.Series(
            time,
            [read(text, f"{place}, line {line}") for line, text in enumerate(table[time], start=2)],
            dtype=pl.Date if is_daily else pl.Datetime("us", "UTC"),
        ),
        pl.lit(symbol).alias("symbol"),
        *(
            pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
            for name in (*VALUES, ADJUSTED)
            if name in table.columns
        ),
    )


def _date(text: str | None, place: str) -> date:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError as error:
        raise BadData(f"{place}: {text!r} is no day such as 2025-10-06") from error


def _time(text: str | None, place: str) -> datetime:
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError as error:
        raise BadData(f"{place}: {text!r} is no time such as 2025-10-06T13:30:00Z") from error
    if at.tzinfo is None:
        raise BadData(f"{place}: {text!r} names no zone; bars of a session need UTC or an offset")
    return at.astimezone(UTC)


def _beginning(content: bytes) -> str:
    return repr(one_line(content[:_QUOTED_BYTES].decode("utf-8", "replace")))
