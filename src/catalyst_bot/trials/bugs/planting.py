"""How a bug is planted, and dug out again.

A bug is a function decorated with `bug`; it gets a `Plot` and says what to put in the place of
what. Its name is the function's, its docstring says what the tired person did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Exchange = Callable[[Any], Any]


class Plot:
    """What was exchanged, so that it can be put back."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, Any, Any]] = []

    def put(self, place: Any, name: Any, wrong: Exchange) -> None:
        """Exchange an attribute, or a value of a dict; `wrong` gets what was there before."""
        before = place[name] if isinstance(place, dict) else getattr(place, name)
        self._before.append((place, name, before))
        _set(place, name, wrong(before))

    def clear(self) -> None:
        """Put everything back, the last first."""
        while self._before:
            _set(*self._before.pop())


def _set(place: Any, name: Any, value: Any) -> None:
    if isinstance(place, dict):
        place[name] = value
    else:
        setattr(place, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A bug that can be planted for a while."""

    name: str
    what: str
    plant: Callable[[Plot], None]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant it, and dig it out again."""
        plot = Plot()
        try:
            self.plant(plot)
            yield
        finally:
            plot.clear()


BUGS: dict[str, Bug] = {}


def bug(plant: Callable[[Plot], None]) -> Callable[[Plot], None]:
    """Register a planted bug."""
    name = plant.__name__.replace("_", "-")
    BUGS[name] = Bug(name=name, what=(plant.__doc__ or "").strip(), plant=plant)
    return plant


def nothing(_: Any) -> Callable[..., list[Any]]:
    """Put a function that does nothing and says nothing in the place of another."""
    return lambda *_args, **_more: []
