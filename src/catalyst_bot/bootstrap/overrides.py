"""`override`: ask the running bot to let one refusal pass, and read its answer in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalyst_bot.bootstrap import journals
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.domain.limits import SYMBOL
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.trade_desk import TradeDesk
from catalyst_bot.runtime.words import WordBox, parse_duration
from catalyst_bot.settings import Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel

POLL_S = 0.05
_OVERRIDABLE = frozenset(row.name for row in ENTRY_CHECKS if row.may_be_overridden)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An override as a person asks for it: of an intent, or of a rule in a symbol."""

    by: str
    reason: str
    lasts: str
    intent_id: str = ""
    symbol: str = ""
    rule: str = ""

    def check(self) -> None:
        """Raise `ConfigError` for one that names neither an intent nor a rule and a symbol."""
        of_rule = bool(self.symbol and self.rule)
        if bool(self.intent_id) == of_rule or bool(self.symbol) != bool(self.rule):
            raise ConfigError("name the refused intent, or a rule with --rule and --symbol")
        if not self.by.strip():
            raise ConfigError("--by: say who overrides it")
        if not self.reason.strip():
            raise ConfigError("--reason: say why this refusal is overridden")
        if self.rule and self.rule not in _OVERRIDABLE:
            raise ConfigError(
                f"--rule {self.rule}: no rule that may be overridden; there are "
                f"{', '.join(sorted(_OVERRIDABLE))}"
            )
        if self.symbol and not SYMBOL.fullmatch(self.symbol.upper()):
            raise ConfigError(f"--symbol {self.symbol}: no symbol; give one such as AAPL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the bot said; `verdict` of a refusal that was judged again, and whether it passed."""

    override_id: str
    is_granted: bool
    detail: str
    verdict: str = ""
    is_refused_again: bool = False

    @property
    def is_final(self) -> bool:
        """False while a refusal waits for prices to be judged by."""
        return not self.is_granted or bool(self.verdict)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    def as_text(self) -> str:
        """One line."""
        word = "granted" if self.is_granted else "refused"
        verdict = self.verdict if self.is_final else "not judged yet: `explain` will tell"
        return f"{word}: {self.detail}{verdict and f'; {verdict}'}"


def override(
    settings: Settings,
    asked: Asked,
    *,
    journal: str | None,
    wait_s: float,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """Ask, and return the answer.

    Raises `ConfigError` for a wish that is none, `SourceUnreachable` when no bot runs on the data
    folder, or it does not answer within `wait_s`.
    """
    asked.check()
    try:
        lasts = parse_duration(asked.lasts)
    except ValueError as error:
        raise ConfigError(f"--for {error}") from error
    data_dir = settings.run.data_dir
    if not TradeDesk(data_dir).is_attended():
        raise SourceUnreachable(
            f"no bot is running on {data_dir}: start one with `catalyst-bot run`, or name its "
            "folder with --data-dir"
        )
    place = journals.chosen(settings, journal)
    override_id = WordBox(data_dir).override(
        by=asked.by,
        reason=asked.reason.strip(),
        lasts=lasts,
        at=SystemClock().now(),
        intent_id=asked.intent_id,
        symbol=asked.symbol.upper(),
        rule=asked.rule,
    )
    deadline = time.monotonic() + wait_s
    while (answer := _answer(place, override_id)) is None or not answer.is_final:
        if time.monotonic() >= deadline:
            if answer is not None:
                return answer
            raise SourceUnreachable(
                f"the bot on {data_dir} did not answer within {wait_s:g} s; its journal will tell"
            )
        pause(POLL_S)
    return answer


def _answer(place: Place, override_id: str) -> Answer | None:
    """The answer in a journal, None while there is none."""
    names = ("OverrideGranted", "OverrideRefused", "OrderApproved", "OrderRefused")
    answer, intent_id = None, ""
    with ReadModel(place) as model:
        for record in model.records(*names):
            match record.body:
                case d.OverrideGranted() as granted if granted.override_id == override_id:
                    intent_id = granted.intent_id
                    answer = Answer(
                        override_id=override_id,
                        is_granted=True,
                        detail=f"{', '.join(granted.rules)} in {granted.symbol}",
                        verdict="" if intent_id else "for the next entry there",
                    )
                case d.OverrideRefused() as refused if refused.override_id == override_id:
                    return Answer(override_id=override_id, is_granted=False, detail=refused.reason)
                case d.OrderApproved(order=order) if answer and order.override_id == override_id:
                    bought = f"{order.quantity:f} {order.symbol}, order {order.client_order_id}"
                    return replace(answer, verdict=f"approved {bought}")
                case d.OrderRefused() as again if intent_id and again.intent_id == intent_id:
                    assert answer is not None, "refused before it was granted"
                    why = f"and refused again, by {again.rule}"
                    return replace(answer, verdict=why, is_refused_again=True)
    return answer
