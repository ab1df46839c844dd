"""What the streams allow, and whom they know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Register(Protocol):
    """The accounts of an exchange."""

    def account_id_of(self, key_id: str, secret: str) -> str | None:
        """Return the id of the account with this key and secret, or None."""

    def account_count(self) -> int:
        """Return how many accounts there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Limits of the three streams; 0 means none.

    `connections` counts per account and stream, `iex_symbols` what trades and quotes may hold
    together; only `has_sip` opens the SIP feed. A client that leaves more than `outbox_bytes`
    unread is too slow.
    """

    auth_timeout_s: float = 10.0
    connections: int = 1
    iex_symbols: int = 30
    has_sip: bool = False
    outbox_bytes: int = 4 * 1024 * 1024
