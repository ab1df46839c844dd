from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.storage.places import Place


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a journal may lie: every test of storage runs on both databases."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        found: Place = server.place()
        return found
    return tmp_path / "journal.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """For what only a file can be or suffer."""
    return tmp_path / "journal.db"
