"""The page's files keep the promises that the strict policy and the licence need."""

from __future__ import annotations

import re

import pytest

from catalyst_bot.monitoring.dashboard.app import STATIC

OURS = sorted(path for path in STATIC.glob("*.mjs") if path.name != "lightweight-charts.mjs")
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")
IDS = re.findall(r'\bid="([\w-]+)"', PAGE)


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


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", PAGE)
    assert not re.search(r'(?:src|<link[^>]+href)="(?!/static/)', PAGE)


def test_ids_are_unique() -> None:
    assert len(IDS) == len(set(IDS))


def test_the_chart_librarys_notice_and_link_are_on_the_page() -> None:
    assert "TradingView Lightweight Charts™, Copyright © 2026 TradingView, Inc." in PAGE
    assert 'href="https://www.tradingview.com/"' in PAGE
