"""Why did it buy (or not): the thread from headline to fill, read from the journal alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.news import SentimentOpinion
from catalyst_bot.domain.trading import ContextFactor
from catalyst_bot.monitoring import explain_votes
from catalyst_bot.monitoring.telling import (
    Explanation,
    Line,
    Row,
    Section,
    check_rows,
    gain,
    number,
    section,
    stamp,
)
from catalyst_bot.monitoring.what_if import WhatIf
from catalyst_bot.risk.check_table import ENTRY_CHECKS, STATE

_OVERRIDABLE = frozenset(row.name for row in ENTRY_CHECKS if row.may_be_overridden)


def explain(subject: str, trail: Sequence[Recorded], what_if: WhatIf | None = None) -> Explanation:
    """Tell the trail of `subject` (all records of one catalyst, its headline first)."""
    sections: list[Section] = []
    verdict = "Nothing is recorded for this id."
    told, later_looks = explain_votes.without_quiet_reviews(_without_copies(trail))
    for record in told:
        teller = _TELLERS.get(type(record.body))
        if teller is not None:
            part, sentence = teller(record.body, record.at)
            sections.append(part)
            verdict = sentence or verdict
    sections += later_looks
    fills = [r for r in trail if isinstance(r.body, f.OrderFilled)]
    if fills:
        sections.append(_orders(trail))
    if what_if is not None:
        sections.append(_what_if(what_if))
    return Explanation(
        subject=subject, verdict=verdict, sections=tuple(sections), may_pass=_may_pass(trail)
    )


def _may_pass(trail: Sequence[Recorded]) -> str:
    """Return the intent that was refused last, by nothing but rules that may be overridden."""
    verdicts = [r.body for r in trail if isinstance(r.body, d.OrderApproved | d.OrderRefused)]
    last = verdicts[-1] if verdicts else None
    if not isinstance(last, d.OrderRefused):
        return ""
    failed = {check.name for check in last.checks if not check.passed}
    return last.intent_id if failed <= _OVERRIDABLE else ""


def _without_copies(trail: Sequence[Recorded]) -> list[Recorded]:
    """Leave out later copies of the headline: they caused nothing."""
    first = next((r.seq for r in trail if isinstance(r.body, f.HeadlineReceived)), 0)
    copies = {
        record.seq
        for record in trail
        if isinstance(record.body, f.HeadlineReceived) and record.seq > first
    }
    return [r for r in trail if r.seq not in copies and r.cause_seq not in copies]


def _headline(message: f.HeadlineReceived, at: datetime) -> tuple[Section, str]:
    item = message.headline
    rows: list[Row | Line] = [
        ("title", item.title),
        ("source", item.source),
        ("published", stamp(item.published_at)),
        ("received", stamp(at)),
        ("id", item.item_id),
    ]
    if item.form:
        rows.append(("filing", " ".join([item.form, *item.items, item.accession]).strip()))
    return section("Headline", rows), ""


def _ignored(message: d.HeadlineIgnored, _: datetime) -> tuple[Section, str]:
    rows = (("step not reached", message.step), ("reason", message.reason))
    values = (("allowed", message.limit), ("observed", message.observed))
    sentence = f"Ignored: {message.reason.replace('_', ' ')}."
    return section("Ignored", rows + tuple(row for row in values if row[1])), sentence


def _catalyst(message: d.CatalystDetected, _: datetime) -> tuple[Section, str]:
    found = message.catalyst
    sign = {1: "good", -1: "bad", 0: "unknown from the text: the market's reaction decides"}
    rows: list[Row | Line] = [
        ("symbol", found.symbol),
        ("category", f"{found.category} ({found.action})"),
        ("direction", sign[found.direction]),
        ("evidence", "; ".join(found.evidence) or "form and item numbers"),
        ("sentiment", number(found.sentiment)),
        ("score", number(found.score)),
        ("confidence", number(found.confidence)),
    ]
    if found.novelty < 1:
        rows.append(("novelty", f"{number(found.novelty)} of {found.story_id}"))
    rows += [(f"  {x.name}", number(x.value) + f"  {x.note}".rstrip()) for x in found.factors]
    rows += _opinion_rows(found.opinions)
    edge = (found.edge_bps, found.edge_low_bps, found.edge_high_bps)
    if None not in edge:
        value, low, high = (number(each) for each in edge if each is not None)
        rows.append(("edge", f"{value} bps [{low}, {high}] after costs, of the category"))
    sentence = f"{found.symbol}: {found.category} found, waiting for the market."
    return section("Catalyst", rows), sentence


def _opinion_rows(opinions: Sequence[SentimentOpinion]) -> list[Row | Line]:
    return [
        (
            f"  opinion of {x.name}",
            f"{x.value:+.3f} (weight {number(x.weight)} x confidence {number(x.confidence)} "
            f"x decay {number(x.decay)})  {x.note}".rstrip(),
        )
        for x in opinions
    ]


def _held(message: d.CatalystHeld, _: datetime) -> tuple[Section, str]:
    found = message.catalyst
    rows: tuple[Row | Line, ...] = (
        ("until", stamp(message.until)),
        ("rules alone", f"{found.category}, score {number(found.score)}"),
        ("confidence", number(found.confidence)),
    )
    sentence = f"{found.symbol}: {found.category} found, waiting for a second reading."
    return section("Held for a second reading", rows), sentence


def _second_reading(message: f.TextOpinionsReceived, at: datetime) -> tuple[Section, str]:
    rows: list[Row | Line] = [("at", stamp(at))]
    for said in message.opinions:
        known = f"knows the world up to {said.knowledge_cutoff or 'an unknown day'}"
        rows += [
            (
                f"{said.reader} ({said.model})",
                f"{said.value:+.2f}, {number(said.confidence)} sure",
            ),
            ("  event", said.event or "none"),
            ("  cost", f"${said.cost_usd}{' (from the cache)' if said.is_cached else ''}, {known}"),
            *((("  said"), label) for label in said.labels),
        ]
    rows += [("refused", reason) for reason in message.refusals]
    return section("Second reading", rows), ""


def _signal(message: d.SignalFormed, at: datetime) -> tuple[Section, str]:
    signal = message.signal
    rows: tuple[Row | Line, ...] = (
        ("formed", stamp(at)),
        ("price", number(signal.price)),
        ("quote", f"{number(signal.quote.bid)} / {number(signal.quote.ask)}"),
        ("reaction", f"{number(signal.reaction_bps)} bps over the benchmark since the news"),
        ("relative volume", number(signal.rvol)),
        ("ATR", f"{number(signal.atr)} (average {number(signal.atr_average)})"),
        ("VWAP", number(signal.vwap)),
        ("regime", str(signal.regime)),
        ("context", "shown and recorded; it changes no decision"),
        *(_context_row(factor) for factor in signal.context),
        *check_rows(signal.checks),
    )
    title = "Signal of a later look" if signal.is_review else "Signal"
    return section(title, rows), "A signal was formed."


def _context_row(factor: ContextFactor) -> Row:
    """A number around the signal, with where and when it is from."""
    note = f" ({factor.note})" if factor.note else ""
    if not factor.is_known:
        return f"  {factor.name}", "unknown"
    told = factor.note if factor.unit == "state" else f"{number(factor.value)} {factor.unit}{note}"
    return f"  {factor.name}", f"{told}, {factor.source} of {stamp(factor.as_of)}"


def _dropped(message: d.SignalDropped, at: datetime) -> tuple[Section, str]:
    rows = (("at", stamp(at)), ("reason", message.reason), *check_rows(message.checks))
    sentence = f"{message.symbol}: no signal, {message.reason.replace('_', ' ')}."
    return section("No signal", rows), sentence


def _sizing_rows(sizing: Sequence[Any]) -> tuple[Row, ...]:
    return tuple(
        (f"size: {step.name}", f"${step.size_usd:,.2f}" + (f" ({step.note})" if step.note else ""))
        for step in sizing
    )


def _approved(message: d.OrderApproved, _: datetime) -> tuple[Section, str]:
    order = message.order
    rows: list[Row | Line] = [
        ("order", f"{order.side} {order.quantity} {order.symbol} {order.kind} {order.role}"),
        ("id", order.client_order_id),
    ]
    if order.stop_loss_price is not None:
        rows.append(("stop loss", f"${order.stop_loss_price}"))
    if order.take_profit_price is not None:
        rows.append(("take profit", f"${order.take_profit_price}"))
    if order.exit_reason is not None:
        rows.append(("exit reason", str(order.exit_reason)))
    rows += [*_sizing_rows(order.sizing), *check_rows(order.checks)]
    sentence = f"Risk approved: {order.side} {order.quantity} {order.symbol}."
    return section("Risk: approved", rows), sentence


def _refused(message: d.OrderRefused, _: datetime) -> tuple[Section, str]:
    failed = next((c for c in message.checks if c.name == message.rule), None)
    by = ""
    if failed is not None and failed.unit == STATE:
        by = f": {failed.note}"
    elif failed is not None:
        by = f": observed {number(failed.observed)}, limit {number(failed.limit)} {failed.unit}"
    rows = (*_sizing_rows(message.sizing), *check_rows(message.checks))
    sentence = f"{message.symbol}: refused by {message.rule}{by}."
    return section("Risk: refused", rows), sentence


def _overridden(
    message: d.OverrideGranted | d.OverrideRefused, at: datetime
) -> tuple[Section, str]:
    rows: list[Row | Line] = [
        ("at", stamp(at)),
        ("by", message.by),
        ("rules", ", ".join(message.rules)),
        ("reason", message.reason),
    ]
    if isinstance(message, d.OverrideGranted):
        rows.append(("until", f"{stamp(message.expires_at)}, or used once"))
        sentence = f"{message.symbol}: {message.by} overrode {', '.join(message.rules)}."
        return section("Overridden", rows), sentence
    return section("Override refused", rows), ""


def _stop_moved(message: d.StopMoved, at: datetime) -> tuple[Section, str]:
    rows: tuple[Row | Line, ...] = (
        ("at", stamp(at)),
        ("stop", f"${message.old_stop_price} -> ${message.stop_price}"),
        ("highest price", f"${message.high_water_price}"),
    )
    return section("Stop raised", rows), ""


def _closed(message: d.PositionClosed, _: datetime) -> tuple[Section, str]:
    trade = message.trade
    rows: tuple[Row | Line, ...] = (
        ("entry", f"{stamp(trade.entry_at)} at ${trade.entry_price:.4f}"),
        ("exit", f"{stamp(trade.exit_at)} at ${trade.exit_price:.4f} ({trade.exit_reason})"),
        ("quantity", str(trade.quantity)),
        ("fees", f"${trade.fees_usd}"),
        ("P&L", f"{gain(trade.pnl_usd)} ({trade.pnl_fraction:+.2%})"),
    )
    sentence = (
        f"{trade.symbol}: bought {trade.quantity}, closed by {trade.exit_reason}, "
        f"P&L {gain(trade.pnl_usd)}."
    )
    return section("Outcome", rows), sentence


def _opened(message: d.PositionOpened, at: datetime) -> tuple[Section, str]:
    position = message.position
    rows: tuple[Row | Line, ...] = (
        ("at", stamp(at)),
        ("position", f"{position.quantity} at ${position.average_cost:.4f}"),
    )
    return section("Position", rows), f"{position.symbol}: position is open."


def _request(message: f.OperatorTradeRequested, at: datetime) -> tuple[Section, str]:
    rows: list[Row | Line] = [
        ("at", stamp(at)),
        ("by", message.by),
        ("wants", f"{message.side} {message.symbol}"),
    ]
    if message.usd is not None:
        rows.append(("dollars", f"{message.usd}"))
    if message.quantity is not None:
        rows.append(("shares", f"{message.quantity}"))
    return section("Asked for", rows), f"{message.by} asked to {message.side} {message.symbol}."


def _naked(message: d.ProtectionNeeded, at: datetime) -> tuple[Section, str]:
    rows: tuple[Row | Line, ...] = (
        ("at", stamp(at)),
        ("shares without a stop", f"{message.quantity}"),
        ("step", f"{message.step}, grace over {message.escalation} times"),
        ("why", message.detail),
    )
    return section("Protection needed", rows), ""


def _queued(message: d.OrderQueued, at: datetime) -> tuple[Section, str]:
    order = message.order
    rows = (("at", stamp(at)), ("order", order.client_order_id), ("why", message.reason))
    return section("Waits", rows), f"{order.symbol}: the order waits, {message.reason}."


def _withdrawn(message: d.OrderWithdrawn, at: datetime) -> tuple[Section, str]:
    rows = (("at", stamp(at)), ("order", message.client_order_id), ("why", message.reason))
    return section("Not sent", rows), ""


_TELLERS: dict[type, Callable[[Any, datetime], tuple[Section, str]]] = {
    f.HeadlineReceived: _headline,
    f.OperatorTradeRequested: _request,
    d.ProtectionNeeded: _naked,
    d.OrderQueued: _queued,
    d.OrderWithdrawn: _withdrawn,
    d.HeadlineIgnored: _ignored,
    d.CatalystHeld: _held,
    f.TextOpinionsReceived: _second_reading,
    d.CatalystDetected: _catalyst,
    d.SignalFormed: _signal,
    d.SignalDropped: _dropped,
    d.CaseOpened: explain_votes.opened,
    d.IntentFormed: explain_votes.intent,
    d.IntentDeclined: explain_votes.declined,
    d.CandidateVoted: explain_votes.candidate,
    d.OrderApproved: _approved,
    d.OrderRefused: _refused,
    d.OverrideGranted: _overridden,
    d.OverrideRefused: _overridden,
    d.PositionOpened: _opened,
    d.StopMoved: _stop_moved,
    d.PositionClosed: _closed,
}
_ORDER_WORDS = {
    f.OrderAccepted: "accepted",
    f.OrderRejected: "rejected",
    f.OrderCancelled: "cancelled",
    f.OrderExpired: "expired",
    f.OrderReplaced: "moved",
    f.SubmitSuppressed: "not sent",
}


def _orders(trail: Sequence[Recorded]) -> Section:
    """The life of every order of the trail, in order of time."""
    rows: list[Row | Line] = []
    for record in trail:
        body: Any = record.body
        if isinstance(body, f.OrderFilled):
            fill = body.fill
            said = f"filled {fill.quantity} at ${fill.price}, fee ${fill.fee_usd}"
            rows.append((stamp(fill.filled_at), f"{fill.client_order_id} {said}"))
        elif isinstance(body, d.ProtectionChanged):
            rows.append((stamp(record.at), f"{body.symbol} is protected by {body.detail}"))
        elif type(body) in _ORDER_WORDS:
            why = f": {body.reason}" if getattr(body, "reason", "") else ""
            word = _ORDER_WORDS[type(body)]
            rows.append((stamp(record.at), f"{body.client_order_id} {word}{why}"))
    return section("Orders and fills", rows)


_THEN = {
    "SetTimer": "it then waits for the market, where further gates follow",
    "RequestMarketView": "it is then held against the market, where further gates follow",
    "SignalFormed": "a signal is then formed",
    "IntentFormed": "the policy then wants to trade",
    "OrderApproved": "the order is then approved",
}


def _what_if(found: WhatIf) -> Section:
    rows = tuple((c.what, f"{c.before} -> {c.after}") for c in found.changes)
    then = _THEN.get(found.outcome, f"the stage then says {found.outcome}")
    verified = ("verified by deciding again", then)
    return section("Smallest change that flips it", (*rows, verified))
