"""Chance without a random number generator: a draw is a hash of what it is for.

A generator has a hidden position that a rebuilt venue could not know; a hash needs none.
"""

from __future__ import annotations

from hashlib import blake2b

_SEPARATOR = "\x1f"
_DRAW_BYTES = 6  # 48 bits fit a float exactly, so the draw stays below 1


def unit_draw(*parts: str) -> float:
    """Return a number in [0, 1) that is a pure function of the parts."""
    digest = blake2b(_SEPARATOR.join(parts).encode(), digest_size=_DRAW_BYTES).digest()
    return int.from_bytes(digest, "big") / 2.0 ** (8 * _DRAW_BYTES)
