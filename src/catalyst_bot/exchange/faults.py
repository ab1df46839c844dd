"""The faults of an exchange: rules, how often each matched and fired, and what fires now.

Chance is a hash of seed, rule and count: the same requests in the same order meet the same faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from catalyst_bot.exchange.fault_rules import (
    Counted,
    HttpAction,
    HttpRule,
    Rule,
    StreamAction,
    StreamRule,
)
from catalyst_bot.simulation.draws import unit_draw

_Action = TypeVar("_Action", HttpAction, StreamAction)


@dataclass(slots=True)
class _Kept:
    rule: Rule
    name: str
    matched: int = 0
    fired: int = 0


class FaultBook:
    """All rules of an exchange. Where several would fire at once, the first does."""

    def __init__(self, *, seed: int, now: Callable[[], datetime]) -> None:
        self._seed = str(seed)
        self._now = now
        self._kept: list[_Kept] = []
        self._ever_added = 0

    def add(self, rules: Sequence[Rule]) -> None:
        """Add rules behind those that are there; a rule without a name is named by its number."""
        for rule in rules:
            self._ever_added += 1
            self._kept.append(_Kept(rule, rule.name or f"rule {self._ever_added}"))

    def clear(self) -> None:
        """Forget all rules and counts; numbering and chance begin anew."""
        self._kept.clear()
        self._ever_added = 0

    def listing(self) -> list[dict[str, Any]]:
        """Return every rule with how often it matched and fired."""
        return [
            {
                **msgspec.to_builtins(kept.rule),
                "name": kept.name,
                "matched": kept.matched,
                "fired": kept.fired,
            }
            for kept in self._kept
        ]

    def of_request(self, method: str, path: str) -> HttpAction | None:
        """Count a request and return what happens to it."""
        action: HttpAction | None = None
        for kept in self._kept:
            rule = kept.rule
            if isinstance(rule, HttpRule) and rule.match.covers(method, path):
                action = self._count(kept, rule.action, action)
        return action

    def of_connection(self, stream: str) -> StreamAction | None:
        """Count a handshake of a stream and return what happens to it."""
        return self._of_stream(stream, Counted.CONNECT, "", ())

    def of_event(self, stream: str, kind: str, symbols: Sequence[str]) -> StreamAction | None:
        """Count an event of a stream and return what happens to it."""
        return self._of_stream(stream, Counted.EVENT, kind, symbols)

    def watches(self, stream: str) -> bool:
        """Whether any rule looks at events of a stream."""
        return any(
            isinstance(kept.rule, StreamRule) and kept.rule.stream == stream for kept in self._kept
        )

    def _of_stream(
        self, stream: str, counted: Counted, kind: str, symbols: Sequence[str]
    ) -> StreamAction | None:
        action: StreamAction | None = None
        for kept in self._kept:
            rule = kept.rule
            if not isinstance(rule, StreamRule) or rule.stream != stream:
                continue
            if rule.counts is counted and rule.match.covers(kind, symbols):
                action = self._count(kept, rule.action, action)
        return action

    def _count(self, kept: _Kept, action: _Action, taken: _Action | None) -> _Action | None:
        """Count a match; return the action taken so far, or this rule's where it fires first."""
        when = kept.rule.when
        if not when.is_in_window(self._now()):
            return taken
        kept.matched += 1
        draw = unit_draw(self._seed, kept.name, str(kept.matched))
        if taken is not None or not when.fires(kept.matched, kept.fired, draw):
            return taken
        kept.fired += 1
        return action
