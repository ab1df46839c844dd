"""The one observation builder: signal + account -> the numbers a policy sees."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.account import AccountView, Position
from catalyst_bot.domain.money import finite
from catalyst_bot.domain.trading import Observation, Signal
from catalyst_bot.features.catalyst import Edges, catalyst_features
from catalyst_bot.features.kernels import account_features
from catalyst_bot.features.spec import FEATURES, MARKET, NAMES, SPEC_HASH


def build(
    signal: Signal,
    account: AccountView,
    position: Position | None,
    at: datetime,
    *,
    edges: Edges | None = None,
) -> Observation:
    """Return the observation of `signal` at `at`, clipped to the spec's ranges.

    `edges` are those of the policy that is asked (see `catalyst_features`). Raises `BadData` when a
    number is not finite.
    """
    held = float(position.quantity * position.last_price) if position is not None else 0.0
    cash, exposure, share = account_features(
        float(account.cash_usd), float(account.exposure_usd), held, float(account.equity_usd)
    )
    raw: dict[str, float] = {
        "cash_fraction": cash,
        "exposure_fraction": exposure,
        "position_fraction": share,
        **{f.name: value for f, value in zip(MARKET, signal.market, strict=True)},
        **catalyst_features(
            signal.catalyst,
            direction=signal.direction,
            reaction_bps=signal.reaction_bps,
            rvol=signal.rvol,
            at=at,
            edges=edges,
        ),
    }
    values = tuple(
        min(max(finite(raw[feature.name], feature.name), feature.low), feature.high)
        for feature in FEATURES
    )
    return Observation(
        spec_hash=SPEC_HASH,
        bar_interval_s=signal.bar_interval_s,
        names=NAMES,
        values=values,
        as_of=at,
    )
