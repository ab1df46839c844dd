"""Looking at Alpaca's orders and positions: every question may be asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused
from catalyst_bot.alpaca.reading import rfc3339
from catalyst_bot.broker.alpaca_foreign import Execution, read_executions
from catalyst_bot.broker.alpaca_mapping import (
    Report,
    flat,
    read_cash,
    read_order,
    read_orders,
    read_positions,
)
from catalyst_bot.domain.account import BrokerPosition
from catalyst_bot.domain.errors import BadData

PAGE = 500
EXECUTIONS_PAGE = 100
MAX_PAGES = 200
MAX_REPLACEMENTS = 50  # of one order; more is an answer that makes no sense
_ALL = {"status": "all", "nested": "true", "limit": str(PAGE), "direction": "asc"}
_OPEN = {"status": "open", "nested": "true", "limit": str(PAGE)}

Found = dict[str, Report]
Missing = Callable[[Mapping[str, Report]], set[str]]


class AlpacaReader:
    """Reads orders with their legs, by Alpaca's id. `missing` names replacements to fetch too.

    Every method raises `AlpacaRefused`, `AlpacaSilent` and `BadData`.
    """

    def __init__(self, client: AlpacaClient, missing: Missing) -> None:
        self._client = client
        self._missing = missing

    async def orders_since(self, after: datetime) -> Found:
        """Return every order that was submitted after a time, whatever became of it."""
        found: Found = {}
        while True:
            query = {**_ALL, "after": rfc3339(after)}
            told = await self._client.trading("GET", "/v2/orders", query=query)
            page = read_orders(told)
            found |= flat(page)
            last = max((report.submitted_at for report in page), default=after)
            if len(told) < PAGE or not last > after:
                return await self._complete(found)
            after = last

    async def open_orders(self) -> Found:
        """Return the open orders of the whole account."""
        return flat(read_orders(await self._client.trading("GET", "/v2/orders", query=_OPEN)))

    async def order(self, client_order_id: str) -> Found:
        """Return one order and its legs; nothing when Alpaca does not know it."""
        query = {"client_order_id": client_order_id}
        try:
            told = await self._client.trading("GET", "/v2/orders:by_client_order_id", query=query)
        except AlpacaRefused as error:
            if error.is_unknown:
                return {}
            raise
        report = await self._by_id(read_order(told).broker_order_id)  # the other names no legs
        return await self._complete(flat([report]))

    async def order_by_id(self, broker_order_id: str) -> Report:
        """Return one order by Alpaca's id, with its legs."""
        return await self._by_id(broker_order_id)

    async def executions_since(self, after: datetime) -> list[Execution]:
        """Return every execution of the account after a time, oldest first."""
        found: list[Execution] = []
        query = {
            "after": rfc3339(after),
            "direction": "asc",
            "page_size": str(EXECUTIONS_PAGE),
        }
        for _ in range(MAX_PAGES):
            told = await self._client.trading("GET", "/v2/account/activities/FILL", query=query)
            page = read_executions(told)
            found += page
            if len(page) < EXECUTIONS_PAGE:
                return found
            query["page_token"] = page[-1].row_id
        raise BadData(f"executions on more than {MAX_PAGES} pages")

    async def cash_usd(self) -> Decimal:
        """Return the cash of the account."""
        return read_cash(await self._client.trading("GET", "/v2/account"))

    async def positions(self) -> list[BrokerPosition]:
        """Return what the account holds, in Alpaca's spelling of symbols."""
        return read_positions(await self._client.trading("GET", "/v2/positions"))

    async def _by_id(self, broker_order_id: str) -> Report:
        place, query = f"/v2/orders/{broker_order_id}", {"nested": "true"}
        return read_order(await self._client.trading("GET", place, query=query))

    async def _complete(self, found: Found) -> Found:
        for _ in range(MAX_REPLACEMENTS):
            missing = self._missing(found)
            if not missing:
                return found
            for broker_order_id in sorted(missing):
                found |= flat([await self._by_id(broker_order_id)])
        raise BadData(f"an order was replaced more than {MAX_REPLACEMENTS} times")
