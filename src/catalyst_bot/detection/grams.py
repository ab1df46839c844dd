"""A text as weighted features for a linear model: pieces of words, and words in their order.

The same function serves training and trading, so a model never sees other features than those it
was fitted on. Numbers, addresses and tickers stand for their kind: which price or which company
says nothing about the tone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

VERSION = 1  # of the features; a model fitted on others is refused
CHARACTERS = 1_000  # of a text that are read
SHORTEST_PIECE, LONGEST_PIECE = 2, 5
NEGATION_REACH_WORDS = 3
GREATEST_TONE = 4
RECENT_WORDS = 8_192  # whose pieces are remembered
RECENT_TONES = 1_024  # whose numbers are remembered: a word list has few
NUMBER_BITS = 32
Numbers = NDArray[np.int64]
_OUTERMOST: Numbers = np.array([-1, 1 << 62])
_NEGATORS = frozenset({"not", "no", "never", "without", "fails", "failed", "less"})

_ADDRESS = re.compile(r"(?:https?://|\bt\.co/|\bstks\.co/)\S*")
_CASHTAG = re.compile(r"\$[a-z][a-z.]{0,6}\b")
_SIGNED_PERCENT = re.compile(r"([+-])\s?\$?\d[\d,.]*\s?%")
_PERCENT = re.compile(r"\$?\d[\d,.]*\s?%")
_MONEY = re.compile(r"[$€£]\s?\d[\d,.]*")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_TOKEN = re.compile(r"[+-]pct|[a-z0-9_&']+|[+-]0|[$€£!?:;%#@]")


def plain(text: str) -> str:
    """Return the text in lower case with what stands for numbers, tickers and addresses."""
    text = text[:CHARACTERS].lower().replace("\u2019", "'").replace("\u2018", "'")
    text = text.replace("&amp;", "&")
    text = without_addresses(text)
    if "$" in text:
        text = _CASHTAG.sub(" xtickx ", text)
    text = text.replace("n't", " not")
    if "%" in text:
        text = _PERCENT.sub(" pct ", _SIGNED_PERCENT.sub(r" \1pct ", text))
    return " ".join(_NUMBER.sub("0", _MONEY.sub(" usd ", text)).split())


def without_addresses(text: str) -> str:
    """Return the text with a space for each address of a page, which says nothing."""
    return _ADDRESS.sub(" ", text) if "/" in text else text


def grams(text: str, tones: Mapping[str, float], word_buckets: int, piece_buckets: int) -> Numbers:
    """Return the places of the features of a text, each as often as the feature occurs.

    A place is the row and, below it, the number of a feature: sorted, equal features stand together
    and so do those of one row. A place before and one after all others come with them.

    `tones` are the weights of a word list: what kind of word occurs is a feature too, so that a
    model also knows words it has not met.
    """
    clean = plain(text)
    tokens = _TOKEN.findall(clean)
    words = np.array([*_word_grams(tokens), *_tone_grams(tokens, tones)], np.int64)
    words |= (words & (word_buckets - 1)) << NUMBER_BITS
    pieces = [_pieces(word, word_buckets, piece_buckets) for word in clean.split()]
    return np.concatenate((_OUTERMOST, words, *pieces))


def number_of(gram: str) -> int:
    """Return the number of a feature: a hash of 32 bits, of which the lowest are its row."""
    return crc32(gram.encode())


def _word_grams(tokens: Sequence[str]) -> list[int]:
    """Words, pairs, pairs across one word, and how the text begins and ends.

    The number of a pair goes on from that of its first word: its text need not be put together.
    """
    words = [token.encode() for token in tokens]
    numbers = list(map(crc32, words))
    return [
        *numbers,
        *map(crc32, [b" " + word for word in words[1:]], numbers),
        *map(crc32, [b" _ " + word for word in words[2:]], numbers),
        *[crc32(b"^" + b" ".join(words[:count])) for count in (1, 2, 3)],
        *[crc32(b" ".join(words[-count:]) + b"$") for count in (1, 2)],
    ]


def _tone_grams(tokens: Sequence[str], tones: Mapping[str, float]) -> list[int]:
    """The tone of every listed word, with whether it is negated, and the sum of all."""
    found = [(at, tones[token]) for at, token in enumerate(tokens) if token in tones]
    numbers = [
        _tone(
            tone,
            is_negated=not _NEGATORS.isdisjoint(tokens[max(at - NEGATION_REACH_WORDS, 0) : at]),
        )
        for at, tone in found
    ]
    return [*numbers, _tones(sum([tone for _, tone in found], 0.0))] if tones else numbers


@lru_cache(maxsize=RECENT_TONES)
def _tone(tone: float, *, is_negated: bool) -> int:
    return number_of(f"=tone {tone:+.1f}{' not' if is_negated else ''}")


@lru_cache(maxsize=RECENT_TONES)
def _tones(total: float) -> int:
    bounded = min(max(round(total), -GREATEST_TONE), GREATEST_TONE)
    return number_of(f"=tones {bounded:+d}")


@lru_cache(maxsize=RECENT_WORDS)
def _pieces(word: str, word_buckets: int, piece_buckets: int) -> Numbers:
    """Return the place of every piece of 2 to 5 characters of a word, its ends marked by a space.

    Words recur, so their pieces are remembered. The rows of pieces come after those of words.
    """
    padded = f" {word} "
    pieces = (
        padded[start : start + size]
        for size in range(SHORTEST_PIECE, min(LONGEST_PIECE, len(padded)) + 1)
        for start in range(len(padded) - size + 1)
    )
    places = np.array(list(map(number_of, pieces)), np.int64)
    places |= ((places & (piece_buckets - 1)) + word_buckets) << NUMBER_BITS
    places.flags.writeable = False
    return places
