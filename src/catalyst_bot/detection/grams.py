"""A text as weighted features for a linear model: pieces of words, and words in their order.

The same function serves training and trading, so a model never sees other features than those it
was fitted on. Numbers, addresses and tickers stand for their kind: which price or which company
says nothing about the tone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
PIECE = 1 << 32  # the bit that tells the number of a piece from that of a word feature
Numbers = NDArray[np.int64]
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
    if "/" in text:
        text = _ADDRESS.sub(" ", text)
    if "$" in text:
        text = _CASHTAG.sub(" xtickx ", text)
    text = text.replace("n't", " not")
    if "%" in text:
        text = _PERCENT.sub(" pct ", _SIGNED_PERCENT.sub(r" \1pct ", text))
    return " ".join(_NUMBER.sub("0", _MONEY.sub(" usd ", text)).split())


def grams(text: str, tones: Mapping[str, float]) -> Numbers:
    """Return the numbers of the features of a text, each as often as the feature occurs.

    `tones` are the weights of a word list: what kind of word occurs is a feature too, so that a
    model also knows words it has not met.
    """
    clean = plain(text)
    tokens = _TOKEN.findall(clean)
    words = [*_word_grams(tokens), *map(number_of, _tone_grams(tokens, tones))]
    return np.concatenate((np.array(words, np.int64), *map(_pieces, clean.split())))


def number_of(gram: str) -> int:
    """Return the number of a word feature: a hash of 32 bits, of which the lowest are its row."""
    return crc32(gram.encode())


def rows_of(numbers: Numbers, word_buckets: int, piece_buckets: int) -> Numbers:
    """Return the rows of features: those of words come first. Both sizes are powers of two."""
    is_piece = numbers >= PIECE
    pieces = (numbers & (piece_buckets - 1)) + word_buckets
    return np.where(is_piece, pieces, numbers & (word_buckets - 1))


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


def _tone_grams(tokens: Sequence[str], tones: Mapping[str, float]) -> Iterator[str]:
    """The tone of every listed word, with whether it is negated, and the sum of all."""
    total = 0.0
    for index, token in enumerate(tokens):
        tone = tones.get(token)
        if tone is None:
            continue
        total += tone
        before = tokens[max(index - NEGATION_REACH_WORDS, 0) : index]
        negated = " not" if any(word in _NEGATORS for word in before) else ""
        yield f"=tone {tone:+.1f}{negated}"
    bounded = min(max(round(total), -GREATEST_TONE), GREATEST_TONE)
    if tones:
        yield f"=tones {bounded:+d}"


@lru_cache(maxsize=RECENT_WORDS)
def _pieces(word: str) -> Numbers:
    """Return the number of every piece of 2 to 5 characters of a word, its ends marked by a space.

    Words recur, so their pieces are remembered.
    """
    padded = f" {word} "
    pieces = (
        padded[start : start + size]
        for size in range(SHORTEST_PIECE, min(LONGEST_PIECE, len(padded)) + 1)
        for start in range(len(padded) - size + 1)
    )
    numbers = np.array([PIECE | crc32(piece.encode()) for piece in pieces], np.int64)
    numbers.flags.writeable = False
    return numbers
