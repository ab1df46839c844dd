"""Ctrl-C while a live run starts ends it, wherever Python is at that moment."""

from __future__ import annotations

import signal

import pytest

from catalyst_bot.bootstrap.live import ends_held
from catalyst_bot.runtime.async_loop import HALTS, ends


@pytest.mark.parametrize("number", [*ends(), HALTS])
def test_what_ends_a_run_waits_until_somebody_listens(number: signal.Signals):
    heard: list[int] = []
    before = signal.signal(number, lambda told, _: heard.append(told))
    try:
        with ends_held():
            signal.raise_signal(number)
            assert number in signal.sigpending()
            assert heard == []
        assert heard == [number]
    finally:
        signal.signal(number, before)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {*ends(), HALTS}
