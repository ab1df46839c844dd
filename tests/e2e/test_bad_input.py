"""Whatever is wrong with the input: the documented exit code, and a line that says what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backports import zstd

from catalyst_bot.bootstrap import run
from catalyst_bot.storage.journal import SqlJournal
from tests.e2e.commands import Said, catalyst_bot
from tests.replays import generated

ROOT = Path(__file__).parents[2]
DAYS = ("--from", "2025-10-06", "--to", "2025-10-06")
HEADER = "timestamp,symbol,open,high,low,close,volume"


def bar_lines(symbol: str = "ACME", count: int = 78) -> list[str]:
    opens = datetime(2025, 10, 6, 13, 30, tzinfo=UTC)
    times = (opens + timedelta(minutes=5 * n) for n in range(count))
    return [f"{at:%Y-%m-%dT%H:%M:%SZ},{symbol},10,10.2,9.9,10.1,50000" for at in times]


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text("\n".join([HEADER, *bar_lines(), *bar_lines("SPY")]) + "\n")
    return path


def news_line(**given: object) -> str:
    item = {
        "published_at": "2025-10-06T14:00:00Z",
        "title": "Acme wins FDA approval for its new pump",
        "source": "Invented Wire",
        "symbols": ["ACME"],
    }
    return json.dumps(item | given)


@pytest.fixture
def news(tmp_path: Path) -> Path:
    path = tmp_path / "news.jsonl"
    path.write_text(news_line() + "\n")
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that name no folder write below the test's own."""
    monkeypatch.chdir(tmp_path)


def replayed(*arguments: str | Path, env: dict[str, str] | None = None) -> Said:
    words = map(str, arguments)
    return catalyst_bot("run", "--mode", "backtest", "--exit", *words, env=env)


def must_explain(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.err
    assert not said.out, "a refusal belongs on standard error"
    for word in words:
        assert word in said.err, said.err
    assert "Traceback" not in said.err


def test_the_good_inputs_of_these_tests_are_good(bars: Path, news: Path):
    said = replayed(*DAYS, "--bars", bars, "--news", news, "--json", "-")
    assert said.code == 0, said.err
    assert json.loads(said.out)["funnel"]["seen"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 3, ("--from", "feeds.", "demo")),
        (("--from", "2025-10-06"), 3, ("--from and --to",)),
        (("--to", "2025-10-06"), 3, ("--from and --to",)),
        (("--from", "2025-13-06", "--to", "2025-10-07"), 2, ("--from", "2025-13-06")),
        (("--from", "2025-10-08", "--to", "2025-10-06"), 3, ("2025-10-08 is after",)),
        (("--from", "1960-10-03", "--to", "1960-10-04"), 3, ("1960-10",)),
        ((*DAYS, "--model", "best.pkl"), 3, ("best.pkl", "pickle", "--model rule")),
        ((*DAYS, "--model", "nope"), 3, ("nope", "rule")),
        ((*DAYS, "--speed", "-3"), 3, ("--speed -3", "max")),
        ((*DAYS, "--speed", "nan"), 3, ("--speed nan",)),
        ((*DAYS, "--broker", "nobody"), 2, ("--broker",)),
        ((*DAYS, "--nonsense"), 2, ("--nonsense",)),
        ((*DAYS, "--config", "nope.toml"), 3, ("nope.toml", "--config")),
        ((*DAYS, "--config", "."), 3, (".: not readable",)),
        ((*DAYS, "--mode", "live"), 3, ("run.mode", "paper-trading")),
    ],
)
def test_a_wrong_flag_is_named_with_its_remedy(
    bars: Path, news: Path, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
):
    given = ("--bars", bars, "--news", news) if arguments else ()
    must_explain(replayed(*given, *arguments), code, *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[risk]\nmax_position_frac = 0.1\n", ("max_position_frac", "known keys", "bad.toml")),
        ("[risky]\nx = 1\n", ("risky", "unknown key", "config show")),
        ("[run]\nspeling = 1\n", ("run.speling", "unknown key")),
        ("[risk]\nmax_position_fraction = 7.0\n", ("max_position_fraction", "0.001 to 1")),
        ("[risk]\nmax_position_fraction = nan\n", ("max_position_fraction", "finite")),
        ("[run]\nstarting_cash_usd = nan\n", ("starting_cash_usd", "finite")),
        ("[stops]\natr_multiple = inf\n", ("atr_multiple", "finite")),
        ("[risk]\nmax_position_fraction = 'much'\n", ("max_position_fraction", "number")),
        ("mode = 'backtest'\n", ("mode stands outside a section", "[section]")),
        ("[risk\n", ("not readable as TOML",)),
    ],
)
def test_a_wrong_settings_file_is_named_by_key(tmp_path: Path, text: str, words: tuple[str, ...]):
    (tmp_path / "bad.toml").write_text(text)
    said = catalyst_bot("demo", "--exit", "--config", "bad.toml")
    must_explain(said, 3, "bad.toml", *words)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("CATALYST_RISK__MAX_POSITIO", "1", "unknown key"),
        ("CATALYST_RISK__MAX_POSITION_FRACTION", "hello", "valid number"),
        ("CATALYST_RISK__MAX_POSITION_FRACTION", "nan", "finite"),
        ("CATALYST_RISK__MAX_POSITION_FRACTION", "9", "outside 0.001 to 1"),
        ("CATALYST_FEEDS__RSS_URLS", "[broken", "JSON"),
    ],
)
def test_a_wrong_environment_variable_is_named(name: str, value: str, word: str):
    must_explain(catalyst_bot("demo", "--exit", env={name: value}), 3, name, word)


