"""What a policy is shown, as kernels address it: its groups of features, and the account's part."""

from __future__ import annotations

from catalyst_bot.features.kernels import account_features
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.features.spec import MARKET as _MARKET
from catalyst_bot.history.events import CATALYST as _CATALYST
from catalyst_bot.ml.tape import Singles

BORROWS = True  # see `history.compiled`

_ACCOUNT = tuple(feature for feature in FEATURES if feature.group == "account")
ACCOUNT, MARKET, CATALYST = len(_ACCOUNT), len(_MARKET), len(_CATALYST)  # in this order
_LOW = tuple(feature.low for feature in _ACCOUNT)
_HIGH = tuple(feature.high for feature in _ACCOUNT)

# Places within their group.
REGIME = [feature.name for feature in _MARKET].index("regime")
_TOLD = tuple(feature.name for feature in _CATALYST)
DIRECTION, CONFIDENCE = _TOLD.index("direction"), _TOLD.index("confidence")
EDGE, EDGE_HIGH = _TOLD.index("edge_bps"), _TOLD.index("edge_high_bps")
REACTION, RVOL = _TOLD.index("reaction_bps"), _TOLD.index("rvol")


def write_account(cash: float, exposure: float, held: float, equity: float, seen: Singles) -> None:
    """Write the features of an account, clipped to their ranges; all in dollars."""
    account = account_features(cash, exposure, held, equity)
    for k in range(ACCOUNT):
        seen[k] = min(max(account[k], _LOW[k]), _HIGH[k])
