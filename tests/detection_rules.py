"""The shipped rules of detection over a few invented companies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from catalyst_bot.detection.rules import RULE_FILES, Rules, make_rules

BY_CIK: Mapping[int, tuple[str, ...]] = {
    101: ("ACME",),
    102: ("ORCL", "ORCL-PD"),
    103: ("FNMA", "FNMAS", "FNMAT"),
    104: ("NOW",),
    105: ("BRK-B", "BRK-A"),
    106: ("ZETA", "ZETAW"),
}
NAMES = {"ACME": "ACME CORP", "ZETA": "Zeta Pumps, Inc.", "NOW": "ServiceNow, Inc."}


@cache
def texts() -> dict[str, str]:
    """The shipped data files."""
    folder = files("catalyst_bot.detection")
    return {name: (folder / name).read_text(encoding="utf-8") for name in RULE_FILES}


@cache
def rules() -> Rules:
    """The shipped rules; the known symbols are those of `BY_CIK`."""
    return make_rules(texts(), symbols_by_cik=BY_CIK, registered_names=NAMES)
