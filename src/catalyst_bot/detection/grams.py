"""A text as weighted features for a linear model: pieces of words, and words in their order.

The same function serves training and trading, so a model never sees other features than those it
was fitted on. Numbers, addresses and tickers stand for their kind: which price or which company
says nothing about the tone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from zlib import crc32

VERSION = 1  # of the features; a model fitted on others is refused
CHARACTERS = 1_000  # of a text that are read
SHORTEST_PIECE, LONGEST_PIECE = 2, 5
NEGATION_REACH_WORDS = 3
GREATEST_TONE = 4
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
    text = _ADDRESS.sub(" ", text.replace("&amp;", "&"))
    text = _CASHTAG.sub(" xtickx ", text).replace("n't", " not")
    text = _SIGNED_PERCENT.sub(r" \1pct ", text)
    text = _MONEY.sub(" usd ", _PERCENT.sub(" pct ", text))
    return " ".join(_NUMBER.sub("0", text).split())


def grams(text: str, tones: Mapping[str, float]) -> tuple[Counter[str], Counter[str]]:
    """Return the word features and the piece features of a text, with how often each occurs.

    `tones` are the weights of a word list: what kind of word occurs is a feature too, so that a
    model also knows words it has not met.
    """
    clean = plain(text)
    tokens = _TOKEN.findall(clean)
    words = Counter(_word_grams(tokens))
    words.update(_tone_grams(tokens, tones))
    return words, Counter(_pieces(clean))


def bucket(gram: str, buckets: int) -> int:
    """Return the bucket of a feature; `buckets` is a power of two."""
    return crc32(gram.encode()) & (buckets - 1)


def _word_grams(tokens: Sequence[str]) -> Iterator[str]:
    """Words, pairs, pairs across one word, and how the text begins and ends."""
    yield from tokens
    yield from (f"{a} {b}" for a, b in pairwise(tokens))
    yield from (f"{a} _ {b}" for a, b in zip(tokens, tokens[2:], strict=False))
    yield from (f"^{' '.join(tokens[:count])}" for count in (1, 2, 3))
    yield from (f"{' '.join(tokens[-count:])}$" for count in (1, 2))


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


def _pieces(clean: str) -> Iterator[str]:
    """Every piece of 2 to 5 characters of every word, its ends marked by a space."""
    for word in clean.split():
        padded = f" {word} "
        for size in range(SHORTEST_PIECE, min(LONGEST_PIECE, len(padded)) + 1):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]
