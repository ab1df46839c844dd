"""Text as words: the one way in which headlines, phrases and lexicon entries are cut up.

Matching whole words is what keeps "cut" out of "executive" and "warrant" out of "warranty".
"""

from __future__ import annotations

import re

DASHES = "\u2013\u2014"  # en and em dash: they end a clause, with or without spaces around
BREAKS = frozenset(".;:?!|-" + DASHES)
_APOSTROPHE = "\u2019"
_WORD = re.compile(
    rf"""[a-z0-9]+
    | (?=[;:?!|.{DASHES}-])  # most characters between words are none of these: decide at once
      (?: [;:?!|](?=\s|$)
        | [{DASHES}]
        | (?<=\s)-(?=\s)
        | (?<![.\s]\w)[.](?=\s|$)  # the stop after "U.S." ends no clause
      )""",
    re.VERBOSE,
)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; the end of a clause is one of `BREAKS`.

    Hyphens join nothing ("top-line" is two words), a possessive "'s" is dropped and "n't"
    becomes "not", so that a negation is a word of its own.
    """
    plain = text.lower().replace(_APOSTROPHE, "'").replace("n't", " not").replace("'s", " ")
    return _WORD.findall(plain)
