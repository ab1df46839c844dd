"""The newest closing prices of a symbol, kept as columns."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_CLOSES = 120  # per symbol; ten hours of five-minute bars


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

    def keep(self, fresh: Mapping[int, float]) -> None:
        """Merge prices by the bar's end, oldest first: a window and single bars overlap, and the
        newest word on a bar counts. What is no price is left out, and so is what is too old.
        """
        good = {end_s: price for end_s, price in fresh.items() if price > 0}
        if self.ends_s and good and next(iter(good)) <= self.ends_s[-1]:
            known = dict(zip(self.ends_s, self.prices, strict=True))
            good = dict(sorted((known | good).items()))
            self.ends_s, self.prices = array("q"), array("d")
        self.ends_s.extend(good)
        self.prices.extend(good.values())
        del self.ends_s[:-MAX_CLOSES], self.prices[:-MAX_CLOSES]

    def rescale(self, shares_per_share: float) -> None:
        """Give the prices in new shares, of which there are so many for an old one."""
        self.prices = array("d", (price / shares_per_share for price in self.prices))


def closes_of(prices: Mapping[int, float]) -> Closes:
    """Return closing prices given by the bar's end in epoch seconds, oldest first."""
    closes = Closes()
    closes.keep(prices)
    return closes
