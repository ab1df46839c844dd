"""The risk board as Prometheus reads it: text, one sample a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("active", "reducing", "halted")
_ACCOUNT: Final = ("equity_usd", "cash_usd", "exposure_usd", "peak_equity_usd", "fees_usd")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Sample = tuple[Mapping[str, str], Any]


def prometheus_text(view: Mapping[str, Any]) -> str:
    """Return the board as metrics; a figure that nobody knows yet is left out."""
    return "".join(
        f"# HELP catalyst_{name} {about}\n# TYPE catalyst_{name} gauge\n{lines}"
        for name, about, samples in _families(view)
        if (lines := "".join(_line(f"catalyst_{name}", *sample) for sample in samples))
    )


def _families(view: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Sample]]]:
    """Every metric: its name, what it is, and its samples (labels and value)."""
    state = view["trading_state"]
    yield "state", "1 for the trading state", [({"state": s}, int(s == state)) for s in STATES]
    for name in _ACCOUNT:
        yield name, "of the account", [({}, view["account"].get(name))]
    yield "open_positions", "held now", [({}, view["open_positions"])]
    gauges = view["gauges"]
    yield "limit_used", "of an account limit", [({"rule": g["name"]}, g["used"]) for g in gauges]
    yield "limit", "an account limit", [({"rule": g["name"]}, g["limit"]) for g in gauges]
    rooms: list[Sample] = [
        ({"rule": room["rule"]}, room["room"]) for room in view["rooms"] if room["unit"] == "usd"
    ]
    yield "room_usd", "dollars until a rule speaks", rooms
    metrics = view["metrics"]
    yield "metric", "of the roadmap's list", [({"name": m["name"]}, m["value"]) for m in metrics]
    alerts: list[Sample] = [({"name": m["name"]}, int(m["state"] == "alert")) for m in metrics]
    yield "metric_alert", "1 beyond its threshold", alerts
    yield "unanswered_notices", "critical, waiting for a person", [({}, len(view["unanswered"]))]
    drill = view["drill"]
    yield "drill_age_days", "since the last kill switch drill", [({}, drill.get("age_days"))]
    yield "drill_overdue", "1 when a drill is due", [({}, int(drill.get("is_overdue", True)))]


def _line(name: str, labels: Mapping[str, str], value: Any) -> str:
    if value is None or not isfinite(float(value)):
        return ""
    inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {float(value)!r}\n" if inner else f"{name} {float(value)!r}\n"
