"""What the dashboard needs from the rest of the bot, as two protocols.

The page only reads a read model and posts an operator's commands, so it can be tested with rows in
memory and never reaches into the trading core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from catalyst_bot.domain.enums import PositionsPolicy

Row = Mapping[str, Any]
"""Named values: money as Decimal or decimal text, times as aware datetimes or RFC 3339."""


class DashboardSource(Protocol):
    """The read model as the page sees it; keys are those of `storage.views` where it has them.

    Every method is called from one reader thread of the dashboard, never from the event loop, so
    a slow read cannot delay trading. Each raises `SourceUnreachable` when it cannot read now; the
    page then greys out and the dashboard tries again. Keys marked ? may be missing or None.
    """

    def status(self) -> Row | None:
        """Return what the bot is, or None before its first start.

        `last_seq` (grows with every change), `last_at`? (time of the newest fact), `trading_state`
        (active, reducing, halted), `mode`, `broker`?, `model_id`?, `candidate_id`?
        and `candidate_note`? (a model that only votes, or does not run, and why), `stopped_at`?,
        `halt_cause`?, `halt_detail`?, `halted_at`?, `data`? (live, recorded, generated),
        `clock`? (wall, replay), `session_open`?, `stale_after_s`? (age from which live data is out
        of date).
        """
        ...

    def account(self) -> Row | None:
        """Return the newest valuation, or None before the first.

        `equity_usd`, `cash_usd`, `exposure_usd`, `day_open_equity_usd`, `start_equity_usd`,
        `day_return`, `drawdown`; and of all closed trades `trades` and `wins` (counts),
        `win_rate`?, `profit_factor`? (None while nothing was lost), `max_drawdown`?. Returns,
        drawdowns and rates are fractions.
        """
        ...

    def equity_points(self, *, limit: int) -> Sequence[Row]:
        """Return the newest `limit` points of the curve, oldest first: `at`, `equity_usd`."""
        ...

    def positions(self) -> Sequence[Row]:
        """Return what is held now.

        `trade_id`, `symbol`, `quantity`, `average_cost`, `last_price`, `market_value_usd`,
        `unrealised_usd`, `opened_at`, `stop_price`?, `take_profit_price`?, `is_trailing`?.
        """
        ...

    def trades(self, *, limit: int) -> Sequence[Row]:
        """Return the newest `limit` round trips, newest first; open ones have no exit.

        `trade_id`, `symbol`, `quantity`, `entry_at`, `entry_price`, `exit_at`?, `exit_price`?,
        `exit_reason`?, `pnl_usd`?, `pnl_fraction`?, `headline_title`?.
        """
        ...

    def events(self, *, after_seq: int, limit: int) -> Sequence[Row]:
        """Return the newest `limit` events with `seq` > `after_seq`, oldest first.

        `seq`, `at`, `severity` (info, warning, critical), `text`, `reason`?, and `trail_id`?, an
        id that `explain` knows.
        """
        ...

    def funnel(self) -> Row:
        """Return how many headlines reached each step, and why the others did not.

        `seen`, `deduped`, `with_ticker`, `catalyst`, `signal`, `intent`, `approved`, `filled`,
        and `lost`: {step not reached: {reason: count}}.
        """
        ...

    def risk(self) -> Sequence[Row]:
        """Return each limit and what is used of it.

        `name` (`exposure` and `open_positions` also show in the tiles), `used`, `limit`, `unit`
        (fraction, usd, count, ratio), `then` (refuses, pauses, halts, warns), `room_usd`?
        (dollars left until then).
        """
        ...

    def checklist(self) -> Row:
        """Return what has to be looked at before trading goes on.

        `trading_state`, and `items` of `name`, `is_met` and `note`; none while it is active.
        """

    def risk_board(self) -> Row:
        """Return everything about risk: see `monitoring.risk_board.RiskView.as_dict`."""
        ...

    def explain(self, explained_id: str) -> Row | None:
        """Return why, for a trade, order or `trail_id`; None for an unknown id.

        `verdict` (one sentence), `subject`?, and `sections`, each with `title` and `rows`; a row
        has `label`, `value`, `note`?, and, where it is a check, `passed` and `limit`.
        """
        ...


class OperatorDesk(Protocol):
    """Takes a person's commands, called from a worker thread.

    All are idempotent and return once the command is recorded; `OSError` means that it is not.
    """

    def halt(self, *, by: str, reason: str, positions_policy: PositionsPolicy) -> object:
        """Stop new entries; hold or close what is open."""
        ...

    def resume(self, *, by: str, reason: str, confirmed: Sequence[str] = ()) -> object:
        """Let trading go on, with what of the checklist was confirmed."""
        ...

    def reduce(self, *, by: str, reason: str) -> object:
        """Let positions end and none begin."""
        ...

    def override(
        self, *, by: str, reason: str, lasts: timedelta, at: datetime, intent_id: str
    ) -> object:
        """Let the refusal of an intent pass once, within so long; `at` is now."""
        ...

    def acknowledge(self, notice_id: str, *, by: str) -> object:
        """Say that a person has seen a notice. `ValueError`: that is no id."""
        ...
