"""The exchange put together from what was asked for on the command line, and served."""

from __future__ import annotations

import asyncio
import gc
import math
import secrets
import signal
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.books.account_book import printable
from catalyst_bot.exchange.books.records import AccessKey
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.faults.book import FaultBook
from catalyst_bot.exchange.faults.rules import read_rules
from catalyst_bot.exchange.knobs import Knobs, Profile, knobs_from
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.clock import ClockKind, ExchangeClock, system_time
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.sources import generated_market, generated_now, recorded_market
from catalyst_bot.exchange.market.world import MarketSource, World
from catalyst_bot.exchange.serving.app import Accounts, Parts, create_app
from catalyst_bot.exchange.serving.serve import address_of, listen, serve
from catalyst_bot.exchange.serving.tls import Certificate, certificate_in
from catalyst_bot.exchange.streams.hub import StreamHub
from catalyst_bot.exchange.streams.limits import StreamLimits
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.replies import rfc3339

Say = Callable[[str], None]
WALL, STEP, MAX = "wall", "step", "max"
_DATA, _BEGAN = "data", "began"  # settings of the file
_SHOWN: Final = 16  # digits of a hash
_TOKEN_BYTES: Final = 18
_WHEN: Final = "--start {}: give a time with its zone, such as 2025-10-22T13:30:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The flags of `catalyst-bot exchange serve`; None leaves the word to the knobs or a default.

    `keys` are pairs of key and secret, None where one has to be made.
    """

    host: str = "127.0.0.1"
    port: int = 0
    bars: Sequence[Path] = ()
    news: Sequence[Path] = ()
    events: Path | None = None
    start: str | None = None
    speed: str = "1"
    keys: Sequence[tuple[str | None, str | None]] = ()
    seed: int | None = None
    profile: str | None = None
    knobs: Path | None = None
    faults: Path | None = None
    db: Path | None = None
    admin_token: str | None = None
    tls: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An exchange that only waits to be served."""

    parts: Parts
    keys: Sequence[AccessKey]
    certificate: Certificate | None
    notes: Sequence[str]

    def line(self, address: str) -> str:
        """Return what is printed when it is served: one line that scripts can read."""
        clock = self.parts.clock
        words = [f"exchange ready {address}"]
        words += [f"key={key.key_id} secret={key.secret}" for key in self.keys]
        words += [f"admin-token={self.parts.admin_token}", f"clock={clock.kind}"]
        if clock.kind is not ClockKind.WALL:
            words.append(f"now={rfc3339(clock.now())}")
        if clock.kind is ClockKind.REPLAY:
            words.append(f"speed={MAX if math.isinf(clock.speed) else f'{clock.speed:g}'}")
        return " ".join(words)


def paired(
    keys: Sequence[str], secrets_: Sequence[str]
) -> tuple[tuple[str | None, str | None], ...]:
    """Join keys and secrets to pairs; of what is not given, None. Raises `ConfigError`."""
    if keys and secrets_ and len(keys) != len(secrets_):
        raise ConfigError(
            f"--key and --secret: {len(keys)} keys and {len(secrets_)} secrets; give as many of "
            "one as of the other, or only one of the two"
        )
    return tuple(zip_longest(keys, secrets_))


def serve_exchange(asked: Asked, *, say: Say, note: Say) -> None:
    """Serve an exchange until SIGINT or SIGTERM.

    `say` gets the ready line, `note` what people should know. Raises `ConfigError` or `BadData`
    for what was asked for and cannot be.
    """
    with ExitStack() as stack:
        ready = open_exchange(asked, stack)
        for line in ready.notes:
            note(line)
        listener = stack.enter_context(listen(asked.host, asked.port))
        line = ready.line(address_of(listener, ready.certificate))
        parts = ready.parts

        async def run() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            await serve(
                create_app(parts),
                listener,
                beside=[lambda: _conduct(parts), parts.streams.run],
                on_ready=lambda: say(line),
                stop=stop,
                certificate=ready.certificate,
            )
            parts.exchange.settle(is_exact=True)  # the next start goes on at this very time

        gc.collect()
        gc.freeze()  # the market lives as long as the process; no collection has to walk it
        try:
            asyncio.run(run())
        except ApiError as error:  # between requests: a moment of the market cannot be kept
            raise ConfigError(
                f"--db {asked.db}: cannot be written ({error.__cause__}); make room and start it "
                "again: nothing that was answered is lost"
            ) from error


