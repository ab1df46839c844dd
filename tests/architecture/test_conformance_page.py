from __future__ import annotations

from pathlib import Path

import pytest

from tools import conformance
from tools.proofs import Proofs, collect
from tools.refusal_texts import UnreadableRefusal, texts

ROOT = Path(__file__).parents[2]


SOMEWHERE = ("tests/x.py::test_y",)


def test_every_row_is_proven_and_the_page_is_fresh():
    page, wrong = conformance.document(collect())
    assert wrong == [], "\n".join(wrong)
    written = (ROOT / conformance.PAGE).read_text(encoding="utf-8")
    assert written == page, "stale: run `make docs`"


@pytest.fixture(scope="module")
def complete() -> Proofs:
    """Proofs of all rows there are."""
    rows = [
        *conformance.endpoints(),
        *conformance.orders(),
        *conformance.channels(),
        *conformance.stream_errors(),
    ]
    messages = [text.template.replace("{}", "something") for text in texts(ROOT)]
    return Proofs(
        rows=dict.fromkeys(rows, SOMEWHERE),
        refusals={(422, 40010001, message): SOMEWHERE for message in messages},
    )


def test_when_all_is_proven_nothing_is_wrong(complete: Proofs):
    _, wrong = conformance.document(complete)
    assert wrong == []


def test_rows_without_a_proof_and_proofs_of_nothing_are_found(complete: Proofs):
    rows = {row: tests for row, tests in complete.rows.items() if row != "GET /v2/account"}
    kept = {key: tests for key, tests in complete.refusals.items() if key[2] != "qty must be > 0"}
    unknown = {(422, 40010001, "it rains"): SOMEWHERE}
    changed = Proofs(rows=rows | {"GET /v2/weather": SOMEWHERE}, refusals=kept | unknown)
    _, wrong = conformance.document(changed)
    assert wrong == [
        "no test proves: GET /v2/account",
        "no test proves the refusal: qty must be > 0",
        "proof of what is not there: GET /v2/weather",
        "proof of a refusal that is nowhere in the source: 422 it rains",
    ]


def plant(root: Path, text: str) -> Path:
    for folder in ("exchange", "simulation"):
        (root / "src/catalyst_bot" / folder).mkdir(parents=True)
    (root / "src/catalyst_bot/exchange/planted.py").write_text(text)
    return root


def test_texts_are_read_through_names_choices_and_helpers(tmp_path: Path):
    source = """
GONE = "no {} any more"
def refuse(message):
    raise forbidden(message)
def judge(order, is_late):
    late = f"{order.name} is late"
    if is_late:
        refuse(late)
    refuse("too big" if order.size > 9 else "too small")
    raise not_found(GONE)
"""
    found = [text.template for text in texts(plant(tmp_path, source))]
    assert found == ["no {} any more", "too big", "too small", "{} is late"]


def test_a_text_that_cannot_be_read_is_an_error(tmp_path: Path):
    source = "def judge(order):\n    raise forbidden(order.reason())\n"
    with pytest.raises(UnreadableRefusal, match=r"planted\.py:2: order\.reason\(\)"):
        texts(plant(tmp_path, source))
