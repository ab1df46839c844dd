"""A model that is already trained, on sessions that its training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.edges import with_edges
from catalyst_bot.history.panel import Panel, open_panel
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.reports.files import Report
from catalyst_bot.ml.tape import tape_of
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.judging import REVIEW_AFTER
from catalyst_bot.ml.validation.metrics import measure
from catalyst_bot.ml.validation.trials import TrialLedger
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.ml.walk_forward.plan import Span, gap_in
from catalyst_bot.ml.walk_forward.report import Note, Provenance, Wish, measured
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import Model

_LEAST = 5  # sessions: of fewer nothing can be measured


def hold_out(
    model: Model,
    history: Path,
    terms: Terms,
    ledger: TrialLedger,
    *,
    provenance: Provenance,
    note: Note,
) -> Report:
    """Trade what a history holds after the sessions that made and chose a model, as one fold.

    Its card says which those were; a gap as long as the longest case, and a week more, is left
    free. Raises `ConfigError` for a card that does not say it and for bars of another length,
    `BadData` for a history that ends too early.
    """
    panel = open_panel(history)
    if model.bar_interval_s != panel.card.interval_s:
        raise ConfigError(
            f"{model.model_id} decides on bars of {model.bar_interval_s} s, those of the history "
            f"are of {panel.card.interval_s} s"
        )
    fold = _fold_of(model, panel, terms)
    days = panel.days()
    wish = Wish(
        history=history,
        span=Span(
            start=days[fold.train.start],
            oos_start=days[fold.test.start],
            end=days[fold.test.stop - 1],
            train_sessions=len(fold.train),
            test_sessions=len(fold.test),
        ),
        terms=terms,
        folder=history,
        algorithms=tuple(sorted({agent.algorithm for agent in model.agents})),
        seeds=tuple(sorted({agent.seed for agent in model.agents})),
    )
    procedure = str(model.card["procedure"])
    return measured(wish, panel, [fold], procedure, ledger, provenance=provenance, note=note)


def first_day_of(model: Model) -> date:
    """Return the first day that a model learned from. `ConfigError` when its card is mute."""
    return _told(model)["train"][0]


def _fold_of(model: Model, panel: Panel, terms: Terms) -> Fold:
    if model.edges is None:
        raise ConfigError(
            f"{model.model_id} goes by the worth of news that detection ships, which a history "
            "does not hold: it cannot be judged by one"
        )
    days, told = panel.days(), _told(model)
    train, validation = (_between(days, told[name]) for name in ("train", "validation"))
    test = range(validation.stop + gap_in(panel).sessions, len(days))
    if not train or len(test) < _LEAST:
        last = told["validation"][1]
        raise BadData(
            f"the history holds {days[0]} to {days[-1]}: too little of what {model.model_id} "
            f"learned from, or after {last}, its last day; import more"
        )
    run = run_portfolio(
        tape_of(with_edges(panel, model.edges), atr_length=terms.atr_length),
        terms,
        sessions=train,
        policy=EnsemblePolicy(model).act_rows,
        review_after=REVIEW_AFTER,
    )
    panel.let_go()
    weights = {agent.name: agent.weight for agent in model.agents}
    inside = measure(run.equity, run.trades["pnl_usd"], run.exposure)
    return Fold(
        number=0,
        train=train,
        validation=validation,
        test=test,
        model=model,
        agents=tuple({**row, "weight": weights[row["name"]]} for row in model.card["agents"]),
        in_sample_sharpe=inside.sharpe or 0.0,
        seconds=0.0,
    )


def _told(model: Model) -> Mapping[str, tuple[date, date]]:
    """The first and last days of the parts that a card names; it must say the rest, too."""
    try:
        sessions: Mapping[str, Any] = model.card["sessions"]
        names = {row["name"] for row in model.card["agents"]}
        if not model.card["procedure"] or names != {agent.name for agent in model.agents}:
            raise KeyError("procedure, agents")
        return {
            name: (date.fromisoformat(sessions[name][0]), date.fromisoformat(sessions[name][1]))
            for name in ("train", "validation")
        }
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ConfigError(
            f"the card of {model.model_id} does not say which sessions made it, and how: {error}"
        ) from error


def _between(days: tuple[date, ...], bounds: tuple[date, date]) -> range:
    first, last = bounds
    return range(sum(day < first for day in days), sum(day <= last for day in days))
