"""What the dashboard shows, read from the journal's read tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.errors import BadData, SourceUnreachable
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.monitoring.risk_board import RiskBoard, gauge_row
from catalyst_bot.monitoring.telling import Explanation
from catalyst_bot.portfolio.tracker import Performance, PortfolioTracker
from catalyst_bot.risk.gauges import read_gauges
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.views import AccountState

Row = dict[str, Any]
Explainer = Callable[[str], Explanation]
_MONEY = (
    "cash_usd",
    "equity_usd",
    "exposure_usd",
    "day_open_equity_usd",
    "peak_equity_usd",
    "start_equity_usd",
    "realised_usd",
    "unrealised_usd",
    "fees_usd",
)


class JournalSource:
    """`DashboardSource` over a read model; `explainer` tells the story of one id, `standing` the
    checklist, `make_board` the board of risks.
    """

    def __init__(
        self,
        model: ReadModel,
        *,
        limits: RiskLimits,
        data: str,
        explainer: Explainer,
        standing: Callable[[], Row],
        make_board: Callable[[], RiskBoard],
    ) -> None:
        self._make_board = make_board
        self._board: RiskBoard | None = None
        self._model = model
        self._limits = limits
        self._data = data
        self._explainer = explainer
        self._standing = standing
        self._tracker = PortfolioTracker()
        self._tracked_seq = 0

    def checklist(self) -> Row:
        """See `DashboardSource.checklist`."""
        with _readable():
            return self._standing()

    def status(self) -> Row | None:
        """See `DashboardSource.status`."""
        with _readable():
            status = self._model.status()
        if status is None:
            return None
        clock = "wall" if self._data == "live" else "replay"
        return {**status, "data": self._data, "clock": clock}

    def account(self) -> Row | None:
        """See `DashboardSource.account`."""
        with _readable():
            account = self._model.account()
            if account is None:
                return None
            measured = self._performance()
        return {
            **account,
            "max_drawdown": measured.max_drawdown,
            "trades": measured.trade_count,
            "wins": round(measured.trade_count * (measured.win_rate or 0.0)),
            "win_rate": measured.win_rate,
            "profit_factor": measured.profit_factor,
        }

    def _performance(self) -> Performance:
        """All measures; only what was recorded since the last call is read."""
        for record in self._model.records(*self._tracker.heard, after_seq=self._tracked_seq):
            self._tracker.learn((record,))
            self._tracked_seq = record.seq
        return self._tracker.report()

    def equity_points(self, *, limit: int) -> Sequence[Row]:
        """See `DashboardSource.equity_points`."""
        with _readable():
            return [dict(point) for point in self._model.equity_points(limit=limit)]

    def positions(self) -> Sequence[Row]:
        """See `DashboardSource.positions`."""
        with _readable():
            return [dict(held) for held in self._model.positions()]

    def trades(self, *, limit: int) -> Sequence[Row]:
        """See `DashboardSource.trades`."""
        with _readable():
            return [dict(trade) for trade in self._model.trades(limit=limit)]

    def events(self, *, after_seq: int, limit: int) -> Sequence[Row]:
        """See `DashboardSource.events`."""
        with _readable():
            return [dict(e) for e in self._model.events(after_seq=after_seq, limit=limit)]

    def funnel(self) -> Row:
        """See `DashboardSource.funnel`."""
        with _readable():
            return dict(self._model.funnel())

    def risk(self) -> Sequence[Row]:
        """See `DashboardSource.risk`: the very gauges that the risk stage reads."""
        with _readable():
            account = self._model.account()
            held = len(self._model.positions())
        if account is None:
            return []
        view = account_view_of(account)
        gauges = read_gauges(view, reviewed_peak_usd=None, open_positions=held, limits=self._limits)
        rows = [gauge_row(gauge) for gauge in gauges]
        allowed = view.equity_usd * Decimal(str(self._limits.max_exposure_fraction))
        for row in rows:
            if row["name"] == "exposure":
                row["room_usd"] = max(allowed - view.exposure_usd, Decimal(0))
        return rows

    def risk_board(self) -> Row:
        """See `DashboardSource.risk_board`; the board is made when somebody first looks."""
        with _readable():
            if self._board is None:
                self._board = self._make_board()
            return self._board.look().as_dict()

    def explain(self, explained_id: str) -> Row | None:
        """See `DashboardSource.explain`; None for an unknown id."""
        with _readable():
            try:
                return self._explainer(explained_id).as_dict()
            except BadData:
                return None


def performance_of(
    model: ReadModel, *, since: datetime | None = None, until: datetime | None = None
) -> Performance:
    """Every measure of a journal, or of a period in it (`until` is not part of it)."""
    tracker = PortfolioTracker(since)
    records = model.records(*tracker.heard)
    tracker.learn(takewhile(lambda r: until is None or r.at < until, records))
    return tracker.report()


def account_view_of(account: AccountState) -> AccountView:
    """The domain's account from a row of the read model."""
    row: Row = dict(account)
    money = {name: Decimal(row[name]) for name in _MONEY}
    return AccountView(as_of=datetime.fromisoformat(account["at"]), **money)


@contextmanager
def _readable() -> Iterator[None]:
    """The page greys out instead of dying when the file cannot be read now."""
    try:
        yield
    except SQLAlchemyError as error:
        raise SourceUnreachable(f"the journal cannot be read now: {error}") from error
