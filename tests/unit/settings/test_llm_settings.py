"""What the settings of a language model must say, and must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings import load


def loaded(folder: Path, **given: str) -> str:
    file = folder / "x.toml"
    file.write_text("\n".join(["[llm]", *(f"{k} = {v}" for k, v in given.items())]))
    return load(file=file, environ={}).as_json()


def test_enabled_needs_a_model_and_its_cutoff(tmp_path: Path):
    with pytest.raises(ConfigError, match="needs model and knowledge_cutoff"):
        loaded(tmp_path, enabled="true")
    good = {"enabled": "true", "model": '"m"', "knowledge_cutoff": '"2024-06-01"'}
    assert '"knowledge_cutoff":"2024-06-01"' in loaded(tmp_path, **good)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://key:secret@127.0.0.1/v1", "holds a key"),
        ("https://api.example.com/v1?key=secret", "holds a key"),
        ("file:///etc/passwd", "no http or https"),
        ("127.0.0.1:80", "no http or https"),
    ],
)
def test_an_address_with_a_key_is_refused_without_repeating_it(
    tmp_path: Path, url: str, reason: str
):
    with pytest.raises(ConfigError, match=reason) as refused:
        loaded(tmp_path, base_url=f'"{url}"')
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("key", "value"), [("timeout_s", "2.1"), ("daily_cap_usd", "-1")])
def test_the_wait_and_the_purse_are_bounded(tmp_path: Path, key: str, value: str):
    with pytest.raises(ConfigError, match=key):
        loaded(tmp_path, **{key: value})
