from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, nan

import pytest
from numpy import float64

from catalyst_bot.domain.finite import first_not_finite


@dataclass
class Inner:
    rate: float = 1.0
    amount: Decimal | None = Decimal(1)


@dataclass
class Outer:
    name: str = "a"
    count: int = 3
    inner: Inner = field(default_factory=Inner)
    values: tuple[object, ...] = (1.0, "x", None, True)


def test_finite_numbers_words_and_nothing_are_fine():
    assert first_not_finite(Outer(), "o") is None
    assert first_not_finite(None, "o") is None
    assert first_not_finite(Outer(inner=Inner(amount=None)), "o") is None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Outer(inner=Inner(rate=nan)), "o.inner.rate is nan"),
        (Outer(inner=Inner(rate=-inf)), "o.inner.rate is -inf"),
        (Outer(inner=Inner(amount=Decimal("NaN"))), "o.inner.amount is NaN"),
        (Outer(inner=Inner(amount=Decimal("sNaN"))), "o.inner.amount is sNaN"),
        (Outer(inner=Inner(amount=Decimal("Infinity"))), "o.inner.amount is Infinity"),
        (Outer(values=(1.0, inf)), "o.values[1] is inf"),
        (Outer(values=("x", inf)), "o.values[1] is inf"),
        (Outer(values=((), (Inner(rate=nan),))), "o.values[1][0].rate is nan"),
        (Outer(inner=Inner(rate=nan), values=(inf,)), "o.inner.rate is nan"),
    ],
)
def test_the_first_that_is_none_is_named(value: Outer, place: str):
    assert first_not_finite(value, "o") == place


@dataclass
class Alone:
    rate: float


def test_a_number_of_another_library_or_alone_in_its_class_is_looked_at():
    assert first_not_finite((float64(1.0), Alone(2.0)), "o") is None
    assert first_not_finite((float64(nan),), "o") == "o[0] is nan"
    assert first_not_finite(Alone(inf), "o") == "o.rate is inf"


def test_a_class_is_no_value():
    assert first_not_finite(Inner, "o") is None
