"""What must hold once the faults are over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import OrderRole, OrderStatus, ProtectedBy, Side, TradingState
from catalyst_bot.domain.ids import OUR_PREFIX
from catalyst_bot.domain.money import ZERO, round_price, whole_shares
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.verify import first_divergence
from catalyst_bot.execution.protection import GUARD
from catalyst_bot.execution.state import CASH, POSITION
from catalyst_bot.simulation.venue_order import VenueOrder
from catalyst_bot.trials.invariants.seen import Observed, Scene
from catalyst_bot.trials.life import Life

ROUNDING_USD = Decimal("0.01")  # of one fill, whose price Alpaca rounds in an average
AVERAGE_FRACTION = Decimal("0.0001")  # by how much average prices may differ
VERIFIED_EVERY = 20  # seeds: deciding everything again takes as long as the run
SETTLED_S = 30.0  # after the faults: what they left behind is dealt with
CANCELLED_WITHIN_S = 200.0  # without faults: a cancel is asked for again every minute
ANSWERED_WITHIN_S = 10.0
RINGS_WITHIN = timedelta(seconds=1)
_UNCLEAR = frozenset({OrderStatus.SUBMITTED, OrderStatus.UNKNOWN})


def recovered(seen: Observed, scene: Scene, __: object) -> Iterator[str]:
    """The bot is up, hears its stream, and has compared the books.

    A difference that its second look took over is remembered until the look after that, which
    comes minutes after the open: what no longer differs is no doubt.
    """
    life = scene.life
    if life is None or life.is_dead:
        yield "no process runs"
        return
    books = life.engine.state.execution.books
    if life.is_starting:
        yield f"still starting; doubts: {books.doubts}"
    if not life.broker.stream.is_up:
        yield "the stream is not up"
    is_looked_at = scene.is_in_session()  # at other times no look follows the one that doubts
    doubts = [each for each in books.doubts if each != CASH and not _is_settled(life, scene, each)]
    if doubts and is_looked_at and not seen.is_flagged(life):
        yield f"doubts: {books.doubts}"
    state = life.engine.state.risk.trading_state
    if state not in {TradingState.ACTIVE, TradingState.HALTED}:
        yield f"trading is {state}"


def _is_settled(life: Life, scene: Scene, subject: str) -> bool:
    """A position that differed is the broker's by now."""
    kind, _, symbol = subject.partition(" ")
    state = life.engine.state
    position = state.portfolio.positions.get(symbol)
    ours = position.quantity if position is not None else ZERO
    theirs = scene.venue.held(symbol)
    return (
        kind == POSITION and ours + state.execution.books.foreign_shares.get(symbol, ZERO) == theirs
    )


