from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.places import PostgresPlace, checked_name, name_from, place_of, server_of

CANARY = "hunter2-canary"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///data/x.db", Path("data/x.db")),
        ("sqlite:////var/x.db", Path("/var/x.db")),
        (
            "postgresql+psycopg://bot@db:5432/catalyst?journal=live",
            PostgresPlace("postgresql+psycopg://bot@db:5432/catalyst", "live"),
        ),
        (
            "postgresql+psycopg://bot@/catalyst?host=%2Frun%2Fpg&journal=a_b-1&sslmode=require",
            PostgresPlace(
                "postgresql+psycopg://bot@/catalyst?host=%2Frun%2Fpg&sslmode=require", "a_b-1"
            ),
        ),
    ],
)
def test_a_url_names_a_place(url: str, place: Path | PostgresPlace):
    assert place_of(url) == place
    assert place_of(place) == place


def test_a_place_in_a_database_is_written_as_its_url():
    place = PostgresPlace("postgresql+psycopg://bot@db/catalyst?sslmode=require", "live")
    assert place_of(str(place)) == place


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "data/x.db",
        "mysql://h/x?journal=y",
        "postgresql://h/x?journal=y",
        "postgresql+psycopg://h/x",
        "postgresql+psycopg://h/x?journal=",
        "postgresql+psycopg://h/x?journal=a&journal=b",
        "postgresql+psycopg://h:port/x?journal=y",
    ],
)
def test_what_names_no_place_is_refused(url: str):
    with pytest.raises(ConfigError, match=r"storage\.url|no name of a journal"):
        place_of(url)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://bot:{CANARY}@h/x?journal=y",
        f"postgresql+psycopg://h/x?journal=y&password={CANARY}",
        f"postgresql+psycopg://bot:{CANARY}@h:port/x",
        f"mysql://bot:{CANARY}@h/x",
        f"sqlite://bot:{CANARY}@h/x",
    ],
)
@pytest.mark.parametrize("read", [place_of, server_of])
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str, read):
    with pytest.raises(ConfigError) as refused:
        read(url)
    assert CANARY not in str(refused.value)
    assert "CATALYST_STORAGE_PASSWORD" in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        *("", "1", "A", "a b", 'a"b', "pg_x", "a;drop", "ä", "a" * 64, "a\n", "-a"),
        *("public", "information_schema"),
    ],
)
def test_a_name_that_could_be_anything_else_is_refused(name: str):
    with pytest.raises(ConfigError, match="no name of a journal"):
        checked_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("paper-trading-2025-10-02-2025-10-31-1a2b3c4d", None),
        ("Live.Alpaca", "live-alpaca"),
        ("2025", "run-2025"),
        ("pg_own", "run-pg_own"),
    ],
)
def test_any_label_becomes_a_name(text: str, name: str | None):
    assert name_from(text) == (name or text)


def test_long_labels_stay_apart():
    one, other = name_from("a" * 80 + "x"), name_from("a" * 80 + "y")
    assert len(one) == len(other) == 63
    assert one != other
