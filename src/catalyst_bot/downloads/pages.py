"""One polite GET for a download: in its turn, conditional, asked again when the server is busy."""

from __future__ import annotations

from hashlib import sha256

import httpx2

from catalyst_bot.domain.errors import BadData
from catalyst_bot.downloads.patience import Busy, Patience
from catalyst_bot.downloads.wanted import Known, NothingThere
from catalyst_bot.feeds.fetch import NO_VALIDATORS, Answer, Request, Unanswered, Validators, fetch
from catalyst_bot.feeds.source import redacted
from catalyst_bot.feeds.turns import Turns

_NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 404, 429, 500


class Pages:
    """Gets pages of one host; all turns are the host's."""

    def __init__(self, client: httpx2.AsyncClient, patience: Patience, turns: Turns) -> None:
        self._client = client
        self._patience = patience
        self._turns = turns

    async def get(self, request: Request, known: Known | None) -> Answer | None:
        """Return a page, None when it is as `known`, which was asked of the same address.

        Raises `NothingThere`, `BadData` for another clear no, and `Busy`.
        """
        is_same = known is not None and known.asked == asked_of(request.url)
        validators = Validators(known.etag, known.last_modified) if known else NO_VALIDATORS
        return await self._patience.ask(
            lambda: self._once(request, validators if is_same else NO_VALIDATORS)
        )

    async def _once(self, request: Request, validators: Validators) -> Answer | None:
        await self._turns.take()
        place = redacted(request.blotted(request.url))
        try:
            return await fetch(self._client, request, validators)
        except Unanswered as error:
            if error.status == _NOT_FOUND:
                raise NothingThere(f"{place}: {error}") from error
            if not error.status or error.status == _TOO_MANY or error.status >= _SERVER_ERROR:
                raise Busy(f"{place}: {error}", error.retry_after_s) from error
            raise BadData(f"{place}: {error}") from error


def asked_of(url: str) -> str:
    """Return a digest that tells addresses apart without showing them."""
    return sha256(url.encode()).hexdigest()[:16]
