"""Constants that bring features to one scale: fitted on a training part, then part of the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import FEATURES, NAMES, SPEC_HASH

LIMIT = 5.0  # deviations; what lies farther out teaches nothing but its outliers


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What to subtract from each feature and divide it by; for one table and bar interval.

    A scale of 0 mutes a feature: it never changed in training, so nobody learned what it means.
    """

    spec_hash: str
    bar_interval_s: int
    center: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return one observation on the scale of training, within ±5."""
        return tuple(
            min(max((value - center) / scale, -LIMIT), LIMIT) if scale > 0 else 0.0
            for value, center, scale in zip(values, self.center, self.scale, strict=True)
        )

    def apply_rows(self, rows: Floats) -> Floats:
        """Return observations, a row each, as `apply` gives them."""
        scale = np.array(self.scale)
        scaled: Floats = (rows - np.array(self.center)) / np.where(scale > 0, scale, 1.0)
        return np.where(scale > 0, np.clip(scaled, -LIMIT, LIMIT), 0.0)

    def to_json(self) -> str:
        """Return the constants as text, to lie beside the weights."""
        return json.dumps(asdict(self) | {"names": NAMES}, indent=1) + "\n"


def fit_normalisation(training: Floats, *, bar_interval_s: int) -> Normalisation:
    """Return means and deviations of observations of the training part, a row each.

    Features of the account stay as they are: a history has no account, and they are fractions. A
    feature that never changes is muted. Raises `BadData` when a number is not finite, a column is
    missing or there are no rows.
    """
    if training.ndim != 2 or training.shape[1] != len(FEATURES) or not len(training):
        raise BadData(f"observations are rows of {len(FEATURES)} features, got {training.shape}")
    if not np.isfinite(training).all():
        raise BadData("observations to fit on hold a value that is not finite")
    center, scale = training.mean(axis=0), training.std(axis=0)
    scale[training.min(axis=0) == training.max(axis=0)] = 0.0  # rounding may leave a little
    is_account = np.array([feature.group == "account" for feature in FEATURES])
    center[is_account], scale[is_account] = 0.0, 1.0
    return Normalisation(
        spec_hash=SPEC_HASH,
        bar_interval_s=bar_interval_s,
        center=tuple(center.tolist()),
        scale=tuple(scale.tolist()),
    )


def normalisation_from(text: str) -> Normalisation:
    """Read constants back.

    Raises `BadData` when they are damaged or made for another table of features.
    """
    try:
        content = json.loads(text)
        names = content.pop("names")
        found = Normalisation(
            **content | {name: tuple(map(float, content[name])) for name in ("center", "scale")}
        )
    except (ValueError, TypeError, KeyError) as error:
        raise BadData(f"not constants of normalisation ({error})") from error
    if found.spec_hash != SPEC_HASH or tuple(names) != NAMES:
        raise BadData(f"constants were fitted for features {found.spec_hash}, not {SPEC_HASH}")
    is_whole = len(found.center) == len(found.scale) == len(NAMES)
    if not is_whole or not np.isfinite((*found.center, *found.scale)).all():
        raise BadData(f"constants are needed for {len(NAMES)} features, each finite")
    if min(found.scale) < 0:
        raise BadData("a scale is negative")
    return found