def test_missing_files_are_named(tmp_path: Path, bars: Path, news: Path):
    must_explain(replayed(*DAYS, "--bars", "no.csv", "--news", news), 3, "no.csv", "no such file")
    must_explain(replayed(*DAYS, "--bars", bars, "--news", "no.zst"), 3, "no.zst", "no such file")
    must_explain(replayed(*DAYS, "--news", news), 3, "--bars", "data import")
    must_explain(replayed(*DAYS, "--bars", tmp_path, "--news", news), 3, str(tmp_path), "catalog")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("bars.csv", b"these are\nno bars at all\n", "missing"),
        ("bars.csv", b"", "bars.csv"),
        ("bars.csv", b"<html><body>404</body></html>", "missing"),
        ("bars.parquet", b"PAR1 but not really", "bars.parquet"),
        ("bars.xlsx", b"PK", ".csv"),
    ],
)
def test_a_file_without_bars_is_refused(
    tmp_path: Path, news: Path, name: str, content: bytes, word: str
):
    path = tmp_path / name
    path.write_bytes(content)
    must_explain(replayed(*DAYS, "--bars", path, "--news", news), 3, name, word)


def test_rows_that_cannot_be_bars_are_left_out_and_the_rest_is_used(
    tmp_path: Path, bars: Path, news: Path
):
    broken = [
        "2025-10-06T20:05:00Z,ACME,nan,10.2,9.9,10.1,50000",
        "2025-10-06T20:10:00Z,ACME,inf,10.2,9.9,10.1,50000",
        "2025-10-06T20:15:00Z,ACME,10,9,11,10.1,50000",
        "2025-10-06T20:20:00Z,ACME,-10,10.2,9.9,10.1,50000",
        "2025-10-06T20:25:00Z,ACME,,,,,",
        "yesterday,ACME,10,10.2,9.9,10.1,50000",
    ]
    bars.write_text(bars.read_text() + "\n".join(broken) + "\n")
    assert replayed(*DAYS, "--bars", bars, "--news", news).code == 0
    said = catalyst_bot("data", "import", str(bars), "--json", "-")
    (report,) = json.loads(said.out)["files"]
    refused = {entry["reason"]: entry["count"] for entry in report["quality"]["refused"]}
    assert refused["not_a_number"] == 3
    assert sum(refused.values()) == len(broken)


