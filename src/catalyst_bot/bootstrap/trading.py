"""`trade buy` and `trade sell`: ask the running bot for a trade and wait for its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.trade_desk import (
    FINAL,
    REFUSED,
    REJECTED,
    Answer,
    TradeDesk,
    TradeRequest,
    request_id_at,
)

POLL_S = 0.05


def ask_for_trade(
    data_dir: Path,
    *,
    side: Side,
    symbol: str,
    usd: Decimal | None,
    quantity: Decimal | None,
    wait_s: float,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Return what became of a trade, or how far it got within `wait_s`.

    Raises `SourceUnreachable` when no bot is running on the data folder, or none answers.
    """
    desk = TradeDesk(data_dir)
    if not desk.is_attended():
        raise SourceUnreachable(
            f"no bot is running on {data_dir}: start one with `catalyst-bot run`, or name its "
            "folder with --data-dir"
        )
    request_id = request_id_at(SystemClock().now(), str(side), symbol)
    request = TradeRequest(
        request_id=request_id, by="operator", side=side, symbol=symbol, usd=usd, quantity=quantity
    )
    desk.ask(request)
    deadline = time.monotonic() + wait_s
    answer = desk.answer(request_id)
    while (answer is None or answer["state"] not in FINAL) and time.monotonic() < deadline:
        pause(POLL_S)
        answer = desk.answer(request_id)
    if answer is None:
        desk.withdraw(request_id)
        raise SourceUnreachable(
            f"the bot on {data_dir} did not answer within {wait_s:g} s; see `catalyst-bot explain "
            f"{request_id}` for what became of the request"
        )
    return answer


def is_refused(answer: Answer) -> bool:
    """True when a rule, or the broker, said no."""
    return answer["state"] in {REFUSED, REJECTED}


def parse_amount(text: str | None, flag: str) -> Decimal | None:
    """Read a positive amount. Raises `ConfigError` that names the flag."""
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except ArithmeticError as error:
        raise ConfigError(f"{flag} {text}: a number is needed") from error
    if not amount.is_finite() or amount <= 0:
        raise ConfigError(f"{flag} {text}: a number above zero is needed")
    return amount


def parse_shares(text: str | None, flag: str) -> Decimal | None:
    """Read a number of shares. Raises `ConfigError` that names the flag."""
    shares = parse_amount(text, flag)
    if shares is not None and shares != shares.to_integral_value():
        raise ConfigError(f"{flag} {text}: whole shares are traded")
    return shares


def answer_text(answer: Answer) -> str:
    """The answer in one or two lines."""
    state, request_id = answer["state"], answer["request_id"]
    more = f"; `catalyst-bot explain {request_id}` tells why"
    if is_refused(answer):
        seen = ""
        if "limit" in answer:
            seen = f": observed {answer['observed']:g}, limit {answer['limit']:g} {answer['unit']}"
        note = f" ({answer['note']})" if answer.get("note") else ""
        return f"{state} by {answer.get('rule', 'the broker')}{seen}{note}{more}"
    what = f"{answer.get('side')} {answer.get('quantity')} {answer.get('symbol')}"
    filled = answer.get("filled_quantity")
    part = f", {filled} filled" if filled not in {None, answer.get("quantity")} else ""
    at = f"{part} at {answer['price']}" if "price" in answer else ""
    return f"{state}: {what}{at}, order {answer.get('order_id', 'not named yet')}{more}"
