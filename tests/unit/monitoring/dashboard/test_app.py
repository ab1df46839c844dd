"""Every answer carries the headers, and only our own page may read or command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from catalyst_bot.monitoring.dashboard.app import create_app
from catalyst_bot.monitoring.dashboard.guard import MAX_BODY_BYTES, SECURITY_HEADERS
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from catalyst_bot.runtime.words import parse_duration
from tests.unit.monitoring.dashboard.sample import SampleDesk, SampleSource

HERE = "http://127.0.0.1:8787"
PASSWORD = "a long enough password"
HALT = {"confirm": "HALT", "positions_policy": "hold", "reason": "odd fills"}


@pytest.fixture
def source() -> SampleSource:
    return SampleSource()


@pytest.fixture
def operator(source: SampleSource) -> SampleDesk:
    return SampleDesk(source)


def client_of(
    source: SampleSource, operator: SampleDesk, settings: DashboardSettings | None = None
) -> TestClient:
    app = create_app(source, operator, settings or DashboardSettings())
    return TestClient(app, base_url=HERE, headers={"origin": HERE})


@pytest.fixture
def client(source: SampleSource, operator: SampleDesk) -> Iterator[TestClient]:
    with client_of(source, operator) as client:
        yield client


@pytest.fixture
def locked(source: SampleSource, operator: SampleDesk) -> Iterator[TestClient]:
    with client_of(source, operator, DashboardSettings(token=PASSWORD)) as client:
        yield client


def csrf(client: TestClient) -> dict[str, str]:
    return {"x-csrf-token": client.get("/api/session").json()["csrf_token"]}


@pytest.mark.parametrize("path", ["/", "/static/app.mjs", "/api/state", "/healthz", "/nowhere"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_policy_allows_only_our_own_files(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


def test_refusals_carry_the_security_headers_too(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_data_is_never_stored_by_the_browser(client: TestClient) -> None:
    assert client.get("/api/state").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:8787", "LOCALHOST:80"])
def test_this_machine_may_ask_by_any_of_its_names(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8787"]
)
def test_a_foreign_name_that_points_here_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 421


def test_a_configured_name_is_allowed(source: SampleSource, operator: SampleDesk) -> None:
    settings = DashboardSettings(allowed_hosts=("bot.example.com",))
    with client_of(source, operator, settings) as client:
        assert client.get("/healthz", headers={"host": "bot.example.com"}).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_api_is_not_described_to_strangers(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_state_is_one_complete_snapshot(client: TestClient) -> None:
    state = client.get("/api/state").json()
    assert set(state) == {
        *("now", "status", "account", "positions", "trades", "funnel", "risk"),
        *("events", "equity"),
    }
    assert state["account"]["equity_usd"] == "101195.73"
    assert state["status"]["last_at"] == "2025-10-06T20:00:00Z"


def test_trades_are_bounded(client: TestClient) -> None:
    assert len(client.get("/api/trades?limit=3").json()) == 3
    assert len(client.get("/api/trades?limit=-5").json()) == 1


def test_a_trade_is_explained(client: TestClient) -> None:
    titles = [part["title"] for part in client.get("/api/explain/trade-1").json()["sections"]]
    assert titles == ["Headline", "Score", "Risk checks", "Orders and fills"]


def test_an_unknown_id_is_not_found(client: TestClient) -> None:
    assert client.get("/api/explain/nothing").status_code == 404


def test_a_source_that_cannot_be_read_is_said_so(client: TestClient, source: SampleSource) -> None:
    source.is_down = True
    assert client.get("/healthz").status_code == 503
    assert client.get("/api/state").status_code == 503
    assert client.get("/api/events").status_code == 503


def test_a_fault_of_ours_is_logged_when_it_happens(
    source: SampleSource, operator: SampleDesk, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(source, operator, DashboardSettings())

    async def fail() -> None:
        raise KeyError("last_seq")

    app.state.desk.pulse.run = fail
    with TestClient(app, base_url=HERE) as client:
        client.get("/")
    assert "stopped following the bot" in caplog.text


def test_a_halt_that_cannot_be_recorded_is_said_so(
    client: TestClient, operator: SampleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(**_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(operator, "halt", full_disk)
    answer = client.post("/api/halt", json=HALT, headers=csrf(client))
    assert answer.status_code == 500
    assert "no space left" in answer.json()["detail"]


def test_halt_reaches_the_operator_desk(client: TestClient, operator: SampleDesk) -> None:
    assert client.post("/api/halt", json=HALT, headers=csrf(client)).status_code == 202
    assert operator.commands == [("halt", "dashboard", "odd fills", "hold")]


def test_resume_reaches_the_operator_desk(client: TestClient, operator: SampleDesk) -> None:
    answer = client.post("/api/resume", json={"reason": "checked"}, headers=csrf(client))
    assert answer.status_code == 202
    assert operator.commands == [("resume", "dashboard", "checked")]


@pytest.mark.parametrize(
    "body",
    [
        {**HALT, "confirm": "halt"},
        {**HALT, "confirm": ""},
        {**HALT, "positions_policy": "panic"},
        {**HALT, "surprise": 1},
        {},
    ],
)
def test_an_unclear_halt_is_refused(
    client: TestClient, operator: SampleDesk, body: dict[str, object]
) -> None:
    assert client.post("/api/halt", json=body, headers=csrf(client)).status_code == 422
    assert operator.commands == []


def test_reduce_reaches_the_operator_desk(client: TestClient, operator: SampleDesk) -> None:
    answer = client.post("/api/reduce", json={"reason": "a busy day"}, headers=csrf(client))
    assert answer.status_code == 202
    assert operator.commands == [("reduce", "dashboard", "a busy day")]


def test_an_override_reaches_the_operator_desk(client: TestClient, operator: SampleDesk) -> None:
    body = {"intent_id": "int-1a2b", "reason": "I read it myself", "minutes": 5}
    assert client.post("/api/override", json=body, headers=csrf(client)).status_code == 202
    assert operator.commands == [
        ("override", "dashboard", "I read it myself", "0:05:00", "int-1a2b")
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"intent_id": "../int"},
        {"intent_id": ""},
        {"reason": "no"},
        {"reason": "no       "},
        {"minutes": 0},
        {"minutes": 481},
        {"rule": "exposure"},
    ],
)
def test_an_override_that_is_none_is_refused(
    client: TestClient, operator: SampleDesk, given: dict[str, object]
) -> None:
    body = {"intent_id": "int-1", "reason": "I read it myself", **given}
    assert client.post("/api/override", json=body, headers=csrf(client)).status_code == 422
    assert operator.commands == []


def test_what_is_no_number_is_refused_without_being_repeated(
    client: TestClient, operator: SampleDesk
) -> None:
    """NaN is read as JSON by Python, and is none: an answer that repeats it cannot be written."""
    body = '{"intent_id": "int-1", "reason": "I read it", "minutes": NaN}'
    headers = {**csrf(client), "content-type": "application/json"}
    answer = client.post("/api/override", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "minutes"]
    assert operator.commands == []


@pytest.mark.parametrize("command", ["reduce", "resume"])
def test_blanks_are_no_reason(client: TestClient, operator: SampleDesk, command: str) -> None:
    for reason in ("   ", " a  "):
        answer = client.post(f"/api/{command}", json={"reason": reason}, headers=csrf(client))
        assert answer.status_code == 422
    assert operator.commands == []


def test_an_override_may_last_as_long_as_by_the_command(
    client: TestClient, operator: SampleDesk
) -> None:
    longest = parse_duration("8h")
    minutes = longest // timedelta(minutes=1)
    body = {"intent_id": "int-1", "reason": " I read it ", "minutes": minutes}
    assert client.post("/api/override", json=body, headers=csrf(client)).status_code == 202
    assert operator.commands == [("override", "dashboard", "I read it", str(longest), "int-1")]
    field = re.search(r'<input[^>]*name="minutes"[^>]*>', client.get("/").text)
    assert field is not None
    assert f'max="{minutes}"' in field.group()


def test_with_a_password_reduce_does_not_ask_again_but_override_does(
    locked: TestClient, operator: SampleDesk
) -> None:
    locked.post("/api/session", json={"token": PASSWORD})
    token = csrf(locked)
    assert locked.post("/api/reduce", json={"reason": "why not"}, headers=token).status_code == 202
    body = {"intent_id": "int-1", "reason": "I read it myself"}
    assert locked.post("/api/override", json=body, headers=token).status_code == 401
    right = body | {"token": PASSWORD}
    assert locked.post("/api/override", json=right, headers=token).status_code == 202
    assert [command[0] for command in operator.commands] == ["reduce", "override"]


def test_resume_needs_a_reason(client: TestClient) -> None:
    answer = client.post("/api/resume", json={"reason": ""}, headers=csrf(client))
    assert answer.status_code == 422


@pytest.mark.parametrize("token", ["", "0" * 64, "wröng"])
def test_a_command_without_the_right_token_is_refused(
    client: TestClient, operator: SampleDesk, token: str
) -> None:
    csrf(client)
    answer = client.post("/api/halt", json=HALT, headers={"x-csrf-token": token.encode()})
    assert answer.status_code == 403
    assert operator.commands == []


def test_a_token_without_its_cookie_is_refused(client: TestClient) -> None:
    token = csrf(client)
    client.cookies.clear()
    assert client.post("/api/halt", json=HALT, headers=token).status_code == 403


def test_a_token_of_another_session_is_refused(client: TestClient) -> None:
    token = csrf(client)
    client.cookies.clear()
    csrf(client)
    assert client.post("/api/halt", json=HALT, headers=token).status_code == 403


@pytest.mark.parametrize(
    "foreign",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_sites_page_may_neither_read_nor_command(
    client: TestClient, operator: SampleDesk, foreign: dict[str, str]
) -> None:
    token = csrf(client)
    assert client.get("/api/state", headers=foreign).status_code == 403
    assert client.post("/api/halt", json=HALT, headers=token | foreign).status_code == 403
    assert operator.commands == []


def test_a_command_that_says_nothing_of_its_origin_is_refused(
    client: TestClient, operator: SampleDesk
) -> None:
    token = csrf(client)
    del client.headers["origin"]
    assert client.post("/api/halt", json=HALT, headers=token).status_code == 403
    assert operator.commands == []


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: TestClient) -> None:
    cookie = client.get("/api/session").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/;" in cookie


def test_behind_tls_the_cookie_is_secure_and_prefixed(
    source: SampleSource, operator: SampleDesk
) -> None:
    with client_of(source, operator, DashboardSettings(behind_proxy=True)) as client:
        answer = client.get("/api/session", headers={"x-forwarded-proto": "https"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-catalyst-session=")
    assert "Secure" in cookie


def test_a_large_body_is_refused(client: TestClient, operator: SampleDesk) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert client.post("/api/halt", content=body, headers=csrf(client)).status_code == 413
    assert operator.commands == []


def test_a_body_of_unknown_length_is_refused(client: TestClient) -> None:
    answer = client.post("/api/halt", content=iter([b"{}"]), headers=csrf(client))
    assert answer.status_code == 411


def test_with_a_password_nothing_is_shown_before_it(locked: TestClient) -> None:
    for path in ("/api/state", "/api/events", "/api/trades", "/api/explain/trade-1"):
        assert locked.get(path).status_code == 401, path
    assert locked.get("/api/session").status_code == 401
    assert locked.get("/").status_code == 200


def test_the_password_opens_a_session(locked: TestClient) -> None:
    assert locked.post("/api/session", json={"token": PASSWORD}).status_code == 200
    assert locked.get("/api/state").status_code == 200


def test_with_a_password_halt_does_not_ask_again_but_resume_does(
    locked: TestClient, operator: SampleDesk
) -> None:
    locked.post("/api/session", json={"token": PASSWORD})
    token = csrf(locked)
    body = {"reason": "checked"}
    assert locked.post("/api/halt", json=HALT, headers=token).status_code == 202
    assert locked.post("/api/resume", json=body, headers=token).status_code == 401
    right = {**body, "token": PASSWORD}
    assert locked.post("/api/resume", json=right, headers=token).status_code == 202
    assert [command[0] for command in operator.commands] == ["halt", "resume"]


def test_guessing_the_password_is_stopped(locked: TestClient) -> None:
    answers = [
        locked.post("/api/session", json={"token": f"guess {number}"}).status_code
        for number in range(6)
    ]
    assert answers == [401] * 5 + [429]
    assert locked.post("/api/session", json={"token": PASSWORD}).status_code == 429


def test_the_board_of_risks_is_data_like_any_other(client: TestClient, locked: TestClient) -> None:
    told = client.get("/api/risk").json()
    assert told["next_order"] == "next order over $3,120.00 would be refused by exposure"
    assert client.get("/risk").status_code == 200
    assert locked.get("/api/risk").status_code == 401
    assert locked.get("/risk").status_code == 200


def test_a_person_says_that_a_notice_was_seen(client: TestClient, operator: SampleDesk) -> None:
    body = {"notice_id": "note_1"}
    assert client.post("/api/acknowledge", json=body).status_code == 403  # no token of the page
    token = csrf(client)
    assert client.post("/api/acknowledge", json=body, headers=token).status_code == 202
    assert operator.commands == [("acknowledge", "note_1", "dashboard")]
    wrong = client.post("/api/acknowledge", json={"notice_id": "../HALT"}, headers=token)
    assert wrong.status_code == 422
    assert client.post("/api/acknowledge", json={}, headers=token).status_code == 422


def test_metrics_are_lines_that_prometheus_reads(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'catalyst_state{state="active"} 1.0' in lines
    assert 'catalyst_room_usd{rule="exposure"} 3120.0' in lines
    assert 'catalyst_metric_alert{name="open_positions"} 1.0' in lines
    assert "catalyst_unanswered_notices 1.0" in lines
    assert not any("sharpe_30d" in line and "alert" not in line for line in lines)  # not known yet
    samples = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r'catalyst_\w+(\{\w+="[^"]*"\})? [-\d.e+]+', s) for s in samples)
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(named) == len(set(named))


def test_who_scrapes_a_locked_page_needs_the_password_and_locks_nobody_out(
    locked: TestClient,
) -> None:
    assert locked.get("/metrics").status_code == 401
    for _ in range(9):
        wrong = locked.get("/metrics", headers={"authorization": "Bearer no"})
        assert wrong.status_code == 401
    right = {"authorization": f"Bearer {PASSWORD}"}
    assert locked.get("/metrics", headers=right).status_code == 401  # too late
    assert locked.post("/api/session", json={"token": PASSWORD}).status_code == 200


def test_the_password_opens_the_metrics(locked: TestClient) -> None:
    for word in ("Bearer", "bearer"):
        given = {"authorization": f"{word} {PASSWORD}"}
        assert locked.get("/metrics", headers=given).status_code == 200
    assert locked.get("/metrics", headers={"authorization": PASSWORD}).status_code == 401


def test_behind_a_proxy_metrics_are_not_for_everybody(
    source: SampleSource, operator: SampleDesk
) -> None:
    with client_of(source, operator, DashboardSettings(behind_proxy=True)) as client:
        assert client.get("/metrics").status_code == 401


def test_a_source_that_is_away_is_said(client: TestClient, source: SampleSource) -> None:
    source.is_down = True
    assert client.get("/api/risk").status_code == 503
    assert client.get("/metrics").status_code == 503