def one_order_per_intent(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """Of every intent there is one order at the broker at most, under an id of ours."""
    entries: Counter[str] = Counter()
    for order in scene.venue.orders():
        promised = seen.promised.get(order.client_order_id)
        if order.client_order_id.startswith(OUR_PREFIX) and promised is None:
            yield f"{order.client_order_id} is at the broker and was never promised"
        if promised is not None and promised.role is OrderRole.ENTRY:
            entries[promised.signal_id] += 1
    for signal_id, count in entries.items():
        if count > 1:
            yield f"{count} entries of signal {signal_id}"


def books_are_equal(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """Shares, cash and average prices are the broker's.

    A purchase told after a later sale is averaged over what was left by then: the same money in
    all, but more of it in the trade that ended.
    """
    life, venue = scene.life, scene.venue
    if life is None or seen.is_flagged(life):
        return
    state = life.engine.state
    positions, books = state.portfolio.positions, state.execution.books
    unclear = seen.meddled | seen.told_late
    for symbol in sorted({*positions, *venue.holdings, *books.foreign_shares}):
        position = positions.get(symbol)
        ours = position.quantity if position is not None else ZERO
        theirs = venue.held(symbol)
        if ours + books.foreign_shares.get(symbol, ZERO) != theirs:
            yield f"{symbol}: we hold {ours}, the broker says {theirs}"
        elif position is not None and ours == theirs and symbol not in unclear:
            average = venue.holdings[symbol].cost_usd / theirs
            if abs(position.average_cost / average - 1) > AVERAGE_FRACTION:
                yield f"{symbol}: average {position.average_cost}, the broker's {average}"
    cash_usd = state.portfolio.books.cash_usd + books.foreign_cash_usd
    rounding_usd = ROUNDING_USD * (seen.fills + 1)
    if abs(cash_usd - venue.cash_usd) > rounding_usd:
        yield f"cash {cash_usd}, the broker's {venue.cash_usd}"
    if seen.adjusted_usd > rounding_usd + scene.paid_out_usd and not seen.meddled:
        yield f"${seen.adjusted_usd} of cash were adjusted, and this broker takes no fees"


def positions_have_stops(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """Every position has a stop or an exit at the broker, or trading is halted and told."""
    life = scene.life
    if life is None or not scene.is_in_session() or seen.trading_state is TradingState.HALTED:
        return
    selling: Counter[str] = Counter()
    for order in scene.venue.open_orders():
        if order.side is Side.SELL and _bounds_loss(order):
            selling[order.symbol] += int(order.quantity - order.filled_quantity)
    for symbol, position in life.engine.state.portfolio.positions.items():
        if selling[symbol] < whole_shares(position.quantity) and not _is_watched(life, position):
            yield f"{symbol}: {position.quantity} held, stops and exits for {selling[symbol]}"


def _is_watched(life: Life, position: Position) -> bool:
    """The bot itself watches the price, and will ask for a stop again."""
    guard = life.engine.state.execution.guards.get(position.trade_id)
    is_on_guard = guard is not None and guard.protected_by is ProtectedBy.WATCHER
    is_seen = position.symbol in life.prices.watched
    return is_on_guard and is_seen and f"{GUARD}{position.trade_id}" in life.timers.ids


def stops_are_raised(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """A stop that was raised since the faults are over is raised at the broker.

    Before that the request may have been lost: then the bot itself watches the raised one.
    """
    life = scene.life
    if life is None or not scene.is_in_session() or seen.trading_state is TradingState.HALTED:
        return
    for symbol, position in life.engine.state.portfolio.positions.items():
        plan = life.engine.state.risk.plans.get(position.trade_id)
        moved_at_s = seen.stop_moved_at_s.get(position.trade_id)
        if (
            moved_at_s is None
            or scene.calm_at_s is None
            or moved_at_s < scene.calm_at_s + SETTLED_S
        ):
            continue
        stops = [
            order.stop_price
            for order in scene.venue.open_orders()
            if order.symbol == symbol and order.side is Side.SELL and order.stop_price is not None
        ]
        if plan is not None and stops and max(stops) < round_price(plan.stop_price):
            yield f"{symbol}: stop at {max(stops)}, decided {plan.stop_price}"


def _bounds_loss(order: VenueOrder) -> bool:
    return order.stop_price is not None or order.kind.value == "market"


def halted_means_no_orders(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """While trading is halted no order of ours buys: cancels got through."""
    if seen.trading_state is not TradingState.HALTED or not scene.is_in_session():
        return
    for order in scene.venue.open_orders():
        if order.side is Side.BUY and order.client_order_id in seen.promised:
            yield f"{order.client_order_id} still buys {order.symbol} while trading is halted"


def cancels_get_through(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """What was to be cancelled is gone, or has filled."""
    if scene.life is None or not scene.is_in_session():
        return
    for order_id in sorted(scene.life.engine.state.execution.cancelling):
        asked_at_s = seen.cancelled.get(order_id, scene.now_s())
        waited_s = scene.now_s() - max(asked_at_s, scene.calm_at_s or 0.0)
        if waited_s > CANCELLED_WITHIN_S:
            yield f"{order_id} is to be cancelled for {waited_s:.0f} s"


def everything_is_answered(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """Of every order it is known how it stands, but of one that is just on its way."""
    life = scene.life
    if life is None:
        return
    for ticket in life.engine.state.execution.open_tickets.values():
        sent_s = seen.promised_at_s.get(ticket.client_order_id, 0.0)
        if ticket.status in _UNCLEAR and scene.now_s() - sent_s > ANSWERED_WITHIN_S:
            yield f"{ticket.client_order_id} of {ticket.symbol} is {ticket.status}"
    if life.engine.state.risk.pending:
        yield f"intents without a verdict: {sorted(life.engine.state.risk.pending)}"


def timers_are_set(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """What the journal promised to do later will be done, also after a restart.

    A timer that rings at this moment is kept no more, and not in the journal yet.
    """
    life = scene.life
    if life is None:
        return
    rings_from = life.now() - RINGS_WITHIN
    rings = (name for name, due_at in seen.timers.items() if rings_from <= due_at <= life.now())
    if lost := sorted(seen.timers.keys() - life.timers.ids - set(rings)):
        yield f"timers that nobody keeps: {lost}"


def positions_are_watched(_: Observed, scene: Scene, __: object) -> Iterator[str]:
    """Prices of everything that is held are asked for."""
    life = scene.life
    if life is None:
        return
    unseen = sorted(life.engine.state.portfolio.positions.keys() - life.prices.watched.keys())
    if unseen:
        yield f"held and not watched: {unseen}"


def journal_folds(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """The rows prove themselves, fold to what the bot remembers, and are decided again the same."""
    life = scene.life
    if scene.seed % VERIFIED_EVERY:
        return
    records = scene.disk.read_again()
    engine = Engine(seen.rules)
    engine.fold(records)
    if life is not None and engine.state != life.engine.state:
        yield "the journal does not fold to the bot's memory"
    parted = first_divergence(records, lambda _: Engine(seen.rules))
    if parted is not None:
        yield f"decided otherwise at {parted.seq}: {parted.recorded} / {parted.decided}"
