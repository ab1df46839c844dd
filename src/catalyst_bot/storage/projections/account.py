"""The equity curve, and the one row that says how the bot is."""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.projections.writes import Reducers, Write, put, write
from catalyst_bot.storage.schema import equity_points

# A restart keeps what only a person may change: a halted bot starts halted.
_START = """
    INSERT INTO status (id, run_id, mode, broker, code_version, model_id, starting_cash_usd,
        started_at, trading_state, candidate_id, candidate_note)
    VALUES (1, :run_id, :mode, :broker, :code_version, :model_id, :starting_cash_usd,
        :started_at, 'active', :candidate_id, :candidate_note)
    ON CONFLICT (id) DO UPDATE SET run_id = :run_id, mode = :mode, broker = :broker,
        code_version = :code_version, model_id = :model_id, started_at = :started_at,
        stopped_at = NULL, candidate_id = :candidate_id, candidate_note = :candidate_note
"""
_STOP = "UPDATE status SET stopped_at = :at"
_SET_STATE = "UPDATE status SET trading_state = :state, halt_cause = :cause"


def run_started(_: Recorded, message: f.RunStarted) -> Iterable[Write]:
    """A process began to write this journal (again)."""
    yield write(
        _START,
        run_id=message.run_id,
        mode=message.mode,
        broker=message.broker,
        code_version=message.code_version,
        model_id=message.model_id,
        starting_cash_usd=message.starting_cash_usd,
        started_at=message.at,
        candidate_id=message.candidate_id or None,
        candidate_note=message.candidate_note or None,
    )


def run_stopped(record: Recorded, _: f.RunStopped) -> Iterable[Write]:
    """The process ended in order."""
    yield write(_STOP, at=record.at)


def trading_halted(_: Recorded, message: d.TradingHalted) -> Iterable[Write]:
    """No new entries until a person resumes."""
    yield write(_SET_STATE, state=TradingState.HALTED, cause=message.cause)


def trading_reduced(_: Recorded, __: d.TradingReduced) -> Iterable[Write]:
    """Only exits until a person resumes."""
    yield write(_SET_STATE, state=TradingState.REDUCING, cause=None)


def trading_resumed(_: Recorded, __: d.TradingResumed) -> Iterable[Write]:
    """Trading goes on."""
    yield write(_SET_STATE, state=TradingState.ACTIVE, cause=None)


def equity_marked(record: Recorded, message: d.EquityMarked) -> Iterable[Write]:
    """A point of the equity curve."""
    account = message.account
    yield put(
        equity_points,
        seq=record.seq,
        at=account.as_of,
        equity_usd=account.equity_usd,
        cash_usd=account.cash_usd,
        exposure_usd=account.exposure_usd,
        day_open_equity_usd=account.day_open_equity_usd,
        peak_equity_usd=account.peak_equity_usd,
        start_equity_usd=account.start_equity_usd,
        realised_usd=account.realised_usd,
        unrealised_usd=account.unrealised_usd,
        fees_usd=account.fees_usd,
        day_return=account.day_return,
        drawdown=account.drawdown,
    )


REDUCERS: Reducers = {
    f.RunStarted: run_started,
    f.RunStopped: run_stopped,
    d.TradingHalted: trading_halted,
    d.TradingReduced: trading_reduced,
    d.TradingResumed: trading_resumed,
    d.EquityMarked: equity_marked,
}
