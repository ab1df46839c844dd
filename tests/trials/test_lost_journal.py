"""A bot whose journal is gone while it holds positions: it sends nothing before it knows them, then
stops for them and trades no more until a person looked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.enums import HaltCause, TradingState
from catalyst_bot.trials.disk import Disk
from catalyst_bot.trials.schedule import Schedule
from catalyst_bot.trials.stage import Setting, Stage
from catalyst_bot.trials.virtual_loop import VirtualLoop
from tests.trials.playing import rules

MOST_MOVES = 200
AFTERWARDS_S = 400.0


class Lost:
    """One schedule without faults, whose journal is lost as soon as something is held."""

    def __init__(self, seed: int, folder: Path, loop: VirtualLoop) -> None:
        setting = Setting(
            rules=rules(), settings="{}", quarantine=folder / "quarantine.jsonl", faults=()
        )
        self.stage = Stage(seed, setting, loop)
        self.schedule = Schedule(self.stage)
        self.sent_blind: list[Mapping[str, Any]] = []
        self.sent: list[Mapping[str, Any]] = []
        self.is_lost = False
        self.stage.shared.on_order = self.on_order

    def on_order(self, body: Mapping[str, Any]) -> None:
        life = self.stage.alive()
        if self.is_lost and life is not None:
            self.sent.append(body)
            if life.is_starting:
                self.sent_blind.append(body)

    async def run(self) -> None:
        lives, stage = self.schedule.lives, self.stage
        keeper = asyncio.ensure_future(lives.keep_alive())
        for _ in range(MOST_MOVES):
            await self.move()
            if any(held.quantity > 0 for held in stage.venue.holdings.values()):
                break
        stage.disk = Disk()
        self.is_lost = True
        lives.kill("its journal is gone")
        until_s = stage.loop.time() + AFTERWARDS_S
        while stage.loop.time() < until_s:
            await self.move()
        self.life = stage.alive()
        await lives.end(keeper)

    async def move(self) -> None:
        await asyncio.sleep(5.0)
        self.schedule.move()
        self.schedule.mischief.befall()


@pytest.mark.parametrize("seed", [0, 8, 9])
def test_what_is_held_gets_its_stop_and_nothing_is_bought(seed: int, tmp_path: Path):
    loop = VirtualLoop()
    lost = Lost(seed, tmp_path, loop)
    try:
        loop.run_until_complete(lost.run())
    finally:
        loop.close()
    life = lost.life
    assert life is not None, "no process runs"
    held = {symbol for symbol, each in lost.stage.venue.holdings.items() if each.quantity > 0}
    known = set(life.engine.state.portfolio.positions)
    is_halted = life.engine.state.risk.trading_state is TradingState.HALTED
    assert held
    assert lost.sent, "positions that it does not know of have no stop of its own"
    assert not lost.sent_blind
    assert held <= known
    assert is_halted
    assert life.engine.state.risk.halt_cause is HaltCause.UNKNOWN_ACCOUNT
    assert {order["side"] for order in lost.sent} == {"sell"}
