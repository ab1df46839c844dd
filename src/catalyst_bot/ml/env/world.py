"""What an environment is made of: which sessions are played, where episodes may begin."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.compiled import compiled
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels import entry
from catalyst_bot.ml.kernels.entry import Game
from catalyst_bot.ml.kernels.episode import MODULUS, Rules, World
from catalyst_bot.ml.tape import Asks, Bars, Tape
from catalyst_bot.ml.terms import Terms

QUIET_FRACTION = 0.25
COST_PENALTY = 0.5
MOST_QUESTIONS = 64
LINE_BYTES = 64  # what a processor fetches from memory at once


def world_of(
    tape: Tape, terms: Terms, *, sessions: range, normalisation: Normalisation, rules: Rules
) -> World:
    """Return everything that episodes in these sessions are played in.

    Raises `ConfigError` for constants fitted at another bar interval, and `BadData` when no episode
    can begin.
    """
    if normalisation.bar_interval_s != tape.interval_s:
        raise ConfigError(
            f"constants of normalisation for bars of {normalisation.bar_interval_s} s, "
            f"the history has bars of {tape.interval_s} s"
        )
    row_limit = tape.first_row + np.array(
        [
            np.searchsorted(tape.bars.session[first:end], sessions.stop)
            for first, end in zip(tape.first_row, tape.end_row, strict=True)
        ],
        dtype=np.int64,
    )
    is_start = _may_begin(tape, sessions, row_limit, terms)
    asks = _asks_of(tape)
    quiet = is_start.copy()
    quiet[asks.row] = False
    catalyst = _of(normalisation, "catalyst")
    world = World(
        bars=_laid_out(tape, sessions, _of(normalisation, "market")),
        asks=asks,
        terms=terms,
        rules=rules,
        case_starts=np.flatnonzero(asks.is_first & ~asks.is_bad & is_start[asks.row]),
        quiet_starts=np.flatnonzero(quiet) if rules.quiet_fraction > 0 else _NONE,
        row_limit=row_limit,
        is_sure=asks.values[:, _CONFIDENCE] >= terms.min_confidence,
        shown=catalyst.apply_rows(asks.values.astype(np.float32).astype(np.float64)).astype(
            np.float32
        ),
        neutral=np.array(catalyst.apply(_NEUTRAL), dtype=np.float32),
    )
    if not len(world.case_starts) and not len(world.quiet_starts):
        raise BadData(f"no episode can begin in sessions {sessions.start} to {sessions.stop - 1}")
    return world


_NONE = np.zeros(0, dtype=np.int64)
_CATALYST = tuple(feature for feature in FEATURES if feature.group == "catalyst")
_NEUTRAL = tuple(feature.neutral for feature in _CATALYST)
_TOLD = [feature.name for feature in _CATALYST]
_DIRECTION, _CONFIDENCE = _TOLD.index("direction"), _TOLD.index("confidence")


def _of(normalisation: Normalisation, group: str) -> Normalisation:
    """The constants of one group of features."""
    mine = [k for k, feature in enumerate(FEATURES) if feature.group == group]
    center, scale = normalisation.center, normalisation.scale
    return replace(
        normalisation,
        center=tuple(center[k] for k in mine),
        scale=tuple(scale[k] for k in mine),
    )


def _laid_out(tape: Tape, sessions: range, normalisation: Normalisation) -> Bars:
    """Lay the bars of the sessions, and the one before them, row by row, their features normalised.

    A look between two closes knows the bar before its own, which may be of the session before.
    So laid, a bar lies in three lines of the cache instead of fourteen, and what playing it takes
    is in the first of them. All other rows are never looked at, and take no memory as long as
    nobody does.
    """
    bars = tape.bars
    needed = (bars.session >= sessions.start) & (bars.session < sessions.stop)
    needed[:-1] |= needed[1:]
    rows = np.flatnonzero(needed)
    laid = _records(len(needed), bars._asdict(), is_sparse=2 * len(rows) < len(needed))
    for name, column in bars._asdict().items():
        laid[name][rows] = column[rows]
    laid["market"][rows] = normalisation.apply_rows(bars.market[rows].astype(np.float64))
    return cast("Bars", laid)


def _records(
    count: int, columns: Mapping[str, NDArray[Any]], *, is_sparse: bool
) -> np.recarray[Any, Any]:
    """Room for so many records of these columns, each at the beginning of a line of the cache.

    A column is an attribute, as in a named tuple, but for the compiler all of it is one array. A
    page of it takes memory when it is first written. Large ones are read faster; where few rows are
    written, `is_sparse`, small ones leave out the others.
    """
    fields = [(name, each.dtype, each.shape[1:]) for name, each in columns.items()]
    rest = -np.dtype(fields).itemsize % LINE_BYTES
    kind = np.dtype([*fields, ("rest", np.uint8, (rest,))])
    room = mmap.mmap(-1, count * kind.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    advice = getattr(mmap, "MADV_NOHUGEPAGE" if is_sparse else "MADV_HUGEPAGE", None)
    if advice is not None:  # Linux has it
        room.madvise(advice)
    return np.frombuffer(room, dtype=kind).view(np.recarray)


def _asks_of(tape: Tape) -> Asks:
    """The asks of the tape; what the market turned down at the first look counts as bad news."""
    asks = tape.asks
    is_down = asks.values[:, _DIRECTION] < 0.0
    return asks._replace(is_bad=asks.is_bad | (asks.is_first & is_down))


def _may_begin(tape: Tape, sessions: range, row_limit: Integers, terms: Terms) -> Any:
    """True for rows of the sessions where a stop can be set and that leave a bar to trade in."""
    bars = tape.bars
    rows = np.arange(len(bars.close))
    limit = np.minimum(bars.stretch_end, row_limit[bars.symbol])
    is_measured = np.isfinite(bars.atr) & (bars.close >= terms.min_price_usd)
    return is_measured & (bars.session >= sessions.start) & (rows + 1 < limit)


def generators(seed: int, count: int) -> Integers:
    """Return so many states of the accounts' own generators, all from one seed."""
    drawn = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    return (drawn % np.uint64(MODULUS - 1) + np.uint64(1)).astype(np.int64)


def kernel_and_held(game: Game) -> tuple[dict[str, Any], Any]:
    """Return the compiled entries to the episodes, and the game as its functions take it.

    In a list of the compiler's own it is handed over once, not array by array with every step.
    Raises `ConfigError` without numba.
    """
    functions = compiled(entry)
    from numba.typed import List  # noqa: PLC0415  # an extra; `compiled` says when it is missing

    held = List()
    held.append(game)
    return functions, held
