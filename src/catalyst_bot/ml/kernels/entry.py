"""Where Python enters the episodes: all accounts in one call.

`held` is a list with the world in it. The compiler's own list goes in as one thing, while the world
itself would be taken apart into its arrays at every call.
"""

# ruff: noqa: PLR0917  # what is compiled takes plain numbers

from __future__ import annotations

from collections.abc import Sequence

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.episode import GOES_ON, World, answer, begin, observe
from catalyst_bot.ml.tape import Singles


def reset(held: Sequence[World], money: Floats, place: Integers, observations: Singles) -> None:
    """Begin an episode with every account. `held` holds the world, see `env.world`."""
    for i in range(len(money)):
        begin(held[0], money[i], place[i])
    observe_all(held, money, place, observations)


def observe_all(
    held: Sequence[World], money: Floats, place: Integers, observations: Singles
) -> None:
    """Write what every account is asked."""
    world = held[0]
    for i in range(len(money)):
        observe(world, money[i], place[i], observations[i])


def step(
    held: Sequence[World],
    money: Floats,
    place: Integers,
    actions: Singles,
    rewards: Singles,
    ends: Integers,
    observations: Singles,
    last_observations: Singles,
) -> None:
    """Answer every account's question. Whose episode ended begins another at once.

    `last_observations` are written for those only: what the ended episode would have asked next.
    """
    world = held[0]
    for i in range(len(money)):
        rewards[i], ends[i] = answer(world, money[i], place[i], actions[i])
        observe(world, money[i], place[i], observations[i])
        if ends[i] != GOES_ON:
            last_observations[i] = observations[i]
            begin(world, money[i], place[i])
            observe(world, money[i], place[i], observations[i])
