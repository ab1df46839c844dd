"""A run with its face: the story on screen, the dashboard beside it, the result at the end."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from catalyst_bot.bootstrap.alerts import tell_at_once
from catalyst_bot.bootstrap.approvals import AS_DECLARED, approval_of
from catalyst_bot.bootstrap.live import LiveRequest, follow
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, ModeRow, mode_row
from catalyst_bot.bootstrap.parts import Outcome, Task
from catalyst_bot.bootstrap.run import ReplayRequest, replay
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import CatalystError, ConfigError, SourceUnreachable
from catalyst_bot.domain.messages.facts import HeadlineUnreadable
from catalyst_bot.monitoring.journal_source import performance_of
from catalyst_bot.monitoring.narrator import (
    Narrator,
    Progress,
    performance_text,
    summary_text,
    unreadable_text,
)
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel

Say = Callable[[str], None]
OnResult = Callable[[dict[str, Any]], None]


def replay_and_serve(
    request: ReplayRequest, *, stays: bool, say: Say, on_result: OnResult
) -> Outcome:
    """Replay with narration and dashboard; hand the result over as soon as the replay is done.

    With `stays` the dashboard is served on after that, until Ctrl-C.
    """
    settings = request.loaded.settings
    _warn_of_latch(settings, say)
    _tell_limits(settings, mode_row(request.mode, is_dry_run=request.is_dry_run), say)
    for line in request.recording.notes:
        say(line)

    def tell_end(seconds: float) -> None:
        _tell_end(request.journal, seconds, say, on_result)
        say(f"replayed in {seconds:.1f} s")

    async def stay() -> None:
        say("the dashboard stays up until Ctrl-C (use --exit to end with the replay)")
        await asyncio.Event().wait()

    row = mode_row(request.mode, is_dry_run=request.is_dry_run)
    tape = request.recording.tape
    listeners = (Progress(say, start=tape.start, end=tape.end), Narrator(say))
    with _page_beside(settings, row, request.journal, say=say) as beside:
        then = stay if stays and beside else None
        told = replace(request, listeners=listeners, at_end=tell_end, beside=beside, then=then)
        return replay(told)


def follow_and_serve(request: LiveRequest, *, say: Say, on_result: OnResult) -> Outcome:
    """Follow live feeds with narration and dashboard until a signal to stop."""
    settings = request.loaded.settings
    _warn_of_latch(settings, say)
    _tell_limits(settings, request.row, say)
    names = request.feeds.names()
    if request.row.live_prices is LivePrices.ALPACA and settings.feeds.alpaca_news:
        names.append("Alpaca's news")
    with _page_beside(settings, request.row, request.journal, say=say) as beside:
        ready = f"following {', '.join(names)}; {_what_follows(request)}. Ctrl-C stops"
        started = time.perf_counter()
        told = replace(request, listeners=(Narrator(say),), beside=beside)
        try:
            outcome = follow(replace(told, on_ready=lambda: say(ready)))
        except CatalystError as error:
            if request.row.tells_people:
                tell_at_once(settings, title=_fallen(error), text=str(error))
            raise
    _tell_end(request.journal, time.perf_counter() - started, say, on_result)
    return outcome


def _fallen(error: CatalystError) -> str:
    """What a person is told when a live run ends by itself."""
    if isinstance(error, ConfigError | SourceUnreachable):
        return "The bot did not start"
    return "The bot stopped: a fault"


def _what_follows(request: LiveRequest) -> str:
    """What a live run does with a headline, by its row of the mode table."""
    row, alpaca = request.row, request.loaded.settings.alpaca
    if row.live_prices is LivePrices.NONE:
        return (
            "without an Alpaca account there are no live prices: headlines are classified and "
            "alerted, no order is made"
        )
    prices = f"prices are Alpaca's ({alpaca.feed})"
    if row.broker is BrokerKind.DRY_RUN:
        return f"{prices}, no order is sent"
    money = (
        "REAL MONEY is traded" if request.mode is Mode.LIVE else "orders go to the paper account"
    )
    return f"{money} at {alpaca.base_url}, {prices}"


def _warn_of_latch(settings: Settings, say: Say) -> None:
    if OperatorMailbox(settings.run.data_dir).is_halted():
        say(
            f"HALT latch is set in {settings.run.data_dir}: no entry will be sent; lift it with "
            "`catalyst-bot resume --reason '...'`"
        )


def _tell_limits(settings: Settings, row: ModeRow, say: Say) -> None:
    """Say when the limits are not those of this version. Raises `ConfigError` without approval."""
    approval = approval_of(settings, is_asked=row.asks_approval)
    if approval != AS_DECLARED:
        say(f"limits: {approval}")


def _tell_end(journal: Place, seconds: float, say: Say, on_result: OnResult) -> None:
    with ReadModel(journal) as model:
        result = {**model.run_result(), "seconds": round(seconds, 3)}
        say(summary_text(result))
        for line in unreadable_text(model.records(HeadlineUnreadable.__name__)):
            say(line)
        say(performance_text(performance_of(model)))
    on_result(result)


@contextmanager
def _page_beside(
    settings: Settings, row: ModeRow, journal: Place, *, say: Say
) -> Iterator[tuple[Task, ...]]:
    """Serve the dashboard beside a run, unless the mode table or settings say no.

    The address is taken before the run starts, and free again however the run ends: it may fail
    before the page's task was ever begun.
    """
    if not (settings.dashboard.enabled and row.has_dashboard):
        yield ()
        return
    from catalyst_bot.bootstrap.pages import serve, served  # noqa: PLC0415  # FastAPI, for who has a page
    from catalyst_bot.monitoring.dashboard.server import listen  # noqa: PLC0415

    how = served(settings)
    gc.freeze()  # what a page needs lives as long as the run, as what was loaded before
    with listen(how.host, how.port, next_free=True) as listener:
        host, port = listener.getsockname()[:2]
        say(f"dashboard: http://{host}:{port}")
        yield (lambda: serve(settings, journal, how, listener),)
