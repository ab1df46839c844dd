"""Who may see and command: a signed cookie, a CSRF token bound to it, an optional password.

Nothing is stored: a session is its own proof, so a restart of the process ends them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final

SESSION_LIFE_S: Final = 12 * 3600
MAX_WRONG_TOKENS: Final = 5
WRONG_TOKEN_WINDOW_S: Final = 15 * 60


class Sessions:
    """Issues and checks sessions; `now` gives seconds that only grow."""

    def __init__(self, *, token: str | None, now: Callable[[], float]) -> None:
        self._token = token
        self._now = now
        self._key = secrets.token_bytes(32)
        self._wrong_at: deque[float] = deque(maxlen=MAX_WRONG_TOKENS)

    @property
    def asks_token(self) -> bool:
        """Whether a password stands before the page."""
        return self._token is not None

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong tokens came in lately, from anywhere."""
        while self._wrong_at and self._now() - self._wrong_at[0] > WRONG_TOKEN_WINDOW_S:
            self._wrong_at.popleft()
        return len(self._wrong_at) >= MAX_WRONG_TOKENS

    def accepts_token(self, given: str) -> bool:
        """Whether `given` is the password; a wrong one counts towards the lock."""
        if self._token is None:
            return True
        if self.is_locked:
            return False
        right = hmac.compare_digest(given.encode(), self._token.encode())
        if not right:
            self._wrong_at.append(self._now())
        return right

    def issue(self) -> str:
        """Return a new session for the cookie."""
        body = f"{int(self._now())}.{secrets.token_urlsafe(32)}"
        return f"{body}.{self._sign('session', body)}"

    def is_valid(self, session: str) -> bool:
        """Whether we issued `session` less than `SESSION_LIFE_S` ago."""
        body, _, signature = session.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", body).encode()):
            return False
        return self._now() - int(body.partition(".")[0]) < SESSION_LIFE_S

    def csrf_token(self, session: str) -> str:
        """Return the token a page with this session must send along with every command."""
        return self._sign("csrf", session)

    def is_csrf_token(self, given: str, session: str) -> bool:
        """Whether `given` belongs to this valid session."""
        expected = self.csrf_token(session)
        return self.is_valid(session) and hmac.compare_digest(given.encode(), expected.encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
