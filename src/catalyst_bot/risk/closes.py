"""The newest closing prices of a symbol, kept as columns."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_CLOSES = 120  # per symbol; ten hours of five-minute bars
_IS_PRICE = (0.0).__lt__  # true of no NaN


@dataclass(slots=True)
class Closes:
    """Closing prices (`prices`, in dollars) and when their bars ended (`ends_s`, epoch seconds),
    oldest first.

    Columns, because nearly all symbols have bars of the same times, which one comparison tells.
    """

    ends_s: array[int] = field(default_factory=lambda: array("q"))
    prices: array[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.ends_s)

    def keep(self, ends_s: array[int], prices: array[float]) -> None:
        """Merge prices and when their bars ended, oldest first: a window and single bars overlap,
        and the newest word on a bar counts. What is no price is left out, and so is what is too
        old.
        """
        is_new = not self.ends_s or not ends_s or ends_s[0] > self.ends_s[-1]
        if not is_new or not all(map(_IS_PRICE, prices)):
            known = dict(zip(self.ends_s, self.prices, strict=True))
            fresh = zip(ends_s, prices, strict=True)
            known.update((end_s, price) for end_s, price in fresh if _IS_PRICE(price))
            merged = sorted(known.items())
            self.ends_s, self.prices = array("q"), array("d")
            ends_s, prices = (
                array("q", [end_s for end_s, _ in merged]),
                array("d", [price for _, price in merged]),
            )
        self.ends_s += ends_s
        self.prices += prices
        del self.ends_s[:-MAX_CLOSES], self.prices[:-MAX_CLOSES]

    def rescale(self, shares_per_share: float) -> None:
        """Give the prices in new shares, of which there are so many for an old one."""
        self.prices = array("d", (price / shares_per_share for price in self.prices))


def closes_of(prices: Mapping[int, float]) -> Closes:
    """Return closing prices given by the bar's end in epoch seconds, oldest first."""
    closes = Closes()
    closes.keep(array("q", prices), array("d", prices.values()))
    return closes
