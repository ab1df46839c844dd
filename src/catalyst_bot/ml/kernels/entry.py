"""Where Python enters the episodes: all accounts in one call.

`held` is a list with a game in it. The compiler's own list goes in as one thing, while the game
itself would be taken apart into its arrays at every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.account import ROW
from catalyst_bot.ml.kernels.episode import GOES_ON, World, answer, begin, observe
from catalyst_bot.ml.kernels.shown import MARKET
from catalyst_bot.ml.tape import Flags, Singles


class Game(NamedTuple):
    """A world and the accounts that play in it, a row each.

    `ends` says how each account's last step ended, `last` what an episode that ended would have
    asked next. `touched` is a place for a number of no use, see `touch_next`.
    """

    world: World
    money: Floats
    place: Integers
    ends: Integers
    last: Singles
    touched: Floats


def reset(held: Sequence[Game], observations: Singles) -> None:
    """Begin an episode with every account. `held` holds the game, see `env.world`."""
    game = held[0]
    for i in range(len(game.money)):
        begin(game.world, game.money[i], game.place[i])
    observe_all(held, observations)


def observe_all(held: Sequence[Game], observations: Singles) -> None:
    """Write what every account is asked."""
    game = held[0]
    touch_shown(game)
    for i in range(len(game.money)):
        observe(game.world, game.money[i], game.place[i], observations[i])


def step(
    held: Sequence[Game], actions: Singles, rewards: Singles, dones: Flags, observations: Singles
) -> int:
    """Answer every account's question; return how many episodes ended. Each begins another at once.

    What is asked is written after all have answered.
    """
    game, ended = held[0], 0
    touch_next(game)
    for i in range(len(game.money)):
        rewards[i], end = answer(game.world, game.money[i], game.place[i], actions[i])
        game.ends[i], dones[i] = end, end != GOES_ON
        if end != GOES_ON:
            ended += 1
            observe(game.world, game.money[i], game.place[i], game.last[i])
            begin(game.world, game.money[i], game.place[i])
    observe_all(held, observations)
    return ended


def touch_next(game: Game) -> None:
    """Read a number of the bar that each account will play next.

    No reading waits for another, so memory is waited for once, not account by account. A sum that
    was kept nowhere would not be read for.
    """
    bars, total = game.world.bars, 0.0
    for i in range(len(game.place)):
        total += bars.open[min(game.place[i, ROW] + 1, len(bars.open) - 1)]
    game.touched[0] = total


def touch_shown(game: Game) -> None:
    """Read the first and the last of the features that each account will be shown."""
    market, total = game.world.bars.market, 0.0
    for i in range(len(game.place)):
        row = game.place[i, ROW]
        total += market[row, 0] + market[row, MARKET - 1]
    game.touched[0] = total
