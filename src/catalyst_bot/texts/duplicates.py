"""Texts that say nearly the same, so that no test holds what training has read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

SHINGLE_WORDS = 3
ALIKE = 0.6  # of the shingles of both
COMMON = 200  # texts that share a shingle: more, and it says nothing about a copy

_ADDRESS = re.compile(r"https?://\S+")
_WORD = re.compile(r"[a-z]+")


def groups_of_alike(texts: Sequence[str]) -> list[int]:
    """Return for each text the number of its group: that of the first text in it, which is alike
    to it by steps.

    Two texts are alike when at least `ALIKE` of their three-word shingles are the same.
    """
    shingles = [_shingles(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)
    group = list(range(len(texts)))
    for index, mine in enumerate(shingles):
        shared: Counter[int] = Counter()
        for shingle in mine:
            shared.update(holders[shingle][:COMMON])
            holders[shingle].append(index)
        for other, count in shared.items():
            if count >= ALIKE * (len(mine) + len(shingles[other]) - count):
                first, second = sorted((_root(group, index), _root(group, other)))
                group[second] = first
    return [_root(group, index) for index in range(len(texts))]


def _root(group: list[int], index: int) -> int:
    while group[index] != index:
        group[index] = group[group[index]]
        index = group[index]
    return index


def _shingles(text: str) -> frozenset[str]:
    words = _WORD.findall(_ADDRESS.sub(" ", text.lower()))
    last = max(len(words) - SHINGLE_WORDS, 0)
    return frozenset(" ".join(words[at : at + SHINGLE_WORDS]) for at in range(last + 1))
