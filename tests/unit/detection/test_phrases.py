from __future__ import annotations

import pytest

from catalyst_bot.detection.phrases import GAP_WORDS, PhraseIndex, parse_phrase
from catalyst_bot.detection.text import words

LISTS = {"results": frozenset({"earnings", "revenue"})}


def found(text: str, *phrases: str) -> list[str]:
    index = PhraseIndex(tuple(parse_phrase(p, "category", p, LISTS) for p in phrases))
    cut = words(text)
    return [" ".join(cut[start:end]) for _, start, end in index.find(cut)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Top-line data", ["top", "line", "data"]),
        ("Acme's win isn't big", ["acme", "win", "is", "not", "big"]),
        ("Acme\u2019s plan", ["acme", "plan"]),
        ("Up 37%. Then down", ["up", "37", ".", "then", "down"]),
        ("A $1.6 billion U.S. deal", ["a", "1", "6", "billion", "u", "s", "deal"]),
        ("Beats \u2013 and raises", ["beats", "\u2013", "and", "raises"]),
        ("Results: good?", ["results", ":", "good", "?"]),
        ("", []),
    ],
)
def test_text_is_cut_into_words_and_clauses(text: str, expected: list[str]):
    assert list(words(text)) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("cut", "Executive cuts the cut", ["cut"]),
        ("warrant|warrants", "A warranty and warrants", ["warrants"]),
        (
            "beats .. estimates",
            "Acme beats third quarter estimates",
            ["beats third quarter estimates"],
        ),
        ("beats .. estimates", "Acme beats. Estimates rise", []),
        ("beats .. estimates", "beats a b c d e f estimates", []),
        ("beats .. estimates", "beats a b c d e estimates", ["beats a b c d e estimates"]),
        ("<results> up", "Revenue up, earnings flat", ["revenue up"]),
        (
            "to .. be acquired",
            "to soon be happy or be acquired",
            ["to soon be happy or be acquired"],
        ),
        ("a .. b .. c", "a x b x c", ["a x b x c"]),
        ("a .. b .. c", "a x b; c", []),
        ("public offering", "PUBLIC OFFERING", ["public offering"]),
    ],
)
def test_phrases_match_whole_words_with_choices_and_gaps(
    phrase: str, text: str, expected: list[str]
):
    assert found(text, phrase) == expected


def test_a_gap_phrase_counts_once_per_beginning():
    assert found("beats estimates and expectations", "beats .. estimates|expectations") == [
        "beats estimates"
    ]


def test_the_gap_is_as_wide_as_it_says():
    filler = " ".join(["x"] * GAP_WORDS)
    assert found(f"a {filler} b", "a .. b")
    assert not found(f"a {filler} x b", "a .. b")


@pytest.mark.parametrize(
    "phrase", ["", "..", ".. a", "a ..", "top-line", "Beat", "<nothing> up", "a||b"]
)
def test_a_badly_written_phrase_is_refused(phrase: str):
    with pytest.raises(ValueError, match=r"word|\[words\]"):
        parse_phrase(phrase, "category", "x", LISTS)
