"""Which faults there are, which of them a seed has, and how often each was seen to happen.

Every seed draws its own mix ("swarm testing"): a run with all faults at once never gets far enough
to meet the rare ones, and a run with few shows what one fault does to an otherwise healthy bot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from random import Random

from catalyst_bot.domain.errors import ConfigError

FAULTS: dict[str, tuple[str, str, float]] = {
    # name: (number in the list of faults, what happens, how likely at each occasion)
    "crash-at-point": ("F1", "the process dies at a named step of the order path", 0.004),
    "crash-anytime": ("F1", "the process dies between two steps", 0.02),
    "crash-in-recovery": ("F2", "the process dies again while it recovers", 0.25),
    "rate-limit": ("F3", "429 without a header", 0.04),
    "rate-limit-reset": ("F3", "429 that says when the limit ends", 0.04),
    "refused-before": ("F4", "500 to 504, and nothing was done", 0.05),
    "page-instead": ("F4", "an HTML page with status 200, and nothing was done", 0.03),
    "refused-after": ("F5", "500 to 504, and it was done", 0.06),
    "answer-lost": ("F5", "it was done, and no answer comes", 0.05),
    "reset-after": ("F5", "it was done, and the connection breaks", 0.05),
    "request-lost": ("F6", "the request never arrives and nothing answers", 0.04),
    "slow-request": ("F6", "the request arrives when the bot has given up", 0.03),
    "slow-answer": ("F6", "the answer takes seconds", 0.06),
    "rejected-422": ("F7", "422 for no reason", 0.08),
    "rejected-403": ("F7", "403: no buying power", 0.08),
    "key-revoked": ("F7", "401 for a while", 0.002),
    "odd-fields": ("F7", "an unknown status and unknown fields in an answer", 0.03),
    "update-twice": ("F8", "an event of the stream comes up to five times", 0.1),
    "update-late": ("F8", "an event of the stream comes after later ones", 0.15),
    "small-fills": ("F8", "orders fill a few shares at a time", 0.5),
    "update-garbled": ("F8", "a frame of the stream that is no JSON, or no order", 0.02),
    "stream-drop": ("F9", "the stream breaks", 0.02),
    "stream-refused": ("F9", "the stream cannot be opened for a while", 0.3),
    "stream-busy": ("F9", "the stream says that a connection is open already", 0.2),
    "stream-mute": ("F10", "the stream stays open and says nothing", 0.02),
    "update-lost": ("F10", "an event of the stream is lost", 0.12),
    "leg-cancelled": ("F11", "the broker cancels an exit leg", 0.03),
    "entry-cancelled": ("F11", "the broker cancels an entry that has filled in part", 0.05),
    "clock-skew": ("F12", "the bot's clock is seconds or minutes off", 0.15),
    "clock-jump": ("F12", "the bot's clock jumps forward or back", 0.01),
    "disk-full": ("F13", "a write to the journal fails for good", 0.002),
    "disk-locked": ("F14", "a write to the journal fails once", 0.003),
    "news-twice": ("F17", "a headline comes again, also reworded", 0.15),
    "news-garbage": ("F17", "a headline of NUL-free rubbish, or one from 1970 or 2199", 0.1),
    "news-unreadable": ("F17", "a feed tells something that is no news", 0.05),
    "feed-down": ("F19", "the feed fails and comes back", 0.02),
    "quote-bad": ("F22", "a crossed, zero or absurd quote", 0.08),
    "quote-nan": ("F22", "NaN for a price", 0.03),
    "no-bars": ("F22", "a market view without data", 0.05),
    "quote-stale": ("F23", "a quote that is minutes or a day old", 0.08),
    "symbol-frozen": ("F23", "prices of a symbol stop coming", 0.03),
    "prices-down": ("F23", "the source of prices fails and comes back", 0.01),
    "halt": ("F24", "a symbol is halted and resumes with a gap", 0.02),
    "gap": ("F24", "a price jumps through stops", 0.02),
    "split": ("F25", "shares are split overnight", 0.5),
    "operator-halt": ("F30", "a person halts, also by the latch alone", 0.02),
    "operator-resume": ("F30", "a person resumes", 0.08),
    "sigterm": ("F33", "the process is told to end", 0.004),
    "manual-trade": ("F35", "a person trades at the broker", 0.01),
    "manual-cancel": ("F35", "a person cancels an order of ours at the broker", 0.015),
}
ELSEWHERE: dict[str, str] = {
    "F15": "corrupt rows, cut files: tests/crash/test_crash_on_disk.py",
    "F16": "the log's disk: nothing in this process writes a log",
    "F18": "hostile pages: tests/unit/feeds",
    "F20": "prompt injection: tests/unit/texts",
    "F21": "language models that fail: tests/unit/texts",
    "F26": "half days and changes of the clock: tests/unit/market_data, tests/exchange",
    "F27": "damaged models: tests/unit/policies, tests/unit/texts",
    "F28": "wrong configuration: tests/e2e/test_bad_input.py",
    "F29": "two instances: tests/contract/test_journal.py",
    "F31": "channels that fail: tests/unit/alerts",
    "F32": "PostgreSQL that goes away: tests/crash/test_postgres.py",
    "F34": "a dashboard under attack: tests/unit/monitoring/dashboard",
}
_MIX = (0.0, 0.0, 0.3, 1.0, 1.0, 2.5)  # how much of a fault a seed has


def chosen(words: str) -> frozenset[str]:
    """Return the faults that `all`, `none` or a list of names means.

    Raises `ConfigError` for an unknown name, and where none is given.
    """
    if words == "all":
        return frozenset(FAULTS)
    if words == "none":
        return frozenset()
    names = frozenset(word.strip() for word in words.split(",") if word.strip())
    if unknown := sorted(names - FAULTS.keys()):
        raise ConfigError(
            f"--faults {', '.join(unknown)}: no such fault; there are all, none, "
            f"{', '.join(FAULTS)}"
        )
    if not names:
        raise ConfigError("--faults: names no fault; a calm world is none")
    return names


class FaultPlan:
    """Draws what goes wrong, from the run's one source of chance, and counts it."""

    def __init__(self, chance: Random, allowed: Collection[str]) -> None:
        self._chance = chance
        self._rates = {
            name: rate * (chance.choice(_MIX) if name in allowed else 0.0)
            for name, (_, _, rate) in FAULTS.items()
        }
        self.is_over = False
        self.fired: Counter[str] = Counter()

    def strikes(self, name: str, *, times: float = 1.0) -> bool:
        """Draw whether a fault happens now; `times` as likely as usual. It counts as seen."""
        rate = self._rates[name]
        if self.is_over or not rate or not self._chance.random() < rate * times:
            return False
        self.fired[name] += 1
        return True

    def has(self, name: str) -> bool:
        """Tell whether the run has this fault at all."""
        return not self.is_over and self._rates[name] > 0

    def first_of(self, *names: str) -> str:
        """Return the first of some faults that happens now, empty for none."""
        return next((name for name in names if self.strikes(name)), "")
