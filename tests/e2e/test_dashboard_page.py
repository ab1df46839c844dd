"""The page in a real browser: no errors, no policy violations, the flows a person uses."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.monitoring.dashboard.app import create_app
from catalyst_bot.monitoring.dashboard.server import listen, serve_on
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from tests.unit.monitoring.dashboard.sample import HEADLINES, SampleDesk, SampleSource

sync_api = pytest.importorskip("playwright.sync_api", reason="install the dev tools: playwright")
Browser, Page, expect = sync_api.Browser, sync_api.Page, sync_api.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
WIDE, PHONE = (1440, 900), (390, 844)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: install it to run this")


@dataclass
class Site:
    """A running dashboard over a sample."""

    url: str
    source: SampleSource
    operator: SampleDesk
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    yield from _serve(DashboardSettings())


@pytest.fixture
def locked_site() -> Iterator[Site]:
    yield from _serve(DashboardSettings(token="a long enough password"))


def _serve(settings: DashboardSettings) -> Iterator[Site]:
    source = SampleSource()
    operator = SampleDesk(source)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    loop = asyncio.new_event_loop()
    serving = loop.create_task(serve_on(create_app(source, operator, settings), listener))
    thread = threading.Thread(target=loop.run_until_complete, args=(_ended(serving),))
    thread.start()
    yield Site(url, source, operator)
    loop.call_soon_threadsafe(serving.cancel)
    thread.join()
    loop.close()


async def _ended(serving: asyncio.Task[None]) -> None:
    await asyncio.wait([serving])


def open_page(browser: Any, site: Site, size: tuple[int, int] = WIDE, **options: Any) -> Any:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, **options)
    page.add_init_script(VIOLATIONS)
    page.on("pageerror", lambda error: site.problems.append(str(error)))
    page.on(
        "console",
        lambda message: message.type in {"error", "warning"} and site.problems.append(message.text),
    )
    page.goto(site.url)
    return page


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    page = open_page(browser, site)
    expect(page.locator("#trades tbody tr")).to_have_count(18)
    yield page
    assert site.problems == []
    assert page.evaluate("window.violations") == []
    page.close()


def tile(page: Any, label: str) -> Any:
    return page.locator(".tile", has=page.locator("dt", has_text=label)).locator(".value")


def test_it_answers_in_one_look(page: Any) -> None:
    expect(page.locator("#state")).to_have_text("● ACTIVE")
    expect(page.locator("#badges")).to_contain_text("PAPER")
    expect(page.locator("#badges")).to_contain_text("GENERATED DATA")
    expect(tile(page, "Equity")).to_have_text("$101,195.73")
    expect(tile(page, "Day P&L")).to_have_text("▲ +$1,195.73")
    expect(tile(page, "Total return")).to_have_text("▲ +1.20 %")
    expect(tile(page, "Win rate")).to_have_text("58.8 %")
    expect(tile(page, "Profit factor")).to_have_text("1.84")
    expect(page.locator("#limits li").first).to_contain_text("$18,233 more until entries")
    expect(page.locator("#positions tbody tr").first).to_contain_text("5.3 %")
    expect(page.locator("#events li")).to_have_count(24)
    expect(page.locator("#plot canvas").first).to_be_visible()
    expect(page.locator("#data-age")).to_contain_text("replaying 6 Oct 2025")
    expect(page.locator("#connection")).to_have_text("● connected")


def test_a_change_is_shown_without_a_reload(page: Any, site: Site) -> None:
    site.source.account_row = {
        **site.source.account_row,
        "day_open_equity_usd": Decimal("101208.23"),
    }
    site.source.touch()
    expect(tile(page, "Day P&L")).to_have_text("▼ \u2212$12.50")


def test_a_click_on_a_trade_explains_it(page: Any) -> None:
    page.locator("#trades tbody tr").nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text(HEADLINES[0])
    expect(drawer.locator("tr[data-passed=false]")).to_contain_text("Correlation")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_the_keyboard_explains_a_trade_and_returns_to_it(page: Any) -> None:
    button = page.locator("#trades .symbol").nth(3)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Risk checks")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_focus_survives_an_update(page: Any, site: Site) -> None:
    button = page.locator("#positions .symbol").first
    button.focus()
    rows = site.source.position_rows
    site.source.position_rows = [{**rows[0], "last_price": Decimal("50.01")}, *rows[1:]]
    site.source.touch()
    expect(page.locator("#positions tbody tr").first).to_contain_text("50.01")
    expect(page.locator("#positions .symbol").first).to_be_focused()


def test_halt_needs_the_typed_word_and_then_halts(page: Any, site: Site) -> None:
    page.get_by_role("button", name="Halt…").click()
    confirm = page.locator("#halt-confirm")
    expect(confirm).to_be_disabled()
    page.get_by_label("Type HALT to confirm").fill("halt")
    expect(confirm).to_be_disabled()
    page.locator("input[value=close]").check()
    expect(page.locator("#halt")).to_contain_text("sell 4 positions")
    page.locator("[name=reason]").first.fill("odd fills")
    page.get_by_label("Type HALT to confirm").fill("HALT")
    expect(confirm).to_have_text("Halt, sell everything")
    confirm.click()
    expect(page.locator("#state")).to_have_text("■ HALTED")
    expect(page.get_by_role("alert").first).to_contain_text("odd fills")
    assert site.operator.commands == [("halt", "dashboard", "odd fills", "close")]


def test_resume_needs_a_reason(page: Any, site: Site) -> None:
    site.source.status_row = {**site.source.status_row, "trading_state": "reducing"}
    site.source.touch()
    page.get_by_role("button", name="Resume…").click()
    page.get_by_label("Why is it safe now?").fill("books compared")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("#state")).to_have_text("● ACTIVE")
    assert site.operator.commands == [("resume", "dashboard", "books compared")]


def test_the_checklist_asks_and_answers_and_waits_for_what_is_open(page: Any, site: Site) -> None:
    site.source.status_row = {**site.source.status_row, "trading_state": "halted"}
    site.source.standing = {
        "trading_state": "halted",
        "items": [
            {"name": "books", "question": "Do they agree?", "is_met": True, "note": "they do"},
            {"name": "cause", "question": "Is it known?", "is_met": False, "note": "three losses"},
        ],
    }
    site.source.touch()
    page.get_by_role("button", name="Resume…").click()
    items = page.locator("#resume-items")
    expect(items).to_contain_text("Tick what you have looked at")
    expect(items.locator("label")).to_have_text("Is it known?three losses")
    expect(items.locator(".settled")).to_have_text("✓Do they agree?they do")
    page.get_by_label("Why is it safe now?").fill("looked at them")
    page.get_by_role("button", name="Resume", exact=True).click()
    assert site.operator.commands == []
    page.get_by_label("Is it known?").check()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("#resume")).to_be_hidden()
    assert site.operator.commands == [("resume", "dashboard", "looked at them", "cause")]


def test_a_checklist_that_cannot_be_read_is_told(page: Any, site: Site) -> None:
    site.source.status_row = {**site.source.status_row, "trading_state": "halted"}
    site.source.touch()
    page.route("**/api/checklist", lambda route: route.abort())
    page.get_by_role("button", name="Resume…").click()
    expect(page.locator("#resume-problem")).to_contain_text("The checklist cannot be read")
    page.unroute("**/api/checklist")
    site.problems.clear()


def test_reduce_needs_a_reason_and_is_offered_while_trading_is_active(
    page: Any, site: Site
) -> None:
    page.get_by_role("button", name="Reduce…").click()
    page.get_by_label("Why?").fill("a busy day")
    page.get_by_role("button", name="Reduce", exact=True).click()
    expect(page.locator("#state")).to_contain_text("REDUCING")
    expect(page.locator("#reduce-open")).to_be_hidden()
    expect(page.locator("#resume-open")).to_be_visible()
    assert site.operator.commands == [("reduce", "dashboard", "a busy day")]


def test_a_refusal_is_let_pass_from_its_explanation(page: Any, site: Site) -> None:
    page.locator("#trades tbody tr").nth(2).click()
    page.get_by_role("button", name="Let it pass…").click()
    expect(page.locator("#override-what")).to_contain_text("ORVA")
    page.get_by_label("Why is it right to buy?").fill("I read it myself")
    page.get_by_label("Within how many minutes?").fill("5")
    page.get_by_role("button", name="Let it pass", exact=True).click()
    expect(page.locator("#override")).to_be_hidden()
    assert site.operator.commands == [
        ("override", "dashboard", "I read it myself", "0:05:00", "int-1")
    ]


def test_a_step_of_the_funnel_says_why_items_stopped(page: Any) -> None:
    page.locator("#funnel").get_by_role("button", name="Signal").click()
    expect(page.locator("#losses")).to_contain_text("41 low confidence")


def test_only_warnings_can_be_shown(page: Any) -> None:
    page.get_by_role("button", name="Warnings").click()
    expect(page.locator("#events li[data-severity=info]")).to_have_count(0)
    expect(page.locator("#events li").first).to_be_visible()


def test_silence_greys_the_page_out(browser: Any, site: Site) -> None:
    page = browser.new_page()
    page.clock.install()
    page.goto(site.url)
    expect(page.locator("#connection")).to_have_text("● connected")
    site.source.is_down = True
    page.clock.run_for(20_000)
    expect(page.locator("#connection")).to_contain_text("last update")
    expect(page.locator("body")).to_have_attribute("data-stale", "connection")
    page.close()


@pytest.mark.parametrize("size", [WIDE, (1024, 768), PHONE, (320, 568)])
@pytest.mark.parametrize("equity", ["101195.73", "12345678.90"])
def test_nothing_overflows(browser: Any, site: Site, size: tuple[int, int], equity: str) -> None:
    site.source.account_row |= {"equity_usd": equity, "day_open_equity_usd": Decimal(equity) * 2}
    site.source.trade_rows[0]["headline_title"] = "Verylongword" * 20
    site.source.event_rows[-1]["text"] = "Verylongword" * 20
    page = open_page(browser, site, size)
    expect(page.locator("#trades tbody tr")).to_have_count(18)
    fits = "document.scrollingElement.scrollWidth <= innerWidth"
    clipped = """[...document.querySelectorAll(".tile .value")]
        .filter((node) => node.scrollWidth > node.clientWidth + 1)
        .map((node) => node.textContent)"""
    assert page.evaluate(fits)
    assert page.evaluate(clipped) == []
    page.locator("#trades .symbol").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Risk checks")
    assert page.evaluate(fits)
    page.close()


def test_without_data_it_says_what_it_waits_for(browser: Any, site: Site) -> None:
    source = site.source
    source.points = source.position_rows = source.trade_rows = source.event_rows = []
    source.risk_rows = []
    source.account_row = source.status_row = None
    page = open_page(browser, site)
    expect(page.locator("#chart-empty")).to_contain_text("Waiting")
    expect(page.locator("#positions-empty")).to_contain_text("No open position")
    expect(page.locator("#trades-empty")).to_contain_text("No trade yet")
    expect(page.locator("#state")).to_have_text("○ NOT STARTED")
    expect(tile(page, "Equity")).to_have_text("\u2013")
    expect(page.locator("#events-empty")).to_contain_text("Nothing has happened yet")
    assert site.problems == []
    page.close()


def test_a_model_that_may_not_decide_is_named_with_the_reason(browser: Any, site: Site) -> None:
    page = open_page(browser, site)
    expect(page.locator("#candidate")).to_be_hidden()
    page.close()
    told = "drawn-1 may not decide (it was never validated): its votes are shown"
    site.source.status_row |= {"candidate_id": "drawn-1", "candidate_note": told}
    page = open_page(browser, site)
    expect(page.locator("#candidate")).to_have_text(told)
    expect(page.locator("#badges")).to_contain_text("champion news-rule")
    expect(page.locator("#badges")).to_contain_text("candidate drawn-1")
    assert site.problems == []
    page.close()


def test_a_password_comes_before_the_figures(browser: Any, locked_site: Site) -> None:
    page = open_page(browser, locked_site)
    page.locator("#unlock [name=token]").fill("not the password")
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#unlock-problem")).to_have_text("Wrong password.")
    expect(page.locator("#trades tbody tr")).to_have_count(0)
    page.locator("#unlock [name=token]").fill("a long enough password")
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#trades tbody tr")).to_have_count(18)
    page.close()


def test_the_risk_page_shows_the_board_and_takes_an_answer(browser: Any, site: Site) -> None:
    page = open_page(browser, site)
    page.get_by_role("link", name="Risk", exact=True).click()
    expect(page.get_by_role("heading", name="Risk", exact=True)).to_be_visible()
    expect(page.locator("#rooms")).to_contain_text("over $3,120.00 would be refused by exposure")
    expect(page.locator("#metrics [data-level=full]")).to_contain_text("Open positions")
    expect(page.locator("#path svg")).to_be_visible()
    expect(page.locator("#drill")).to_contain_text("never drilled")
    expect(page.locator("#timeline li").first).to_contain_text("74 %")  # the newest first
    page.get_by_role("button", name="I have seen it").click()
    expect(page.locator("#alerts-empty")).to_be_visible()
    assert site.operator.commands == [("acknowledge", "note_1", "dashboard")]
    assert site.problems == []


def test_the_risk_page_asks_for_the_password(browser: Any, locked_site: Site) -> None:
    risk = Site(f"{locked_site.url}risk", locked_site.source, locked_site.operator)
    page = open_page(browser, risk)
    page.locator("#unlock input[name=token]").fill("a long enough password")
    page.locator("#unlock [type=submit]").click()
    expect(page.locator("#rooms")).to_contain_text("exposure")