async def _conduct(parts: Parts) -> None:
    """Run the clock; one that runs as fast as it can waits for the first client of a stream."""
    if math.isinf(parts.clock.speed):
        await parts.streams.joined.wait()
    await parts.conductor.run()


def open_exchange(asked: Asked, stack: ExitStack) -> Ready:
    """Put an exchange together; `stack` closes its file in the end."""
    _check_words(asked)
    knobs = _knobs(asked)
    rules = read_rules(asked.faults) if asked.faults else ()
    certificate = certificate_in(asked.tls) if asked.tls else None
    source = _source(asked, knobs)
    notes = list(source.notes)
    store = stack.enter_context(ExchangeStore(asked.db))
    _belongs(store, asked, _data_name(asked, knobs, source))
    start, resumed_at = _start(asked, source), store.clock()
    if resumed_at is not None and asked.speed != WALL:
        _same_start(store, asked, start)
        notes.append(f"{asked.db}: goes on where it stopped, at {rfc3339(resumed_at)}")
        start = resumed_at
    elif asked.speed != WALL:
        store.put_setting(_BEGAN, rfc3339(start))
    token = asked.admin_token or secrets.token_urlsafe(_TOKEN_BYTES)
    parts = _parts(knobs, source, store, _clock(asked.speed, start), admin_token=token)
    parts.faults.add(rules)
    accounts = parts.exchange.accounts
    for key_id, secret in asked.keys or ([] if len(accounts) else [(None, None)]):
        parts.exchange.open_account(key_id, secret)
    keys = [key for account in accounts for key in accounts.keys_of(account.account_id)]
    return Ready(parts=parts, keys=keys, certificate=certificate, notes=notes)


def _check_words(asked: Asked) -> None:
    """Raise `ConfigError` for a word that the ready line or a header could not hold."""
    for key_id, secret in asked.keys:
        printable("--key", key_id)
        printable("--secret", secret)
    printable("--admin-token", asked.admin_token)


def _parts(
    knobs: Knobs,
    source: MarketSource,
    store: ExchangeStore,
    clock: ExchangeClock,
    *,
    admin_token: str,
) -> Parts:
    is_ours = knobs.profile is Profile.OURS
    world = World(source, seed=knobs.seed)
    market = Market(world, quote_rule=QuoteRule.BARS if is_ours else QuoteRule.TRADES)
    exchange = Exchange(market, store, knobs, now=clock.now, seconds=_seconds(clock))
    faults = FaultBook(seed=knobs.seed, now=clock.now)
    limits = StreamLimits(
        auth_timeout_s=knobs.auth_timeout_s,
        connections=knobs.conn_limit,
        iex_symbols=knobs.iex_symbol_limit,
        has_sip=knobs.has_sip,
    )
    streams = StreamHub(register=Accounts(exchange), limits=limits, faults=faults)
    conductor = Conductor(
        market,
        clock,
        venue=exchange,
        data_hub=streams.data,
        news_hub=streams.news,
        breathe=streams.breathe,
        holds_openings=is_ours and clock.kind is ClockKind.STEP,
        since=store.played(),
        until=source.ends_at if math.isinf(clock.speed) else None,
    )
    exchange.publish = streams.trading.publish
    exchange.is_heard = streams.trading.hears
    exchange.nudge = conductor.nudge
    exchange.played = conductor.played
    streams.data.on_change = conductor.nudge
    return Parts(
        exchange=exchange,
        clock=clock,
        conductor=conductor,
        streams=streams,
        faults=faults,
        admin_token=admin_token,
    )


def _seconds(clock: ExchangeClock) -> Callable[[], float]:
    """By what requests are counted: real clients are slowed down by real time, but a run in steps
    has to be the same however fast this machine is.
    """
    if clock.kind is ClockKind.STEP:
        return lambda: clock.now().timestamp()
    return time.time


