"""Who decides in a run: the rule, or a trained model that passed the gates of validation.

A model that did not pass never decides: it is a candidate, whose votes are recorded and shown while
the rule decides. A model runs only on bars of the length it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import CatalystError, ConfigError
from catalyst_bot.domain.ids import content_id
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import CARD, UNJUDGED, Model, read_model, refuse_pickles
from catalyst_bot.policies.rule import MODEL_ID, RulePolicy
from catalyst_bot.ports.policy import Policy

FOLDER = "models"  # of the data folder: models by name
SHIPPED = "shipped"
CHAMPION, CANDIDATE, IDLE = "champion", "candidate", "does not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciders:
    """The policy that decides and, beside it, a candidate that only votes.

    `note` says why the model that was asked for does not decide; empty when it does.
    """

    policy: Policy
    candidate: EnsemblePolicy | None = None
    note: str = ""


def shipped_folder() -> Path:
    """Where the model that comes with the package lies, if one does."""
    return Path(str(files("catalyst_bot.policies") / SHIPPED))


def has_shipped() -> bool:
    """True when a model comes with the package."""
    return (shipped_folder() / CARD).is_file()


def folder_of(model: str, data_dir: Path) -> Path:
    """Return the folder of a model given as a path, or by its name in the data folder.

    Raises `ConfigError` with what exists, `BadData` for a pickle.
    """
    if model == SHIPPED:
        return shipped_folder()
    refuse_pickles(Path(model))
    places = [Path(model), *([] if "/" in model else [data_dir / FOLDER / model])]
    for place in places:
        if place.is_dir():
            return place
    known = ", ".join((MODEL_ID, *(name for name, _ in _folders(data_dir))))
    raise ConfigError(
        f"run.model = {model}: no such model folder; there are {known}. Give one of them, or the "
        "folder of a model made by `catalyst-bot train`"
    )


def deciders_of(model: str, data_dir: Path, *, bar_interval_s: int) -> Deciders:
    """Return who decides when `run.model` is `model` and bars are of `bar_interval_s`.

    Raises `ConfigError` or `BadData` for a model that cannot be read, and for one that passed but
    was made for other bars; the shipped one then stays idle beside the rule.
    """
    if model == MODEL_ID:
        return Deciders(policy=RulePolicy())
    found = read_model(folder_of(model, data_dir))
    if found.bar_interval_s != bar_interval_s:
        note = (
            f"{found.model_id} was trained on bars of {found.bar_interval_s} s and does not run on "
            f"bars of {bar_interval_s} s"
        )
        if found.has_passed and model != SHIPPED:
            raise ConfigError(f"run.model = {model}: {note}; use --model rule")
        return Deciders(policy=RulePolicy(), note=note)
    policy = EnsemblePolicy(found)
    if found.has_passed:
        return Deciders(policy=policy)
    return Deciders(policy=RulePolicy(), candidate=policy, note=_why_candidate(found))


def model_hash(deciders: Deciders) -> str:
    """Return the hash of the policies' code and of the model that decides.

    What makes observations and weighs votes is not in it: the program's version names that.
    """
    folder = files("catalyst_bot.policies")
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".py"))
    sources = ((folder / name).read_text("utf-8") for name in names)
    return content_id("mdl", *sources, deciders.policy.model_id)


def listed(data_dir: Path) -> list[dict[str, Any]]:
    """Return a row for the rule and for every model: name, model_id, role, why, place."""
    rule = {"name": MODEL_ID, "model_id": MODEL_ID, "role": CHAMPION, "note": "", "place": ""}
    return [rule, *(_row(name, place) for name, place in _folders(data_dir))]


def shown(model: str, data_dir: Path) -> dict[str, Any]:
    """Return what a model is made of: its agents with weights, its card, whether it may decide.

    Raises `ConfigError` and `BadData` as `read_model` does.
    """
    folder = folder_of(model, data_dir)
    found = read_model(folder)
    return {
        "name": found.name,
        "model_id": found.model_id,
        "place": str(folder),
        "role": CHAMPION if found.has_passed else CANDIDATE,
        "note": "" if found.has_passed else _why_candidate(found),
        "bar_interval_s": found.bar_interval_s,
        "spec_hash": found.spec_hash,
        "agents": [
            {
                "name": agent.name,
                "algorithm": agent.algorithm,
                "seed": agent.seed,
                "weight": agent.weight,
                "validation_sharpe": agent.validation_sharpe,
                "layers": [list(weight.shape) for weight in agent.network.weights],
            }
            for agent in found.agents
        ],
        "card": dict(found.card),
    }


def list_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """`models list` for people: a line per model, and why one may not decide."""
    width = max(len(row["name"]) for row in rows)
    lines = []
    for row in rows:
        lines.append(f"{row['name']:<{width}}  {row['role']}  {row['model_id']}".rstrip())
        if row["note"]:
            lines.append(f"{'':<{width}}  {row['note']}")
    return "\n".join(lines)


def show_text(found: Mapping[str, Any]) -> str:
    """`models show` for people: who votes, and the card as it is."""
    made_for = f"bars of {found['bar_interval_s']} s, features {found['spec_hash']}"
    lines = [
        f"{found['model_id']}: {found['role']}, {made_for}",
        *([found["note"]] if found["note"] else []),
        *(
            f"  {agent['name']}  {agent['algorithm']}, seed {agent['seed']}, weight "
            f"{agent['weight']:.4f}, validation Sharpe {agent['validation_sharpe']:.2f}"
            for agent in found["agents"]
        ),
        json.dumps(found["card"], indent=1, ensure_ascii=False),
    ]
    return "\n".join(lines)


def _folders(data_dir: Path) -> Iterator[tuple[str, Path]]:
    if has_shipped():
        yield SHIPPED, shipped_folder()
    folder = data_dir / FOLDER
    if folder.is_dir():
        for place in sorted(folder.iterdir()):
            if (place / CARD).is_file():
                yield place.name, place


def _row(name: str, place: Path) -> dict[str, Any]:
    """A row of the list; a model that cannot be read says why instead of hiding the others."""
    row = {"name": name, "model_id": "", "role": IDLE, "note": "", "place": str(place)}
    try:
        found = read_model(place)
    except CatalystError as error:
        return row | {"note": str(error)}
    if found.has_passed:
        return row | {"model_id": found.model_id, "role": CHAMPION}
    return row | {"model_id": found.model_id, "role": CANDIDATE, "note": _why_candidate(found)}


def _why_candidate(model: Model) -> str:
    verdict = model.card.get("verdict", UNJUDGED)
    said = "it was never validated" if verdict == UNJUDGED else f"validation said: {verdict}"
    return f"{model.model_id} may not decide ({said}): its votes are shown, the rule decides"
