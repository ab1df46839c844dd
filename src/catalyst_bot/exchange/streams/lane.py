"""The way from an event to the sockets, with the faults that may befall it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from catalyst_bot.exchange.fault_rules import StreamAction
from catalyst_bot.exchange.faults import FaultBook
from catalyst_bot.exchange.streams.doors import later

REORDER_WAIT_S: Final = 1.0  # an event that waits for a successor goes alone after this long


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event on its way: what faults may match, and the message itself."""

    kind: str
    symbols: tuple[str, ...]
    message: Any


@dataclass(slots=True)
class Lane:
    """Events of one account or feed, in order unless a fault says otherwise.

    `deliver` hands events to the sockets; `strike` is told of faults that befall sockets.
    """

    stream: str
    faults: FaultBook
    deliver: Callable[[list[StreamEvent]], None]
    strike: Callable[[StreamAction], None]
    _held: list[StreamEvent] = field(default_factory=list)

    def put(self, events: Iterable[StreamEvent]) -> None:
        """Send events on their way."""
        if not self.faults.watches(self.stream):
            self.deliver([*events, *self._release()] if self._held else list(events))
            return
        on_time: list[StreamEvent] = []
        for event in events:
            action = self.faults.of_event(self.stream, event.kind, event.symbols)
            if action is not None and (action.mute or action.close):
                self._flush(on_time)
                self.strike(action)
                on_time = []
            self._place(event, action, on_time)
        self._flush(on_time)

    def _place(
        self, event: StreamEvent, action: StreamAction | None, on_time: list[StreamEvent]
    ) -> None:
        if action is None or action.duplicate or action.mute or action.close:
            on_time.append(event)
            if action is not None and action.duplicate:
                on_time.append(event)
            on_time.extend(self._release())
        elif action.reorder:
            self._held.append(event)
            later(REORDER_WAIT_S, lambda: self._flush(self._release()))
        elif action.delay_s is not None:
            later(action.delay_s, lambda: self._flush([event]))

    def _release(self) -> list[StreamEvent]:
        held, self._held = self._held, []
        return held

    def _flush(self, events: list[StreamEvent]) -> None:
        if events:
            self.deliver(events)
