"""Write the page of what the exchange does and which tests prove it.

`python -m tools.conformance` writes it; with `--check` it is only compared.

The rows come from the code: routes from the application, orders from what the reader of order
fields takes, channels and errors from the streams, refusals from the texts in the source. The
proofs come from marks on tests. A row without a proof, and a proof of no row, are faults.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Route, WebSocketRoute

from catalyst_bot.bootstrap.exchange import Asked, open_exchange
from catalyst_bot.domain.enums import OrderKind, TimeInForce
from catalyst_bot.exchange.serving import app
from catalyst_bot.exchange.streams.channels import news_feed, stock_feeds
from catalyst_bot.exchange.streams.data import ERRORS
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.order_fields import read_order
from catalyst_bot.simulation.order_request import OrderClass
from tools.proofs import ROOT, Proofs, Refused, collect
from tools.reference.markdown import MADE, table
from tools.refusal_texts import Text, texts

PAGE = "docs/reference/exchange-conformance.md"
BEHAVIOUR = "behaviour: "
_MOST_SHOWN = 3
_PLACE = re.compile(r"\{[^}]*\}")
_INTRO = """\
# What the exchange conforms to

Every endpoint of `catalyst-bot exchange serve`, every order it takes, every channel of its streams
and every text it refuses with, each with the tests that prove it. The tests drive the real command:
[alpaca-py](../../tests/conformance/sdk.py) 0.44.0,
[alpaca-trade-api](../../tests/conformance/legacy_client.py) 3.2.0,
[alpaca-mcp-server](../../tests/conformance/test_mcp_server.py) 2.4.0 and Alpaca's
[JavaScript SDK](../../tests/conformance/js/drive.mjs) 4.0.2 as they are, and plain HTTP and
WebSocket clients. Every 2xx body any of them gets is held against Alpaca's own OpenAPI documents
([how](../../tests/conformance/answers.py)). How to serve the exchange: `catalyst-bot exchange serve
--help`."""


def endpoints() -> list[str]:
    """Return every endpoint as `METHOD /path`, sockets as `WS /path`."""
    with ExitStack() as stack:
        routes = app.routes(open_exchange(Asked(speed="step"), stack).parts)
    return [name for route in routes for name in _names(route)]


def _named_as_proven(rows: Iterable[str], proven: Iterable[str]) -> list[str]:
    """Give endpoints the names that the tests use for what a path is filled with."""
    names = {_PLACE.sub("{}", row): row for row in proven}
    return [names.get(_PLACE.sub("{}", row), row) for row in rows]


def _names(route: BaseRoute) -> Iterator[str]:
    match route:
        case WebSocketRoute(path=path):
            yield f"WS {path}"
        case Route(path=path, methods=methods):
            for method in sorted((methods or set()) - {"HEAD"}):
                yield f"{method} {path}"
        case _:
            raise TypeError(f"an endpoint of another kind: {route}")


def orders() -> list[str]:
    """Return every type, class and time in force that go together, as `order: type class life`."""
    return [
        f"order: {kind} {group} {lives}"
        for group, kind, lives in product(OrderClass, OrderKind, TimeInForce)
        if _is_taken(kind, group, lives)
    ]


def _is_taken(kind: OrderKind, group: OrderClass, lives: TimeInForce) -> bool:
    try:
        read_order(_order(kind, group, lives))
    except ApiError:
        return False
    return True


def _order(kind: OrderKind, group: OrderClass, lives: TimeInForce) -> dict[str, Any]:
    """Return the body of an order with the prices its type and class need."""
    body: dict[str, Any] = {
        "symbol": "ANY",
        "qty": "1",
        "side": "sell" if group is OrderClass.OCO else "buy",
        "type": kind.value,
        "time_in_force": lives.value,
        "order_class": group.value,
    }
    if kind in {OrderKind.LIMIT, OrderKind.STOP_LIMIT}:
        body["limit_price"] = "10"
    if kind in {OrderKind.STOP, OrderKind.STOP_LIMIT}:
        body["stop_price"] = "10"
    if kind is OrderKind.TRAILING_STOP:
        body["trail_price"] = "1"
    if group in {OrderClass.BRACKET, OrderClass.OCO}:
        body["take_profit"] = {"limit_price": "12"}
    if group is not OrderClass.SIMPLE:
        body["stop_loss"] = {"stop_price": "8"}
    return body


def channels() -> list[str]:
    """Return every channel of the streams."""
    stocks = stock_feeds(iex_symbols=0, has_sip=True)
    names = {name: None for feed in (*stocks.values(), news_feed()) for name in feed.channels}
    return [f"stream: {name}" for name in ("trade_updates", *names)]


def stream_errors() -> list[str]:
    """Return every error of the data and news streams."""
    return [f"stream error: {code} {text}" for code, text in sorted(ERRORS.items())]


def refusals(proofs: Proofs) -> tuple[dict[Text, dict[Refused, tuple[str, ...]]], list[str]]:
    """Return every text of a refusal with the proven answers it makes, and what is nowhere.

    Of several texts that match a message, the one that fixes most of it made it.
    """
    found: dict[Text, dict[Refused, tuple[str, ...]]] = {text: {} for text in texts(ROOT)}
    nowhere = []
    for refused, tests in proofs.refusals.items():
        matching = [text for text in found if text.pattern.fullmatch(refused[2])]
        if matching:
            found[max(matching, key=lambda text: text.weight)][refused] = tests
        else:
            status, _, message = refused
            nowhere.append(f"proof of a refusal that is nowhere in the source: {status} {message}")
    return found, nowhere


def document(proofs: Proofs | None = None) -> tuple[str, list[str]]:
    """Return the page, and what is wrong: rows without a proof, proofs of no row."""
    proofs = proofs or collect()
    sections = {
        "Endpoints": _named_as_proven(endpoints(), proofs.rows),
        "Orders": orders(),
        "Streams": channels(),
        "Errors of the data streams": stream_errors(),
    }
    refused, nowhere = refusals(proofs)
    behaviour = sorted(row for row in proofs.rows if row.startswith(BEHAVIOUR))
    known = {row for rows in sections.values() for row in rows} | set(behaviour)
    wrong = [f"no test proves: {row}" for row in sorted(known - set(proofs.rows))]
    wrong += [
        f"no test proves the refusal: {text.template}" for text in refused if not refused[text]
    ]
    wrong += [f"proof of what is not there: {row}" for row in sorted(set(proofs.rows) - known)]
    wrong += nowhere
    page = "\n\n".join(
        [
            MADE,
            _INTRO,
            *_sections(sections, proofs.rows),
            "## Behaviour",
            table(
                ("what", "proved by"),
                ((row.removeprefix(BEHAVIOUR), _shown(proofs.rows[row])) for row in behaviour),
            ),
            "## Refusals",
            "`{}` stands for what is filled in. Further fields are in the tests.",
            table(("status", "code", "message", "proved by"), _refusal_rows(refused)),
            "\n".join(_definitions(proofs)),
        ]
    )
    return page + "\n", wrong


def _sections(
    sections: Mapping[str, Sequence[str]], proven: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for title, rows in sections.items():
        yield f"## {title}"
        if title == "Orders":
            yield "The type is that of the entry; in an OCO it is that of the take profit."
        yield table(
            ("what", "proved by"),
            ((f"`{row.split(': ', 1)[-1]}`", _shown(proven.get(row, ()))) for row in rows),
        )


def _refusal_rows(
    refused: Mapping[Text, Mapping[Refused, tuple[str, ...]]],
) -> Iterator[tuple[object, ...]]:
    rows: dict[tuple[int, str, str], dict[str, None]] = {}
    for text, answers in refused.items():
        for (status, code, _), tests in answers.items():
            key = (status, "" if code is None else str(code), text.template)
            rows.setdefault(key, {}).update(dict.fromkeys(tests))
    for (status, code, template), tests in sorted(rows.items()):
        yield status, code, f"`{template}`", _shown(tuple(tests))


def _shown(tests: Sequence[str]) -> str:
    """Return links to the first few tests."""
    links = [_link(test) for test in tests[:_MOST_SHOWN]]
    more = len(tests) - _MOST_SHOWN
    return ", ".join([*links, *([f"{more} more"] if more > 0 else [])])


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    words = name.removeprefix("test_").replace("_", " ")
    return f"[{words}][{_label(file)}]"


def _label(file: str) -> str:
    return Path(file).stem.removeprefix("test_")


def _definitions(proofs: Proofs) -> Iterator[str]:
    """Yield what the links of the page stand for."""
    proven = [*proofs.rows.values(), *proofs.refusals.values()]
    files = {test.partition("::")[0] for tests in proven for test in tests}
    for file in sorted(files):
        yield f"[{_label(file)}]: ../../{file}"


def main(arguments: Iterable[str]) -> int:
    """Write the page, or with `--check` only compare; tell what is wrong."""
    page, wrong = document()
    path = ROOT / PAGE
    if "--check" not in arguments:
        path.write_text(page, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != page:
        wrong.append(f"{PAGE} is stale: run `python -m tools.conformance`")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
