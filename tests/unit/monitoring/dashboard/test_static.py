"""The page's files keep the promises that the strict policy and the licence need."""

from __future__ import annotations

import re

import pytest

from catalyst_bot.monitoring.dashboard.app import STATIC

OURS = sorted(path for path in STATIC.glob("*.mjs") if path.name != "lightweight-charts.mjs")
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")
PAGES = [path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.html"))]
IDS = {name for page in PAGES for name in re.findall(r'\bid="([\w-]+)"', page)}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_scripts_write_text_and_never_html(path) -> None:
    code = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", code)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", code)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_scripts_import_files_and_find_elements_that_exist(path) -> None:
    code = path.read_text(encoding="utf-8")
    for name in re.findall(r'from "\./([^"]+)"', code):
        assert (STATIC / name).is_file(), name
    for name in re.findall(r'byId\("([\w-]+)"\)', code):
        assert name in IDS, name


@pytest.mark.parametrize("page", PAGES, ids=range(len(PAGES)))
def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r'(?:src|<link[^>]+href)="(?!/static/)', page)


@pytest.mark.parametrize("page", PAGES, ids=range(len(PAGES)))
def test_ids_are_unique(page: str) -> None:
    ids = re.findall(r'\bid="([\w-]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_chart_librarys_notice_and_link_are_on_the_page() -> None:
    assert "TradingView Lightweight Charts™, Copyright © 2026 TradingView, Inc." in PAGE
    assert 'href="https://www.tradingview.com/"' in PAGE
