"""One account behind the interface of Gymnasium: to look at, to test, and to learn in slowly."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.compiled import compiled
from catalyst_bot.ml.env.vec_env import ACTIONS, OBSERVATIONS
from catalyst_bot.ml.env.world import (
    COST_PENALTY,
    MOST_QUESTIONS,
    QUIET_FRACTION,
    generators,
    world_of,
)
from catalyst_bot.ml.kernels import account, episode, trading
from catalyst_bot.ml.kernels.account import MONEY_COLUMNS, PLACE_COLUMNS
from catalyst_bot.ml.kernels.episode import TERMINATED, TRUNCATED, Rules
from catalyst_bot.ml.tape import Singles, Tape
from catalyst_bot.ml.terms import Terms

_REASONS = {
    trading.STOP_LOSS: ExitReason.STOP_LOSS,
    trading.TRAILING_STOP: ExitReason.TRAILING_STOP,
    trading.TAKE_PROFIT: ExitReason.TAKE_PROFIT,
    trading.TIME_EXIT: ExitReason.TIME_EXIT,
    trading.NEGATIVE_NEWS: ExitReason.NEGATIVE_NEWS,
    trading.POLICY: ExitReason.POLICY,
}


class CatalystTradingEnv(gymnasium.Env[Singles, NDArray[np.float32]]):
    """A single-symbol account that is asked, answers and lives until it is asked again.

    The info of each step tells symbol, time and equity of the question, and the `trade` that ended
    since the one before, if any did.
    """

    observation_space = OBSERVATIONS
    action_space = ACTIONS

    def __init__(
        self,
        tape: Tape,
        terms: Terms,
        *,
        sessions: range,
        normalisation: Normalisation,
        seed: int = 0,
        quiet_fraction: float = QUIET_FRACTION,
        cost_penalty: float = COST_PENALTY,
        most_questions: int = MOST_QUESTIONS,
    ) -> None:
        """Raise `BadData` or `ConfigError` where no episode can begin, see `world_of`."""
        rules = Rules(quiet_fraction, most_questions, cost_penalty)
        self._tape = tape
        self._world = world_of(
            tape, terms, sessions=sessions, normalisation=normalisation, rules=rules
        )
        self._kernel = compiled(episode)
        self._money = np.zeros((1, MONEY_COLUMNS))
        self._place = np.zeros((1, PLACE_COLUMNS), dtype=np.int64)
        self._place[:, account.RANDOM] = generators(seed, 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Singles, dict[str, Any]]:
        """Begin an episode; `options` may name the `ask` with which a case begins."""
        super().reset(seed=seed)
        if seed is not None:
            self._place[:, account.RANDOM] = generators(seed, 1)
        ask = (options or {}).get("ask")
        if ask is None:
            self._kernel["begin"](self._world, self._money[0], self._place[0])
        else:
            self._kernel["begin_case"](self._world, self._money[0], self._place[0], ask)
        return self._seen(), self._info()

    def step(self, action: Any) -> tuple[Singles, float, bool, bool, dict[str, Any]]:
        """Answer the question; see `CatalystVecEnv`."""
        trades = self._place[0, account.TRADES]
        value = float(np.asarray(action, dtype=np.float32).reshape(()))
        reward, end = self._kernel["answer"](self._world, self._money[0], self._place[0], value)
        info = self._info()
        if self._place[0, account.TRADES] > trades:
            info["trade"] = self._last_trade()
        return self._seen(), float(reward), end == TERMINATED, end == TRUNCATED, info

    def _seen(self) -> Singles:
        observation = np.empty(len(FEATURES), dtype=np.float32)
        self._kernel["observe"](self._world, self._money[0], self._place[0], observation)
        return observation

    def _info(self) -> dict[str, Any]:
        money, place, bars = self._money[0], self._place[0], self._tape.bars
        row = place[account.ROW]
        return {
            "symbol": self._tape.symbols[bars.symbol[row]],
            "at_s": float(bars.closed_s[row]),
            "equity_usd": float(money[account.EQUITY]),
            "shares": float(money[account.SHARES]),
            "is_quiet": bool(place[account.IS_QUIET]),
        }

    def _last_trade(self) -> dict[str, Any]:
        """The trade that ended last, prices weighted by volume; times are opens of bars."""
        money, place, bars = self._money[0], self._place[0], self._tape.bars
        shares = float(money[account.LAST_SHARES])
        return {
            "shares": shares,
            "entry_bar_s": float(bars.opened_s[place[account.LAST_ENTRY_ROW]]),
            "entry_price": round(float(money[account.LAST_BOUGHT]) / shares, 8),
            "exit_bar_s": float(bars.opened_s[place[account.LAST_EXIT_ROW]]),
            "exit_price": round(float(money[account.LAST_SOLD]) / shares, 8),
            "exit_reason": _REASONS[int(place[account.LAST_REASON])],
            "pnl_usd": float(money[account.LAST_PNL]),
        }
