"""What a walk forward left behind to be judged by: returns, trades, and what to hold them against.

The arrays are kept, not their summaries, so that a verdict can be computed again by whoever doubts
it. Returns are per session, fractions; every series covers the same sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.validation.metrics import Floats

_DECIMALS = 8  # a hundredth of a cent on ten thousand dollars
_SERIES = ("returns", "returns_2x", "exposure", "benchmark", "baseline")
_LISTS = ("pnl_usd", "pnl_usd_2x", "in_sample_sharpes", "random_sharpes", "likeness")
_FIELDS = ("candidates", "seeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the gates look at; `days` are the sessions, `fold` the number of each one's fold.

    `returns` and `pnl_usd` are those of the strategy, `…_2x` those at twice the costs. `seeds`
    holds the returns of each seed's own ensemble, `candidates` those of every single agent and of
    what it competes with. `in_sample_sharpes` is annual, a number a fold; `random_sharpes` of
    entries at random with the same exposure; `likeness` the correlation of what neighbouring folds'
    models answer to the same questions. `regimes` names the market of each day.
    """

    days: tuple[str, ...]
    fold: tuple[int, ...]
    regimes: tuple[str, ...]
    returns: Floats
    returns_2x: Floats
    exposure: Floats
    pnl_usd: Floats
    pnl_usd_2x: Floats
    benchmark: Floats
    baseline: Floats
    in_sample_sharpes: Floats
    random_sharpes: Floats
    likeness: Floats
    seeds: Mapping[str, Floats]
    candidates: Mapping[str, Floats]

    def __post_init__(self) -> None:
        """Refuse what does not fit together, and numbers that are none."""
        sessions = len(self.days)
        series = [getattr(self, name) for name in _SERIES]
        series += [*self.seeds.values(), *self.candidates.values()]
        if any(len(each) != sessions for each in [self.fold, self.regimes, *series]):
            raise BadData(f"evidence of {sessions} sessions holds series of another length")
        for each in [*series, *(getattr(self, name) for name in _LISTS)]:
            if not np.isfinite(each).all():
                raise BadData("evidence holds a number that is none")

    @property
    def returns_hash(self) -> str:
        """SHA-256 of the strategy's returns as they are written: equal results, equal hash."""
        return hash_of_returns(self.returns)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return (
            {"days": list(self.days), "fold": list(self.fold), "regimes": list(self.regimes)}
            | {name: _plain(getattr(self, name)) for name in (*_SERIES, *_LISTS)}
            | {
                name: {key: _plain(each) for key, each in getattr(self, name).items()}
                for name in _FIELDS
            }
        )


def evidence_from(content: Any) -> Evidence:
    """Read evidence back. Raises `BadData` when it is none."""
    try:
        return Evidence(
            days=tuple(map(str, content["days"])),
            fold=tuple(map(int, content["fold"])),
            regimes=tuple(map(str, content["regimes"])),
            **_arrays(content),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadData(f"not the evidence of a walk forward ({error!r})") from error


def hash_of_returns(returns: Floats) -> str:
    """Return the SHA-256 of returns, rounded as they are written."""
    return sha256((np.round(returns, _DECIMALS) + 0.0).tobytes()).hexdigest()


def _plain(values: Floats) -> list[float]:
    return (np.round(values, _DECIMALS) + 0.0).tolist()  # type: ignore[no-any-return]  # a column


def _arrays(content: Any) -> dict[str, Any]:
    return {name: _array(content[name]) for name in (*_SERIES, *_LISTS)} | {
        name: {str(key): _array(each) for key, each in content[name].items()} for name in _FIELDS
    }


def _array(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
