"""The start: is Alpaca there, is the account the one that is meant, do our clocks agree."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

from catalyst_bot.alpaca.access import LIVE_ACCOUNT, Access
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent, Told
from catalyst_bot.alpaca.reading import amount, time_of
from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.ports.clock import Clock

SILENCE_S = 1.0  # of one question at the start: a person waits, and is told within three seconds
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
REPLAY_SPEED = "x-replay-speed"
STEPPED = "step"
T = TypeVar("T")
_PAPER_NUMBER = "PA"
_BLOCKS = ("account_blocked", "trading_blocked", "trade_suspended_by_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that may trade."""

    number: str
    cash_usd: Decimal
    equity_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTime:
    """What the venue's clock showed at a moment of ours, and how fast it runs.

    `shown_at` is our time in the middle of asking, `unsure` half of what the asking took.
    `speed` is 1 except at an exchange on this machine that replays days; 0 stands for one whose
    clock moves only when it is told to.
    """

    at: datetime
    shown_at: datetime
    unsure: timedelta
    speed: float = 1.0
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account that is fit to trade, and the time there."""

    account: Account
    time: VenueTime


async def ask_standing(
    access: Access,
    *,
    clock: Clock,
    number: str = "",
    benchmark: str = "",
    wants_sip: bool = False,
) -> Standing:
    """Return the account of the keys and the time there.

    `number` is the account that the configuration means, empty for any; `benchmark` the symbol that
    has to be known there. `wants_sip` asks whether the account may see all exchanges. Raises
    `SourceUnreachable` when Alpaca does not answer in time, `ConfigError` when it refuses the keys,
    the account may not trade or is another one, the clocks are apart, the benchmark is not traded,
    or the prices are not paid for.
    """
    try:
        # loading the SDK takes as long as an answer: both at once
        client, _ = await asyncio.gather(asyncio.to_thread(AlpacaClient, access), _reach(access))
        async with client:
            asked_at = clock.now()
            told = await _soon(client.clock())
            time = read_time(told, asked_at=asked_at, answered_at=clock.now(), access=access)
            account = read_account(await _soon(client.trading("GET", "/v2/account")))
            if benchmark:
                await _check_benchmark(client, benchmark, access)
            if wants_sip:
                await _check_sip(client)
    except TimeoutError as error:
        raise SourceUnreachable(
            f"{access.base_url} gave no answer within {SILENCE_S:g} s"
        ) from error
    except OSError as error:
        raise SourceUnreachable(
            f"{access.base_url} cannot be reached: {error.strerror or error}"
        ) from error
    except AlpacaSilent as error:
        raise SourceUnreachable(f"{access.base_url} cannot be reached: {error}") from error
    except BadData as error:
        raise SourceUnreachable(f"{access.base_url} is no Alpaca: {error}") from error
    except AlpacaRefused as error:
        raise _refused(error, access) from error
    _check_number(account, access, number)
    _check_clocks(time, access)
    return Standing(account=account, time=time)


async def _reach(access: Access) -> None:
    """Find out whether anybody is there. Raises `OSError`, and `TimeoutError` for silence."""
    parts = urlsplit(access.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await _soon(asyncio.open_connection(parts.hostname, port))
    writer.close()


async def _soon(asking: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(SILENCE_S):
        return await asking


def _refused(error: AlpacaRefused, access: Access) -> Exception:
    if error.is_about_keys:
        kind = "the live account" if access.live_account else "a paper account"
        return ConfigError(f"Alpaca refuses the keys ({error}): they must be those of {kind}")
    return SourceUnreachable(f"{access.base_url} refuses to show the account: {error}")


async def _check_benchmark(client: AlpacaClient, symbol: str, access: Access) -> None:
    """Its prices tell whether the stream still speaks: of a symbol nobody knows there are none."""
    try:
        await _soon(client.trading("GET", f"/v2/assets/{symbol}"))
    except AlpacaRefused as error:
        if not error.is_unknown:
            raise
        raise ConfigError(
            f"run.benchmark = {symbol} is not traded at {access.base_url}: set it to one that is "
            "(in a generated market that is MKT: CATALYST_RUN__BENCHMARK=MKT)"
        ) from error


async def _check_sip(client: AlpacaClient) -> None:
    query = {"symbols": "SPY", "feed": "sip"}
    try:
        await _soon(client.data("/v2/stocks/quotes/latest", query))
    except AlpacaRefused as error:
        raise ConfigError(
            f"alpaca.feed = sip is not open to this account ({error}): set alpaca.feed = iex, or "
            "subscribe to it on alpaca.markets"
        ) from error


def read_account(told: Any) -> Account:
    """Read an account that may trade. Raises `BadData`, and `ConfigError` for one that may not."""
    if not isinstance(told, dict) or "status" not in told:
        raise BadData("the answer is no account")
    account = Account(
        number=str(told.get("account_number", "?")),
        cash_usd=amount(told, "cash"),
        equity_usd=amount(told, "equity"),
    )
    blocks = [name for name in _BLOCKS if told.get(name) is True]
    if told["status"] != "ACTIVE" or blocks:
        why = ", ".join([f"status {told['status']}", *blocks])
        raise ConfigError(
            f"Alpaca account {account.number} may not trade ({why}): lift that on alpaca.markets"
        )
    if not account.cash_usd > 0:
        raise ConfigError(f"Alpaca account {account.number} has no cash (${account.cash_usd})")
    return account


def read_time(
    told: Told, *, asked_at: datetime, answered_at: datetime, access: Access
) -> VenueTime:
    """Read the answer of `/v2/clock`. Raises `BadData`.

    Only an exchange on this machine may say that it replays: elsewhere the header means nothing.
    """
    if not isinstance(told.body, dict):
        raise BadData("the answer is no clock")
    took = answered_at - asked_at
    header = next((v for k, v in told.headers.items() if k.lower() == REPLAY_SPEED), "")
    is_replay = bool(header) and access.is_local
    return VenueTime(
        at=time_of(told.body, "timestamp"),
        shown_at=asked_at + took / 2,
        unsure=took / 2,
        speed=_speed(header) if is_replay else 1.0,
        is_replay=is_replay,
    )


def _speed(header: str) -> float:
    if header == STEPPED:
        return 0.0
    try:
        speed = float(header)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ConfigError(
            f"the exchange replays at speed {header!r}: a bot can only follow a number above 0; "
            "start it with --speed 60, say"
        )
    return speed


def _check_number(account: Account, access: Access, wanted: str) -> None:
    """The account is the one that was meant, and of the kind the mode says."""
    number = account.number
    if wanted and number != wanted:
        raise ConfigError(
            f"the keys are those of account {number}, and alpaca.account = {wanted!r}: export the "
            "keys of that account, or change the setting"
        )
    if access.live_account and number != access.live_account:
        raise ConfigError(
            f"the keys are those of account {number}, and {LIVE_ACCOUNT} names "
            f"{access.live_account}: real money is traded only in the account that is named"
        )
    if not access.live_account and not number.startswith(_PAPER_NUMBER):
        raise ConfigError(
            f"account {number} is no paper account (those begin with {_PAPER_NUMBER}), and "
            "run.mode is not live: export the keys of a paper account"
        )


def _check_clocks(time: VenueTime, access: Access) -> None:
    """Fresh quotes and deadlines mean nothing to a clock that is off."""
    apart = abs(time.at - time.shown_at) - time.unsure
    if access.is_local or apart <= MAX_CLOCK_DIFFERENCE:
        return
    raise ConfigError(
        f"this machine's clock is {apart.total_seconds():.1f} s away from Alpaca's (at most "
        f"{MAX_CLOCK_DIFFERENCE.total_seconds():g} s): let NTP set it"
    )
