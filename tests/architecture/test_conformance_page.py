from __future__ import annotations

from pathlib import Path

import pytest

from tools import conformance
from tools.proofs import Proofs, collect
from tools.refusal_texts import UnreadableRefusal, texts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proofs() -> Proofs:
    return collect()


def test_every_row_is_proven_and_the_page_is_fresh(proofs: Proofs):
    page, wrong = conformance.document(proofs)
    assert wrong == [], "\n".join(wrong)
    written = (ROOT / conformance.PAGE).read_text(encoding="utf-8")
    assert written == page, "stale: run `make docs`"


def test_rows_without_a_proof_and_proofs_of_nothing_are_found(proofs: Proofs):
    rows = {row: tests for row, tests in proofs.rows.items() if row != "GET /v2/account"}
    kept = {key: tests for key, tests in proofs.refusals.items() if key[2] != "qty must be > 0"}
    changed = Proofs(rows=rows | {"GET /v2/weather": ("tests/x.py::y",)}, refusals=kept)
    _, wrong = conformance.document(changed)
    assert wrong == [
        "no test proves: GET /v2/account",
        "no test proves the refusal: qty must be > 0",
        "proof of what is not there: GET /v2/weather",
    ]


def test_a_refusal_that_nothing_says_is_found(proofs: Proofs):
    unknown = {(422, 40010001, "it rains"): ("tests/x.py::y",)}
    _, wrong = conformance.document(Proofs(rows=proofs.rows, refusals=proofs.refusals | unknown))
    assert wrong == ["proof of a refusal that is nowhere in the source: 422 it rains"]


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