def _knobs(asked: Asked) -> Knobs:
    table: dict[str, Any] = {}
    if asked.knobs is not None:
        try:
            table = tomllib.loads(asked.knobs.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"--knobs {asked.knobs}: cannot be read: {error.strerror}; name a TOML file"
            ) from error
        except ValueError as error:
            raise ConfigError(f"--knobs {asked.knobs}: is not TOML: {error}") from error
    given = {"seed": asked.seed, "profile": asked.profile}
    return knobs_from({**table, **{name: v for name, v in given.items() if v is not None}})


def _source(asked: Asked, knobs: Knobs) -> MarketSource:
    delay = timedelta(seconds=knobs.news_delay_s)
    for flag, paths in (("--bars", asked.bars), ("--news", asked.news)):
        for path in paths:
            if not path.exists():
                raise ConfigError(f"{flag} {path}: no such file or folder; check the path")
    if asked.bars:
        return recorded_market(asked.bars, asked.news, news_delay=delay, events=asked.events)
    for flag, value in (("--news", asked.news), ("--events", asked.events)):
        if value:
            raise ConfigError(f"{flag} goes with --bars: the generated session has its own")
    if asked.speed == WALL:
        return generated_now(knobs.seed, now=system_time(), news_delay=delay)
    return generated_market(knobs.seed, news_delay=delay)


def _start(asked: Asked, source: MarketSource) -> datetime:
    if asked.start is None:
        return source.default_start
    try:
        at = datetime.fromisoformat(asked.start)
    except ValueError as error:
        raise ConfigError(_WHEN.format(asked.start)) from error
    if at.tzinfo is None:
        raise ConfigError(_WHEN.format(asked.start))
    if asked.speed == WALL:
        raise ConfigError("--start goes with a replay: leave it out, or give another --speed")
    first, last = source.begins_at, source.ends_at
    if not (first.date() <= at.astimezone(UTC).date() and at < last):
        raise ConfigError(
            f"--start {asked.start}: there are prices from {first.date()} to {last.date()}, until "
            f"{rfc3339(last)}; give a time of these days"
        )
    return at.astimezone(UTC)


def _data_name(asked: Asked, knobs: Knobs, source: MarketSource) -> str:
    """What an exchange is told apart by from those of other data: its orders are of these prices.

    The generated market of a wall clock is another every day, and only its seed stays.
    """
    is_of_today = asked.speed == WALL and not asked.bars
    data = "a generated market of the day" if is_of_today else f"data {source.data_hash()[:_SHOWN]}"
    return f"{data}, seed {knobs.seed}"


def _belongs(store: ExchangeStore, asked: Asked, data: str) -> None:
    """Let a new file belong to its data. Raises `ConfigError` for one that belongs to others."""
    made_with = store.setting(_DATA)
    if made_with is None:
        store.put_setting(_DATA, data)
    elif made_with != data:
        raise ConfigError(
            f"--db {asked.db}: belongs to {made_with}, and this is {data}; give the --bars, "
            "--news, --events and --seed it was made with, or name another file"
        )


def _same_start(store: ExchangeStore, asked: Asked, start: datetime) -> None:
    """Raises `ConfigError` when another beginning is asked for than the file has."""
    began = store.setting(_BEGAN)
    if asked.start is not None and began not in {None, rfc3339(start)}:
        raise ConfigError(
            f"--start {asked.start}: {asked.db} began at {began} and goes on where it stopped; "
            "leave --start out, or name another file"
        )


def _clock(word: str, start: datetime) -> ExchangeClock:
    match word:
        case "wall":
            return ExchangeClock.wall()
        case "step":
            return ExchangeClock.step(start)
        case "max":
            return ExchangeClock.replay(start, math.inf)
    try:
        speed = float(word)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise ConfigError(
            f"--speed {word}: give a number above 0 (60 = a minute a second), max, step "
            "(moved by POST /admin/clock/advance) or wall"
        )
    return ExchangeClock.replay(start, speed)
