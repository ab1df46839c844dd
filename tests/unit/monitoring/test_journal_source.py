"""What the dashboard reads, out of either database."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.bootstrap.risk_boards import risk_board
from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.monitoring.journal_source import JournalSource, performance_of
from catalyst_bot.settings import Settings
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from tests.postgres import running
from tests.unit.storage.stories import a_day, record

DAY = record(a_day())


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "postgres":
        found: Place = request.getfixturevalue("postgres_server").place()
        return found
    return tmp_path / "journal.db"


def source_of(model: ReadModel) -> JournalSource:
    def explain(_: str) -> None:
        raise AssertionError("nobody asked")

    return JournalSource(
        model,
        limits=RiskLimits(),
        data="recorded",
        explainer=explain,
        standing=dict,
        make_board=lambda: risk_board(model, Settings()),
    )


def test_figures_grow_with_the_journal_and_equal_those_of_all_of_it(place: Place):
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY[:1])
        journal.settle()
        with ReadModel(place) as model:
            source = source_of(model)
            assert source.account() is None
            for start in range(1, len(DAY), 3):
                journal.append(DAY[start : start + 3])
                journal.settle()
                account = source.account()
                measured = performance_of(model)
                if account is not None:
                    assert account["trades"] == measured.trade_count
                    assert account["win_rate"] == measured.win_rate
                    assert account["max_drawdown"] == measured.max_drawdown
                    assert account["profit_factor"] == measured.profit_factor
            assert account is not None
            assert (account["trades"], account["wins"]) == (1, 0)


def test_every_section_can_be_read(place: Place):
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY)
        journal.settle()
    with ReadModel(place) as model:
        source = source_of(model)
        status = source.status()
        assert status is not None
        assert (status["data"], status["clock"]) == ("recorded", "replay")
        assert len(source.trades(limit=9)) == 1
        assert len(source.equity_points(limit=9)) == 2
        assert source.funnel()["filled"] == 1
        assert source.events(after_seq=0, limit=3)
        assert {row["name"] for row in source.risk()} >= {"exposure", "daily_loss"}
        assert list(source.positions()) == []
        board = source.risk_board()
        assert board["trading_state"] == status["trading_state"]
        assert source.risk_board() == board  # nothing is folded twice


def test_a_database_that_goes_away_greys_the_page_out_and_comes_back():
    with running() as server:
        place = server.place()
        with SqlJournal(place) as journal:
            journal.append(DAY)
            journal.settle()
        with ReadModel(place) as model:
            source = source_of(model)
            assert source.status() is not None
            server.stop("immediate")
            with pytest.raises(SourceUnreachable):
                source.status()
            server.start()
            SqlJournal(place).close()  # the bot's next start: read tables lost their last rows
            assert source.account() is not None
