"""A backtest: recorded days through the running bot, at its costs and at twice them."""

from __future__ import annotations

from dataclasses import replace

from catalyst_bot.bootstrap.requests import Asked, recorded_replay
from catalyst_bot.bootstrap.rules import deciders
from catalyst_bot.bootstrap.run import ReplayRequest, replay
from catalyst_bot.domain.enums import Mode, TradingState
from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.backtest import BacktestReport, SessionCurve, held, regimes_at
from catalyst_bot.policies.rule import MODEL_ID
from catalyst_bot.storage.read_model import ReadModel

EARLIER = 250  # sessions before, that kinds of market are told by
COSTS = (
    "commission_fraction",
    "slippage_fraction",
    "half_spread_bps_liquid",
    "half_spread_bps_thin",
)


def backtest(asked: Asked) -> BacktestReport:
    """Replay the days once as configured, once at twice the costs, and by the rule where a model
    decides; measure them beside the benchmark and all symbols held in equal parts.

    Where half a tick bounds the half spread from below it is not doubled: no quote is narrower.
    Results are named after who decided. Every run leaves its journal. Raises `ConfigError` or
    `BadData` naming the input.
    """
    asked = replace(asked, mode=Mode.BACKTEST)
    request = recorded_replay(asked)
    settings, store = request.loaded.settings, request.recording.store
    benchmark = settings.run.benchmark
    if benchmark not in store:
        raise BadData(f"no bars of the benchmark {benchmark}: there is nothing to measure against")
    who = deciders(settings, store.interval_s)
    name = who.policy.model_id
    doubled = {f"costs.{cost}": str(2 * getattr(settings.costs, cost)) for cost in COSTS}
    runs = {name: request, f"{name}, costs x 2": recorded_replay(asked, doubled)}
    if name != MODEL_ID:
        runs[MODEL_ID] = recorded_replay(replace(asked, model=MODEL_ID))
    played = {name: _played(each) for name, each in runs.items()}
    start_usd = float(settings.run.starting_cash_usd)
    curve, _ = played[name]
    if not curve.closes:
        raise BadData("no session closed in these days: there is nothing to measure")
    results = {name: each.measured(start_usd) for name, (each, _) in played.items()}
    sessions = request.recording.calendar.sessions
    before = [session.closes_at for session in sessions if session.closes_at < curve.closes[0]]
    others = [symbol for symbol in store.symbols if symbol != benchmark]
    results[f"{benchmark} held"] = held(store, [benchmark], curve.closes)
    if others:
        results["all held in equal parts"] = held(store, others, curve.closes)
    return BacktestReport(
        first_close=f"{curve.closes[0]:%Y-%m-%d}",
        last_close=f"{curve.closes[-1]:%Y-%m-%d}",
        results=results,
        regimes=curve.by_regime(
            start_usd, regimes_at(store, benchmark, before[-EARLIER:], curve.closes)
        ),
        capacity_usd=curve.capacity_usd(store, settings.costs.participation_fraction),
        journals={name: str(each.journal) for name, each in runs.items()},
        halted=tuple(name for name, (_, is_halted) in played.items() if is_halted),
        notes=(*request.recording.notes, *([who.note] if who.note else [])),
    )


def _played(request: ReplayRequest) -> tuple[SessionCurve, bool]:
    """Replay, and say what the account made and whether its trading ended halted.

    The account is read from the whole journal: a replay that was interrupted goes on where it
    stopped, and tells listeners only of the rest.
    """
    outcome = replay(request)
    curve = SessionCurve()
    with ReadModel(outcome.journal) as journal:
        curve.learn(journal.records())
    return curve, outcome.trading_state is TradingState.HALTED
