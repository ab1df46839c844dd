"""Bugs on the way to the broker and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from catalyst_bot.alpaca import reading
from catalyst_bot.alpaca.client import AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.alpaca.rate_limit import RateLimit
from catalyst_bot.broker import alpaca_book, alpaca_client, alpaca_lines, alpaca_watch
from catalyst_bot.broker.alpaca_mapping import order_request
from catalyst_bot.domain import ids, market
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.money import MAX_PRICE_USD, ZERO, positive
from catalyst_bot.risk import proposal
from catalyst_bot.trials.bugs.planting import Plot, bug, nothing

BrokerClient = alpaca_client.AlpacaBrokerClient


@bug
def no_client_id(plot: Plot) -> None:
    """Orders are sent without an id of ours."""

    def wrong(before: Any) -> Any:
        return lambda order: {k: v for k, v in before(order).items() if k != "client_order_id"}

    plot.put(alpaca_client, "order_request", wrong)


@bug
def new_id_per_try(plot: Plot) -> None:
    """After a silence the order is sent again under another id."""

    def wrong(before: Any) -> Any:
        async def post(self: Any, ours: Any) -> None:
            try:
                await before(self, ours)
            except AlpacaSilent:
                body = order_request(ours.order)
                body["client_order_id"] += "-again"
                await self._client.trading("POST", "/v2/orders", body=body)

        return post

    plot.put(BrokerClient, "_post", wrong)


@bug
def sent_again_after_silence(plot: Plot) -> None:
    """After a silence the order is simply sent again."""

    def wrong(before: Any) -> Any:
        async def post(self: Any, ours: Any) -> None:
            try:
                await before(self, ours)
            except AlpacaSilent:
                await before(self, ours)

        return post

    plot.put(BrokerClient, "_post", wrong)


@bug
def sent_again_after_a_restart(plot: Plot) -> None:
    """A start sends every order that was promised and not answered."""

    def wrong(before: Any) -> Any:
        def recover(self: Any, messages: Iterable[Message], at: datetime) -> list[Fact]:
            found: list[Fact] = before(self, messages, at)
            for order_id in self._book.unanswered():
                ours, _ = self._book.find(order_id)
                self._jobs.put_nowait(lambda ours=ours: self._post(ours))
            return found

        return recover

    plot.put(BrokerClient, "recover", wrong)


@bug
def silence_is_a_no(plot: Plot) -> None:
    """An order without an answer is taken for rejected."""
    plot.put(
        BrokerClient,
        "_lose_sight",
        lambda _: lambda self, ours, detail: self._reject(ours, detail),
    )


@bug
def entry_without_stop(plot: Plot) -> None:
    """The stop is left out of the order that enters."""

    def wrong(before: Any) -> Any:
        def request(order: Any) -> Any:
            body = before(order)
            if body.pop("stop_loss", None) is not None and "take_profit" in body:
                body["order_class"] = "oto"
            return body

        return request

    plot.put(alpaca_client, "order_request", wrong)


@bug
def sums_taken_for_executions(plot: Plot) -> None:
    """What an order has filled in sum is booked at every report of it."""

    def wrong(before: Any) -> Any:
        def fills(self: Any, report: Any, at: datetime) -> Iterator[Fact]:
            if report.filled_quantity > self.filled_quantity:
                self.filled_quantity = self.filled_usd = ZERO
            yield from before(self, report, at)

        return fills

    plot.put(alpaca_lines.Line, "fills", wrong)


@bug
def fills_counted_again_after_a_restart(plot: Plot) -> None:
    """The broker's book forgets at a start what was told, and ids of fills are numbered."""
    count = iter(range(10**9))
    plot.put(alpaca_book.Book, "_learn_fill", nothing)
    plot.put(ids, "fill_id", lambda _: lambda *_: f"fil-{next(count)}")


@bug
def replaced_is_cancelled(plot: Plot) -> None:
    """A stop that was moved is told as cancelled when the old order is heard of first."""

    def wrong(before: Any) -> Any:
        def end(self: Any, report: Any, at: datetime, *, is_alone: bool) -> Iterator[Fact]:  # noqa: ARG001
            yield from before(self, report, at, is_alone=False)

        return end

    plot.put(alpaca_lines.Line, "end", wrong)


@bug
def orders_never_looked_at(plot: Plot) -> None:
    """Only the stream tells of orders: REST is not asked how they stand."""

    def wrong(_: Any) -> Any:
        async def poll(self: Any) -> None:
            self.health.worked()

        return poll

    plot.put(alpaca_watch.OrderWatch, "poll", wrong)


@bug
def people_do_not_trade(plot: Plot) -> None:
    """Executions of orders that are not ours are not asked for."""

    def wrong(_: Any) -> Any:
        async def look(self: Any) -> None:  # noqa: ARG001
            return

        return look

    plot.put(alpaca_watch.OrderWatch, "_look_for_others", wrong)


@bug
def cancels_get_lost(plot: Plot) -> None:
    """A cancel is believed to be done when it was sent."""

    def wrong(_: Any) -> Any:
        async def delete(self: Any, place: str) -> str:  # noqa: ARG001
            return ""

        return delete

    plot.put(BrokerClient, "_delete", wrong)


@bug
def nan_is_not_above_the_limit(plot: Plot) -> None:
    """A price is refused when it is too low or too high, and NaN is neither."""

    def wrong(_: Any) -> Any:
        def share_price(value: float, name: str) -> float:
            if value <= 0 or value > MAX_PRICE_USD:
                raise BadData(name)
            return value

        return share_price

    plot.put(reading, "share_price", wrong)


@bug
def any_number_is_a_price(plot: Plot) -> None:
    """A share may cost 1e308 dollars."""
    plot.put(reading, "share_price", lambda _: positive)
    plot.put(market, "MAX_PRICE_USD", lambda _: float("inf"))
    plot.put(proposal, "MAX_PRICE_USD", lambda _: float("inf"))


@bug
def refused_keys_are_a_failure_like_others(plot: Plot) -> None:
    """Trading is not halted when the broker refuses the keys."""
    plot.put(Health, "_halt", nothing)


@bug
def everybody_uses_the_reserve(plot: Plot) -> None:
    """The turns that are kept for cancels are taken by whoever comes first."""

    def wrong(before: Any) -> Any:
        return lambda self, *, is_urgent: before(self, is_urgent=True)  # noqa: ARG005

    plot.put(RateLimit, "_wait_s", wrong)
