"""What has to be looked at before trading goes on, read from a journal by folding it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from catalyst_bot.bootstrap import journals
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.enums import Mode, TradingState
from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.risk.checklist import Item, checklist, still_open
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a run trades, and its checklist; nothing to look at while it is active."""

    trading_state: TradingState = TradingState.ACTIVE
    items: tuple[Item, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON form: trading_state and items of name, question, is_met, note."""
        return {
            "trading_state": str(self.trading_state),
            "items": [asdict(item) for item in self.items],
        }


def standing_of(place: Place) -> Standing:
    """Fold a journal and read its checklist."""
    with ReadModel(place) as model:
        records = list(model.records())
    starts = [record for record in records if isinstance(record.body, RunStarted)]
    if not starts:
        return Standing()
    engine = engine_of(starts[-1])
    engine.fold(records)
    state = engine.state.risk
    if state.trading_state is TradingState.ACTIVE:
        return Standing()
    items = checklist(state, engine.desk_at(records[-1].at), engine.rules.risk.limits)
    return Standing(trading_state=state.trading_state, items=items)


def standing_here(settings: Settings, journal: str | None) -> Standing:
    """The standing of the journal that is named, or of the one written last.

    A backtest waits for nobody, and without a journal there is nothing to look at. Raises
    `JournalDamaged` when there was one and it is lost: nobody knows then what halted trading.
    """
    if not journal and (lost := journals.lost(settings)):
        raise JournalDamaged(
            f"{lost[0]} is lost, and what has to be looked at with it: `catalyst-bot db restore` "
            f"brings back a backup (or remove {lost[0]}-mark to accept the loss, or name the run's "
            "own with --journal)"
        )
    try:
        place = journals.chosen(settings, journal)
    except ConfigError:
        if journal:
            raise
        return Standing()
    with ReadModel(place) as model:
        journals.check_whole(model)
        status = model.status()
    if status is None or status["mode"] == Mode.BACKTEST:
        return Standing()
    return standing_of(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A wish to resume, held against the checklist."""

    standing: Standing
    still_open: tuple[Item, ...]
    is_attended: bool  # a bot runs, and resumes now

    def as_text(self) -> str:
        """The checklist, one line an item, and how to go on."""
        waiting = {item.name for item in self.still_open}
        lines = [
            f"  {'OPEN' if item.name in waiting else 'ok  '} {item.name}: {item.note}"
            for item in self.standing.items
        ]
        if not waiting:
            then = "a running bot resumes now" if self.is_attended else "no bot runs here now"
            return "\n".join([*lines, f"latch lifted; {then}"])
        confirm = " ".join(f"--confirm {name}" for name in sorted(waiting))
        asked = f"nothing is changed: look at what is OPEN, then say it with {confirm}"
        return "\n".join([*lines, asked])

    def as_dict(self) -> dict[str, Any]:
        """JSON form: the standing, the names that are still open, and whether a bot runs."""
        return {
            **self.standing.as_dict(),
            "still_open": [item.name for item in self.still_open],
            "is_attended": self.is_attended,
        }


def resume(
    settings: Settings, *, reason: str, confirmed: Sequence[str], journal: str | None, by: str
) -> Resumption:
    """Ask the bot to resume when nothing is open any more; else change nothing.

    Raises `ConfigError` without a reason, and for an item that is not on the list.
    """
    if not reason.strip():
        raise ConfigError("--reason: say why it is safe to go on")
    standing = standing_here(settings, journal)
    _check_names(confirmed, standing.items)
    waiting = still_open(standing.items, confirmed)
    mailbox = OperatorMailbox(settings.run.data_dir)
    is_attended = mailbox.trades.is_attended()
    if not waiting and (is_attended or standing.trading_state is not TradingState.ACTIVE):
        mailbox.resume(by=by, reason=reason.strip(), confirmed=confirmed)
    elif not waiting:  # nobody is halted whom the word could reach
        mailbox.lift()
    return Resumption(standing=standing, still_open=waiting, is_attended=is_attended)


def _check_names(confirmed: Collection[str], items: Collection[Item]) -> None:
    known = {item.name for item in items}
    unknown = sorted(set(confirmed) - known)
    if unknown:
        names = ", ".join(sorted(known)) or "nothing: trading is active"
        raise ConfigError(f"--confirm {unknown[0]}: is not on the checklist; it has {names}")