def test_truncated_news_are_refused_and_name_the_line(tmp_path: Path, bars: Path):
    whole = zstd.compress(("\n".join([news_line()] * 5000)).encode())
    path = tmp_path / "news.jsonl.zst"
    path.write_bytes(whole[: len(whole) // 2])
    said = replayed(*DAYS, "--bars", bars, "--news", path)
    must_explain(said, 3, "news.jsonl.zst:", "truncated", "again")


@pytest.mark.parametrize("content", ["<html>502 Bad Gateway</html>\n", "[1, 2, 3]\n", "\x00\x01\n"])
def test_a_file_without_news_is_refused_by_line(tmp_path: Path, bars: Path, content: str):
    path = tmp_path / "news.jsonl"
    path.write_text(content)
    must_explain(replayed(*DAYS, "--bars", bars, "--news", path), 3, "news.jsonl:1", "title")


def test_bad_lines_among_news_are_recorded_and_stop_nothing(tmp_path: Path, bars: Path):
    path = tmp_path / "news.jsonl"
    lines = [
        news_line(),
        "{half a line",
        json.dumps({"title": "No time at all"}),
        news_line(title="Acme buys a rival", published_at="soon"),
        news_line(title="Nobody wins FDA approval", symbols=["NOSUCH"]),
        news_line(title="Acme raises guidance", published_at="2025-10-06T14:30:00Z", symbols=[]),
    ]
    path.write_text("\n".join(lines) + "\n")
    said = replayed(*DAYS, "--bars", bars, "--news", path, "--json", "-")
    result = json.loads(said.out)
    assert said.code == 0
    assert result["funnel"]["seen"] == 3
    lost = {reason for reasons in result["funnel"]["lost"].values() for reason in reasons}
    assert "unknown_symbol" in lost


def test_no_news_in_the_days_is_a_result_with_the_reason(bars: Path, tmp_path: Path):
    path = tmp_path / "news.jsonl"
    path.write_text(news_line(published_at="2024-01-02T14:00:00Z") + "\n")
    said = replayed(*DAYS, "--bars", bars, "--news", path, "--json", "-")
    assert said.code == 0
    assert json.loads(said.out)["trades"] == []
    assert "0 trades: no headline was received" in said.err


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, bars: Path, news: Path):
    blocked = tmp_path / "a-file"
    blocked.write_text("in the way")
    demo = catalyst_bot("demo", "--mode", "backtest", "--exit", "--data-dir", str(blocked))
    must_explain(demo, 3, "a-file", "may be written")
    given = (*DAYS, "--bars", bars, "--news", news)
    must_explain(replayed(*given, "--json", "no/such/folder/out.json"), 3, "no/such/folder")
    for command in (("halt",), ("resume", "--reason", "fine")):
        must_explain(catalyst_bot(*command, "--data-dir", str(blocked)), 3, "a-file")


def test_a_result_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, bars: Path, news: Path
):
    replayed(*DAYS, "--bars", bars, "--news", news, "--json", "no/such/folder/out.json")
    assert not (tmp_path / "data" / "journals").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("explain", "last"), 3, ("no journal", "demo")),
        (("status",), 3, ("no journal", "demo")),
        (("status", "--journal", "none.db"), 3, ("none.db",)),
        (("replay", "--verify", "none.db"), 3, ("none.db", "no such journal")),
        (("rebuild", "none.db"), 3, ("none.db", "no such journal")),
        (("status", "--journal", "text.db"), 6, ("text.db", "no readable database")),
        (("explain", "last", "--journal", "text.db"), 6, ("text.db",)),
        (("replay", "--verify", "text.db"), 6, ("text.db",)),
        (("status", "--journal", "empty.db"), 3, ("empty.db", "no journal")),
        (("nonsense",), 2, ("nonsense",)),
        (("demo", "--effects", "99"), 3, ("effects", "0 to 5")),
        (("demo", "--effects", "nan"), 3, ("effects",)),
        (("demo", "--seed", "-1"), 2, ("--seed",)),
    ],
)
def test_a_wrong_command_is_explained(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
):
    (tmp_path / "text.db").write_text("no database, only words\n" * 50)
    (tmp_path / "empty.db").touch()
    must_explain(catalyst_bot(*arguments), code, *words)
    assert not (tmp_path / "none.db").exists(), "a misspelt name made a file"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.replay(generated(tmp_path_factory.mktemp("finished"))).journal


def test_an_empty_id_names_nothing(journal: Path):
    said = catalyst_bot("explain", "", "--journal", str(journal))
    assert said.code == 3
    assert "'': no such id" in said.err


def test_an_address_of_the_watchman_that_is_none(tmp_path: Path):
    env = {"CATALYST_PING_URL": "notaurl"}
    said = catalyst_bot("doctor", "--data-dir", str(tmp_path), env=env)
    assert said.code == 3
    assert "CATALYST_PING_URL: is no http or https address" in said.out


def test_an_unknown_id_is_named(journal: Path):
    said = catalyst_bot("explain", "trd-nonsense", "--journal", str(journal))
    must_explain(said, 3, "trd-nonsense", "status")


def test_two_writers_of_one_journal_are_refused(tmp_path: Path, bars: Path, news: Path):
    path = tmp_path / "one.db"
    with SqlJournal(f"sqlite:///{path}"):
        said = replayed(*DAYS, "--bars", bars, "--news", news, "--journal", path)
    must_explain(said, 3, "one.db", str(os.getpid()), "another file")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_passed_over_and_said(taken_port: int, bars: Path, news: Path):
    env = {"CATALYST_DASHBOARD__PORT": str(taken_port)}
    given = (*DAYS, "--bars", str(bars), "--news", str(news), "--exit")
    said = catalyst_bot("run", *given, env=env)
    assert said.code == 0, said.err
    assert "dashboard: http://127.0.0.1:" in said.err
    assert f":{taken_port}\n" not in said.err
    told = catalyst_bot("doctor", env=env)
    assert f"{taken_port} is in use" in told.out


def test_no_traceback_reaches_a_person(tmp_path: Path):
    """The same once more as a real process, since a runner in the test may hide one."""
    for arguments in (
        ["run", *DAYS, "--bars", "no.csv"],
        ["demo", "--data-dir", "/dev/null/x", "--exit"],
        ["status", "--journal", __file__],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "catalyst_bot", *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "CATALYST_DASHBOARD__PORT": "0"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode in {3, 6}, done.stderr
        assert done.stderr.startswith("catalyst-bot: ") or "GENERATED" in done.stderr
        assert "Traceback" not in done.stderr
        assert not done.stdout
