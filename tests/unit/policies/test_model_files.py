"""A model folder: what was written is read, and nothing else is."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.news import Worth
from catalyst_bot.policies.model_files import CARD, WEIGHTS, read_model, write_model
from tests.models import WIDTH, agent, model, normalisation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "model", model())
    return tmp_path / "model"


def change_card(folder: Path, **values: Any) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | values))


def test_what_was_written_is_read_back(folder: Path) -> None:
    ours, theirs = model(), read_model(folder)
    assert theirs.model_id == ours.model_id
    assert theirs.has_passed
    seen = np.random.default_rng(0).normal(size=(20, WIDTH))
    for before, after in zip(ours.agents, theirs.agents, strict=True):
        assert (after.name, after.weight) == (before.name, before.weight)
        assert (after.network.forward_rows(seen) == before.network.forward_rows(seen)).all()


def test_equal_models_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "again", read_model(folder))
    for name in (CARD, WEIGHTS):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_the_id_is_of_what_decides() -> None:
    ours = model()
    assert replace(ours, card={"verdict": "refused"}).model_id == ours.model_id
    weighed = (replace(ours.agents[0], weight=2.0), *ours.agents[1:])
    assert replace(ours, agents=weighed).model_id != ours.model_id
    trained = (agent("ppo-0", seed=9, weight=0.5), *ours.agents[1:])
    assert replace(ours, agents=trained).model_id != ours.model_id


def test_what_categories_were_worth_is_part_of_what_decides(tmp_path: Path) -> None:
    learned = model(edges={"fda_approval": Worth(edge_bps=-3.5, high_bps=12.25, events=40)})
    assert len({learned.model_id, model().model_id, model(edges={}).model_id}) == 3
    for name, ours in (("learned", learned), ("nothing", model(edges={})), ("none", model())):
        write_model(tmp_path / name, ours)
        theirs = read_model(tmp_path / name)
        assert (theirs.edges, theirs.model_id) == (ours.edges, ours.model_id)


def test_a_model_of_which_something_that_decides_was_changed_is_refused(tmp_path: Path) -> None:
    worth = {"edge_bps": -3.5, "high_bps": 12.25, "events": 40}
    write_model(tmp_path / "model", model(edges={"fda_approval": Worth(**worth)}))
    change_card(tmp_path / "model", edges={"fda_approval": worth | {"edge_bps": 3.5}})
    with pytest.raises(BadData, match="describes another model"):
        read_model(tmp_path / "model")


def test_only_a_verdict_of_the_gates_makes_a_champion() -> None:
    assert not model(card={}).has_passed
    assert not model(card={"verdict": "refused"}).has_passed


def test_a_folder_with_something_in_it_is_not_written_over(folder: Path) -> None:
    before = (folder / CARD).read_bytes()
    with pytest.raises(ConfigError, match="not empty"):
        write_model(folder, model(name="other"))
    assert (folder / CARD).read_bytes() == before


def test_a_model_that_could_not_be_read_leaves_nothing(tmp_path: Path) -> None:
    unweighed = model(agent(weight=0.0))
    with pytest.raises(BadData, match="none has weight"):
        write_model(tmp_path / "model", unweighed)
    with pytest.raises(BadData, match="no plain JSON"):
        write_model(tmp_path / "model", model(card={"sharpe": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_breaks_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kinds: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        write_model(tmp_path / "model", model())
    assert list(tmp_path.iterdir()) == []


def test_weights_that_were_touched_are_refused(folder: Path) -> None:
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    with pytest.raises(BadData, match="hash differs"):
        read_model(folder)


def test_other_features_are_refused_with_the_remedy(folder: Path) -> None:
    change_card(folder, spec_hash="0123456789abcdef")
    with pytest.raises(ConfigError, match=r"features 0123456789abcdef.*train it again"):
        read_model(folder)


def test_an_agent_without_weights_is_refused(folder: Path) -> None:
    agents = json.loads((folder / CARD).read_text())["agents"]
    change_card(folder, agents=[*agents, agents[0] | {"name": "td3-0"}])
    with pytest.raises(BadData, match="td3-0/0/weight: an agent of the card is missing"):
        read_model(folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": 1}, "no model of format"),
        ({"bar_interval_s": 300}, "normalised for bars of 86400 s"),
        ({"bar_interval_s": 0}, "no whole number"),
        ({"name": "../x"}, "is no name"),
        ({"agents": []}, "a list of 1 to"),
        ({"agents": [{"name": "ppo-0"}]}, "layers"),
        ({"normalisation": {}}, "constants of normalisation"),
        ({"card": 3}, "of no use"),
        ({"edges": [1]}, "of no use"),
        ({"edges": {"up": {"edge_bps": 1.0, "high_bps": 0.0, "events": 9}}}, "high_bps"),
        ({"edges": {"up": {"edge_bps": float("nan"), "high_bps": 0.0, "events": 9}}}, "edge_bps"),
        ({"bar_interval_s": 60, "normalisation": None}, "of no use"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(
    folder: Path, values: dict[str, Any], words: str
) -> None:
    change_card(folder, **values)
    with pytest.raises(BadData, match=words):
        read_model(folder)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), True, "1"])
def test_a_weight_that_is_none_is_refused(folder: Path, weight: Any) -> None:
    agents = json.loads((folder / CARD).read_text())["agents"]
    agents[0]["weight"] = weight
    change_card(folder, agents=agents)
    with pytest.raises(BadData, match=r"weight: .* is no number of use"):
        read_model(folder)


@pytest.mark.parametrize("name", ["agent.pkl", "policy.ZIP", "policy.pth"])
def test_a_pickle_in_the_folder_is_refused_unread(folder: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps({}))
    with pytest.raises(BadData, match="never a pickle"):
        read_model(folder)


def test_a_pickle_in_the_place_of_weights_is_refused(folder: Path) -> None:
    content = pickle.dumps({"weights": [1.0]})
    (folder / WEIGHTS).write_bytes(content)
    change_card(folder, weights_sha256=sha256(content).hexdigest())
    with pytest.raises(BadData, match="no safetensors file"):
        read_model(folder)


def test_what_is_no_folder_of_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no model"):
        read_model(tmp_path)
    with pytest.raises(BadData, match="never a pickle"):
        read_model(tmp_path / "ensemble.pkl")


def test_normalised_for_another_interval_cannot_be_written(tmp_path: Path) -> None:
    mixed = replace(model(), normalisation=normalisation(300))
    with pytest.raises(BadData, match="normalised for bars of 300 s"):
        write_model(tmp_path / "model", mixed)
