"""The constants of normalisation, from the training sessions and from nothing after them."""

from __future__ import annotations

import numpy as np

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.normalisation import Normalisation, fit_normalisation
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.ml.tape import Tape

_ACCOUNT = sum(feature.group == "account" for feature in FEATURES)


def fit_on(tape: Tape, sessions: range) -> Normalisation:
    """Fit on what a policy would have been shown when it was asked in these sessions.

    Raises `BadData` when nothing was asked in them.
    """
    session = tape.bars.session[tape.asks.row]
    asked = np.flatnonzero((session >= sessions.start) & (session < sessions.stop))
    if not len(asked):
        raise BadData(f"no question falls into sessions {sessions.start} to {sessions.stop - 1}")
    account = np.zeros((len(asked), _ACCOUNT))
    market = tape.bars.market[tape.asks.seen[asked]]
    training = np.hstack([account, market, tape.asks.values[asked]])
    return fit_normalisation(training, bar_interval_s=tape.interval_s)
