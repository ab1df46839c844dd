"""`train`: a model from a history by one command, every agent counted, or a clear no."""

from __future__ import annotations

import json
import socket
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.console import CONFIGURATION, OK, UNREACHABLE, USAGE
from catalyst_bot.history.panel import open_panel
from catalyst_bot.policies.model_files import read_model
from tests.e2e.commands import Said, catalyst_bot
from tests.unit.ml.histories import write_history

CHOOSES = date(2021, 3, 1)
SMALL = """
[a2c]
accounts = 16
rounds = 2
steps = 512
[a2c.keywords]
n_steps = 16
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("command") / "history")


class Desk:
    """A data folder and the flags that go with it."""

    def __init__(self, folder: Path, history: Path) -> None:
        self.folder, self.history = folder, history
        (folder / "small.toml").write_text(SMALL)

    def train(self, out: str = "model", *more: str, history: Path | None = None) -> Said:
        return catalyst_bot(
            *("train", "--history", str(history or self.history)),
            *("--out", str(self.folder / out), "--data-dir", str(self.folder / "data")),
            *("--algorithms", "a2c", "--hyperparameters", str(self.folder / "small.toml")),
            *more,
            env=self.env,
        )

    @property
    def env(self) -> dict[str, str]:
        return {"XDG_STATE_HOME": str(self.folder / "state")}

    def trials(self) -> list[dict[str, Any]]:
        said = catalyst_bot(
            "trials", "--data-dir", str(self.folder / "data"), "--json", "-", env=self.env
        )
        return json.loads(said.out)["trials"]


@pytest.fixture
def desk(tmp_path: Path, history: Path) -> Desk:
    return Desk(tmp_path, history)


def test_one_command_makes_a_model_and_counts_every_agent(desk: Desk) -> None:
    said = desk.train("model", "--seeds", "2", "--json", str(desk.folder / "said.json"))
    assert said.code == OK, said.err
    assert "2 of 2: a2c-" in said.err
    assert "a2c-0" in said.out
    found = json.loads((desk.folder / "said.json").read_text())
    model = read_model(desk.folder / "model")
    assert found["model_id"] == model.model_id
    assert [agent["name"] for agent in found["agents"]] == ["a2c-0", "a2c-1"]
    assert [trial["kind"] for trial in desk.trials()] == ["train", "train"]
    assert model.card["trials"]["trials"] == 2
    assert not list((desk.folder / "model.training").glob("*.safetensors"))

    again = desk.train("again", "--seeds", "2", "--jobs", "2")
    assert again.code == OK
    assert len(desk.trials()) == 2  # the same trainings with the same results
    assert (
        read_model(desk.folder / "again").model_id.split("-")[-1] == (model.model_id.split("-")[-1])
    )


def test_a_search_counts_its_tries_before_the_agents(desk: Desk) -> None:
    said = desk.train("model", "--search", "2")
    assert said.code == OK, said.err
    assert [trial["kind"] for trial in desk.trials()] == ["search", "search", "train"]
    assert "after 2 tries" in said.err


def test_parts_by_date_are_on_the_card(desk: Desk) -> None:
    dates = ("--validation-start", "2021-03-01", "--test-start", "2021-06-01")
    assert desk.train("model", *dates).code == OK
    sessions = read_model(desk.folder / "model").card["sessions"]
    assert sessions["validation"][0] == "2021-03-01"
    assert sessions["test"][0] == "2021-06-01"
    assert sessions["train"][1] < "2021-02-28"


def test_no_case_that_is_learned_from_reaches_into_what_chooses(tmp_path: Path) -> None:
    followed_days = 29
    desk = Desk(tmp_path, write_history(tmp_path / "history", bars=followed_days + 1))
    assert desk.train("model", "--validation-start", str(CHOOSES)).code == OK
    card = read_model(desk.folder / "model").card
    learned_until = date.fromisoformat(card["sessions"]["train"][1])
    between = [day for day in open_panel(desk.history).days() if learned_until < day < CHOOSES]
    # The history has a session every day; a year of the exchange has 252.
    assert len(between) > followed_days * 252 / 365.25


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--start-date", "2021-07-01"), "sessions"),
        (("--algorithms", "a2c,dqn"), "dqn: no such algorithm"),
        (("--catalog", "nowhere"), "name one of the two"),
        (("--hyperparameters", "nowhere.toml"), "cannot be read"),
        (("--cluster", "somewhere"), "HOST:PORT"),
        (("--json", "nowhere/a.json"), "there is no folder"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_nothing_written(
    desk: Desk, more: tuple[str, ...], said: str
) -> None:
    found = desk.train("model", *more)
    assert found.code == CONFIGURATION
    assert said in found.err
    assert not (desk.folder / "model").exists()
    assert desk.trials() == []


def test_a_day_is_a_day(desk: Desk) -> None:
    found = desk.train("model", "--start-date", "yesterday")
    assert found.code == USAGE
    assert "--start-date" in found.err


def test_a_folder_that_holds_something_is_left_alone(desk: Desk) -> None:
    (desk.folder / "model").mkdir()
    (desk.folder / "model" / "mine.txt").write_text("mine")
    found = desk.train("model")
    assert (found.code, desk.trials()) == (CONFIGURATION, [])
    assert "is there already" in found.err


def test_a_history_that_is_none_is_refused(desk: Desk) -> None:
    found = desk.train("model", history=desk.folder)
    assert found.code == CONFIGURATION
    assert "no history" in found.err


def test_no_agents_are_asked_for_wrongly(desk: Desk) -> None:
    assert desk.train("model", "--seeds", "0").code == USAGE


def test_a_cluster_that_is_not_there_is_refused(desk: Desk) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    found = desk.train("model", "--cluster", address)
    assert found.code == UNREACHABLE
    assert "cannot be reached" in found.err
    assert not (desk.folder / "model").exists()
