from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalyst_bot.settings import Settings, load
from tools.reference.documents import documents

ROOT = Path(__file__).parents[2]
NOT_SET = frozenset(  # shown with an example value
    {
        "changes",
        "generated_seed",
        "tickers_file",
        "sentiment_model",
        "encoder",
        "finbert_dir",
        "knowledge_cutoff",
    }
)


@pytest.mark.parametrize("name", sorted(documents()))
def test_generated_pages_are_fresh(name: str):
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == documents()[name], "stale: run `make docs`"


def test_every_key_of_the_settings_file_switched_on_changes_nothing(tmp_path: Path):
    file = tmp_path / "catalyst.toml"
    text = (ROOT / "catalyst.toml").read_text(encoding="utf-8")
    switched_on = re.sub(r"^#(?=\w+ = )", "", text, flags=re.M)
    lines = [line for line in switched_on.splitlines() if line.split(" = ")[0] not in NOT_SET]
    file.write_text("\n".join(lines))
    loaded = load(file=file, environ={})
    assert loaded.settings == Settings()
    defaults = {key for key, origin in loaded.origins.items() if origin == "default"}
    assert {key.split(".")[1] for key in defaults} == NOT_SET


def test_the_settings_file_as_it_is_changes_nothing():
    assert load(file=ROOT / "catalyst.toml", environ={}).settings == Settings()
