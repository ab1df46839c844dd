"""The verdict on a model: every gate asked again, from the arrays of its report and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.reports.files import Report
from catalyst_bot.ml.reports.summary import REFUSED
from catalyst_bot.ml.validation.findings import find
from catalyst_bot.ml.validation.gates import QUESTIONS, Gate, answered, judge, passes
from catalyst_bot.ml.validation.trials import WALK_FORWARD, Head, Trial, TrialLedger
from catalyst_bot.policies.model_files import PASSED, Model

HEADER = ("gate", "value", "asked", "verdict", "evidence")
_RUN = "run `catalyst-bot walk-forward`, and name its JSON with --report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All gates of a model. `trials` is the ledger's head now; None when it cannot be trusted."""

    model_id: str
    gates: tuple[Gate, ...]
    trials: Head | None

    @property
    def has_passed(self) -> bool:
        """Every gate said yes."""
        return passes(self.gates)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "model": self.model_id,
            "verdict": PASSED if self.has_passed else REFUSED,
            "trials": None if self.trials is None else self.trials.as_dict(),
            "gates": [gate.as_dict() for gate in self.gates],
        }

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return a line a gate: name, value, threshold, verdict, evidence."""
        return gate_rows(self.gates)


def verdict_of(model: Model, report: Report | None, ledger: TrialLedger) -> Verdict:
    """Return the verdict on a model.

    Its evidence is what the report's arrays say now, not what the report says of them; its trials
    are all that the ledger counts now. Without a report, or with that of another model, every gate
    that asks for evidence says no.
    """
    trials, counted = _counted(model, report, ledger)
    own = report is not None and model.model_id in report.models
    provenance = Gate(
        name="provenance",
        value=float(own),
        threshold="1",
        passes=own,
        evidence="the report is about this very model"
        if own
        else f"no report of this model: {_RUN}"
        if report is None
        else f"the report is about other models than {model.model_id}: {_RUN}",
    )
    if report is None or not own:
        asked = tuple(
            answered(q.name, None, low=q.low, high=q.high, evidence=q.about) for q in QUESTIONS
        )
    else:
        asked = judge(find(report.evidence, trials))
    head = None if not counted.passes else ledger.read()[1]
    return Verdict(model_id=model.model_id, gates=(provenance, counted, *asked), trials=head)


def gate_rows(gates: Sequence[Gate]) -> list[tuple[str, str, str, str, str]]:
    """Return a line a gate for a table: name, value, threshold, verdict, evidence."""
    return [
        (
            gate.name,
            "-" if gate.value is None else f"{gate.value:.4g}",
            gate.threshold,
            "yes" if gate.passes else "NO",
            gate.evidence,
        )
        for gate in gates
    ]


def _counted(
    model: Model, report: Report | None, ledger: TrialLedger
) -> tuple[tuple[Trial, ...] | None, Gate]:
    """The trials, and whether the ledger is the one that the model and its report were counted in.

    It has to have counted the very returns of the report; others were changed afterwards. Where it
    is not the one, nobody knows how many tries there were: this gate and that of luck say no.
    """
    named = [report.trials] if report is not None else []
    try:
        trials, head = ledger.read()
        named += _on_card(model)
        for each in named:
            ledger.must_hold(each)
        if not head.trials:
            raise BadData(f"{ledger.path}: counts no trial, but this model was made by some")
        if report is not None:
            _must_count(trials, report, ledger)
    except BadData as error:
        return None, _ledger_gate(0.0, str(error), is_whole=False)
    return trials, _ledger_gate(
        float(head.trials), f"trials counted, none missing ({ledger.path})", is_whole=True
    )


def _must_count(trials: Sequence[Trial], report: Report, ledger: TrialLedger) -> None:
    """Raise `BadData` unless a walk forward with the returns of the report was counted."""
    counted = {trial.returns_hash for trial in trials if trial.kind == WALK_FORWARD}
    if report.evidence.returns_hash not in counted:
        raise BadData(
            f"{ledger.path}: counted no walk forward with the returns of this report: they were "
            f"changed since; {_RUN}"
        )


def _ledger_gate(value: float, evidence: str, *, is_whole: bool) -> Gate:
    return Gate(
        name="trial_ledger",
        value=value if is_whole else None,
        threshold="whole",
        passes=is_whole,
        evidence=evidence,
    )


def _on_card(model: Model) -> list[Head]:
    """The ledger's head that the card names. Raises `BadData` for a card that names none."""
    try:
        return [Head(**model.card["trials"])]
    except (KeyError, TypeError) as error:
        raise BadData(
            f"the card of {model.model_id} does not say how many trials there were before it"
        ) from error
