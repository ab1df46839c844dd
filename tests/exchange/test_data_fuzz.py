"""Whatever is asked of the data API, it answers: a documented body, or a refusal with a reason."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from hypothesis import event, given, settings
from hypothesis import strategies as st

from catalyst_bot.exchange.api.data_query import page_token
from tests.exchange import openapi
from tests.exchange.data_client import DataClient, documented
from tests.exchange.markets import MINUTE, NEXT_OPEN, market_of, news, walk

AT = NEXT_OPEN + 90 * MINUTE + timedelta(seconds=3)
CLIENT = DataClient(
    market_of(
        {"AAPL": walk(1), "MSFT": walk(2)},
        news=tuple(news(n, NEXT_OPEN + n * MINUTE, "AAPL") for n in range(30)),
    ),
    AT,
    has_sip=False,
)
GOOD = {
    "symbols": ["AAPL", "MSFT,AAPL", "NONE"],
    "timeframe": ["1Min", "7Min", "1Hour", "1Day", "1Week", "3Month"],
    "start": ["2025-10-22", "2025-10-23T13:30:00Z", "2025-10-23T09:30:00-04:00"],
    "end": ["2025-10-23", "2025-10-23T13:45:00.123456789Z", "2030-01-01T00:00:00Z"],
    "limit": ["1", "7", "50", "10000"],
    "sort": ["asc", "desc"],
    "feed": ["iex", "sip", "delayed_sip", "boats", "otc"],
    "adjustment": ["raw", "split", "all", "split,dividend"],
    "asof": ["-", "2025-10-22"],
    "currency": ["USD"],
    "page_token": [
        page_token("AAPL", "M", "2025-10-22T14:00:00Z"),
        page_token("MSFT", "2025-10-23T13:31:00.5Z", "V", "1"),
        page_token("1761139800000000000", "12"),
    ],
    "tape": ["A", "C"],
    "by": ["trades"],
    "top": ["3"],
    "types": ["forward_split", "cash_dividend"],
    "include_content": ["True", "false"],
    "exclude_contentless": ["true"],
    "region": ["us", "all"],
}
PATHS = [
    path
    for path in openapi.document(openapi.DATA)["paths"]
    if path.startswith(("/v2/stocks", "/v1beta1/news", "/v1beta1/screener", "/v1/corporate"))
]


def parameters(path: str) -> list[str]:
    """The parameters the document gives a path, of those there are values for."""
    document = openapi.document(openapi.DATA)
    entry = document["paths"][path]
    given = [*entry.get("parameters", []), *entry["get"].get("parameters", [])]
    named = [
        document["components"]["parameters"][each["$ref"].rsplit("/", 1)[-1]]
        if "$ref" in each
        else each
        for each in given
    ]
    return sorted({each["name"] for each in named} & set(GOOD))


JUNK = st.one_of(
    st.text(max_size=12), st.integers().map(str), st.floats().map(str), st.dates().map(str)
)
SEGMENT = st.one_of(
    st.sampled_from(["AAPL", "NONE", "trade", "stocks", "crypto"]), st.text(min_size=1, max_size=6)
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    path = draw(st.sampled_from(PATHS))
    is_sane = draw(st.booleans())
    known = parameters(path) if is_sane else sorted(GOOD)
    needed = [name for name in ("symbols", "timeframe", "tape") if is_sane and name in known]
    names = draw(st.lists(st.sampled_from(known), unique=True, max_size=6)) if known else []
    while "{" in path:
        begin, end = path.index("{"), path.index("}")
        path = path[:begin] + quote(draw(SEGMENT), safe="") + path[end + 1 :]
    values = {
        name: draw(
            st.sampled_from(GOOD[name]) if is_sane else st.one_of(st.sampled_from(GOOD[name]), JUNK)
        )
        for name in dict.fromkeys((*names, *needed))
    }
    return path, values


@settings(max_examples=400)
@given(requests())
def test_every_question_has_an_answer(request: tuple[str, dict[str, str]]) -> None:
    path, params = request
    reply = CLIENT.http.get(path, params=params)
    event(str(reply.status_code))
    if reply.status_code == 200:
        openapi.validate("get", documented(path), 200, reply.json(), openapi.DATA)
    else:
        assert reply.status_code in {400, 403, 404}
        assert reply.status_code == 404 or reply.json()["message"]
