"""Sessions of the exchange of which a recording has no bar, such as a day that an export skipped.

The bar after such a day looks like that of the next day. A guessed bar would be worse, so whoever
uses the recording is told which days are missing, and of whom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.session_times import Seconds, SessionTimes

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSessions:
    """Days (ISO) without a bar in regular hours: of every symbol, and besides of single ones.

    A day counts that lies between a first and a last bar: of all together (so for the benchmark,
    too), or of the symbol, which may have begun late or be gone.
    """

    of_all: tuple[str, ...] = ()
    of_benchmark: tuple[str, ...] = ()
    of_symbols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> MissingSessions:
        """Read back what `asdict` and JSON made of it."""
        return cls(
            of_all=tuple(content["of_all"]),
            of_benchmark=tuple(content["of_benchmark"]),
            of_symbols={name: tuple(days) for name, days in content["of_symbols"].items()},
        )

    def told(
        self, place: str, *, benchmark: str = "", file_of: Callable[[str], str] | None = None
    ) -> list[str]:
        """Return sentences for a person with the first of the days; none when nothing is missing.

        `place` names where the bars are from, `file_of` the file of a symbol where that is known.
        """
        lines, by_file = list[str](), dict[str, dict[str, tuple[str, ...]]]()
        if self.of_all:
            lines.append(f"{place}: no bar of any symbol on {_shown(self.of_all)}")
        if self.of_benchmark:
            file = file_of(benchmark) if file_of else place
            lines.append(
                f"{file}: no bar of the benchmark {benchmark} on {_shown(self.of_benchmark)}"
            )
        for symbol, days in self.of_symbols.items():
            by_file.setdefault(file_of(symbol) if file_of else place, {})[symbol] = days
        lines += [f"{file}: no bar of {_listed(lacking)}" for file, lacking in by_file.items()]
        return lines


def missing_sessions(
    opened_s: Mapping[str, Seconds | NDArray[np.float64]],
    sessions: SessionTimes,
    *,
    benchmark: str = "",
    asked_s: tuple[int, int] | None = None,
) -> MissingSessions:
    """Return the sessions that bars lack; `opened_s` are epoch seconds by symbol, oldest first.

    Where days were asked for, a session that opens within `asked_s` (both included) counts even
    before the first bar and after the last.
    """
    held = {symbol: _sessions_of(opens, sessions) for symbol, opens in opened_s.items()}
    found = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *held.values()]))
    if not len(found):
        return MissingSessions()
    first, last = int(found[0]), int(found[-1])
    if asked_s is not None:
        opens = sessions.opens_s
        first = min(first, int(np.searchsorted(opens, asked_s[0])))
        last = max(last, int(np.searchsorted(opens, asked_s[1], side="right")) - 1)

    of_all = np.setdiff1d(np.arange(first, last + 1), found)

    def lacking(symbol: str) -> tuple[str, ...]:
        own = held[symbol]
        low, high = (first, last) if symbol == benchmark else (int(own[0]), int(own[-1]))
        index = np.setdiff1d(np.arange(low, high + 1), np.union1d(own, of_all))
        return _days(index, sessions)

    missing = {symbol: lacking(symbol) for symbol in sorted(held) if len(held[symbol])}
    return MissingSessions(
        of_all=_days(of_all, sessions),
        of_benchmark=missing.pop(benchmark, ()),
        of_symbols={symbol: days for symbol, days in missing.items() if days},
    )


def missing_told(
    store: BarStore,
    sessions: SessionTimes,
    *,
    paths: Sequence[Path],
    benchmark: str,
    asked_s: tuple[int, int] | None = None,
) -> list[str]:
    """Return sentences about the sessions that the bars opened from paths lack."""
    opened_s = {symbol: store.columns(symbol).opened_s for symbol in store.symbols}
    missing = missing_sessions(opened_s, sessions, benchmark=benchmark, asked_s=asked_s)
    return missing.told(", ".join(map(str, paths)), benchmark=benchmark)


def _shown(days: Sequence[str]) -> str:
    named = ", ".join(days[:_SHOWN]) + (", …" if len(days) > _SHOWN else "")
    return f"{len(days)} session{'s' if len(days) > 1 else ''} ({named})"


def _listed(lacking: Mapping[str, Sequence[str]]) -> str:
    worst = sorted(lacking.items(), key=lambda each: (-len(each[1]), each[0]))
    named = "; ".join(f"{symbol} on {_shown(days)}" for symbol, days in worst[:_SHOWN])
    more = len(worst) - _SHOWN
    return named + (f"; and of {more} more symbol{'s' if more > 1 else ''}" if more > 0 else "")


def _sessions_of(
    opened_s: Seconds | NDArray[np.float64], sessions: SessionTimes
) -> NDArray[np.int64]:
    """Rising numbers of the sessions with a bar; bars outside regular hours belong to none."""
    found = sessions.index_at(opened_s.astype(np.int64))
    return np.unique(found[found >= 0])


def _days(index: NDArray[np.int64], sessions: SessionTimes) -> tuple[str, ...]:
    return tuple(map(str, sessions.days[index].astype("datetime64[D]")))
