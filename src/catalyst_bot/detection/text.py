"""Text as words: the one way in which headlines, phrases and lexicon entries are cut up.

Matching whole words is what keeps "cut" out of "executive" and "warrant" out of "warranty".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

DASHES = "\u2013\u2014"  # en and em dash: they end a clause, with or without spaces around
BREAKS = frozenset(".;:?!|-" + DASHES)
RECENT_TEXTS = 64
_APOSTROPHE = "\u2019"
_WORD = re.compile(
    rf"""[a-z0-9]+
    | [;:?!|.{DASHES}-]  # begins with its character, so that the search skips all others at once
      (?: (?<=[{DASHES}])
        | (?=\s|$)
          (?: (?<=[;:?!|])
            | (?<=\s-)(?=\s)
            | (?<=[.])(?<![.\s]\w[.])  # the stop after "U.S." ends no clause
          )
      )""",
    re.VERBOSE,
)


@lru_cache(maxsize=RECENT_TEXTS)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case; the end of a clause is one of `BREAKS`.

    Hyphens join nothing ("top-line" is two words), a possessive "'s" is dropped and "n't"
    becomes "not", so that a negation is a word of its own. The latest texts are remembered, because
    every question about a headline asks for the same words.
    """
    plain = text.lower().replace(_APOSTROPHE, "'")
    if "'" in plain:
        plain = plain.replace("n't", " not").replace("'s", " ")
    return tuple(_WORD.findall(plain))


def holds_in_clause(before: Sequence[str], wanted: frozenset[str]) -> bool:
    """Tell whether one of the words wanted stands in what is the clause at the end of `before`."""
    if wanted.isdisjoint(before):
        return False
    for word in reversed(before):
        if word in BREAKS:
            return False
        if word in wanted:
            return True
    return False
