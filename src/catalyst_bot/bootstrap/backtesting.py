"""A backtest: recorded days through the running bot, at its costs and at twice them."""

from __future__ import annotations

from dataclasses import replace

from catalyst_bot.bootstrap.requests import Asked, recorded_replay
from catalyst_bot.bootstrap.run import ReplayRequest, replay
from catalyst_bot.domain.enums import Mode, TradingState
from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.backtest import BacktestReport, SessionCurve, held
from catalyst_bot.ml.validation.metrics import Metrics
from catalyst_bot.policies.rule import MODEL_ID

COSTS = (
    "commission_fraction",
    "slippage_fraction",
    "half_spread_bps_liquid",
    "half_spread_bps_thin",
)


def backtest(asked: Asked) -> BacktestReport:
    """Replay the days once as configured, once at twice the costs, and by the rule where a model
    decides; measure them beside the benchmark and all symbols held in equal parts.

    Every run leaves its journal. Raises `ConfigError` or `BadData` naming the input.
    """
    asked = replace(asked, mode=Mode.BACKTEST)
    request = recorded_replay(asked)
    settings = request.loaded.settings
    doubled = {f"costs.{name}": str(2 * getattr(settings.costs, name)) for name in COSTS}
    runs = {
        settings.run.model: request,
        f"{settings.run.model}, costs x 2": recorded_replay(asked, doubled),
    }
    if settings.run.model != MODEL_ID:
        runs[MODEL_ID] = recorded_replay(replace(asked, model=MODEL_ID))
    results, halted = dict[str, Metrics](), list[str]()
    curve = SessionCurve()
    for name, each in runs.items():
        curve, is_halted = _played(each)
        results[name] = curve.measured(float(settings.run.starting_cash_usd))
        halted += [name] if is_halted else []
    store, benchmark = request.recording.store, settings.run.benchmark
    if not curve.closes:
        raise BadData("no session closed in these days: there is nothing to measure")
    others = [symbol for symbol in store.symbols if symbol != benchmark]
    if benchmark in store:
        results[f"{benchmark} held"] = held(store, [benchmark], curve.closes)
    if others:
        results["all held in equal parts"] = held(store, others, curve.closes)
    return BacktestReport(
        first_close=f"{curve.closes[0]:%Y-%m-%d}",
        last_close=f"{curve.closes[-1]:%Y-%m-%d}",
        results=results,
        journals={name: str(each.journal) for name, each in runs.items()},
        halted=tuple(halted),
    )


def _played(request: ReplayRequest) -> tuple[SessionCurve, bool]:
    """Replay, and say what the account made and whether its trading ended halted."""
    curve = SessionCurve()
    outcome = replay(replace(request, listeners=(*request.listeners, curve.learn)))
    return curve, outcome.trading_state is TradingState.HALTED
