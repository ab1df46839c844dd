"""Who is asked when: every close at which a policy may decide on a catalyst that became a signal.

A case begins with the first look, in the event's bar or at its close. While its symbol is on
watch, to the end of the catalyst's horizon, a policy that reviews is asked again at every later
close. Which of several cases of a symbol is on watch depends on the account (bad news opens one
only while the symbol is held), so all of them are here and the account decides.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from catalyst_bot.domain.news import Catalyst
from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.events import (
    CATALYST,
    Event,
    EventReader,
    EventRules,
    features_at,
    frame_of,
)
from catalyst_bot.history.panel import Integers, Panel
from catalyst_bot.signals.gates import REVIEWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """Rows of the panel, rows of the events and the ten catalyst features, an ask a row.

    Sorted by event, then by time; the first ask of an event is its first look, at the event's
    `look_s`, all others are at the close of their row.
    """

    row: Integers
    event: Integers
    values: Floats


def with_events(panel: Panel, catalysts: Iterable[Catalyst], rules: EventRules) -> Panel:
    """Return the history with the catalysts placed in it, who is asked when, and both counted."""
    reader = EventReader(panel, rules)
    events = tuple(reader.read(catalysts))
    frame, asks = frame_of(events, reader), asks_of(events, reader)
    digest = sha256(frame.write_csv().encode())
    for column in (asks.row, asks.event, asks.values):
        digest.update(column.tobytes())
    counts = dict(sorted(reader.counts.items())) | {"asks": len(asks.row)}
    return replace(
        panel,
        card=replace(panel.card, events=counts, events_hash=digest.hexdigest()),
        events=frame,
        ask_row=asks.row,
        ask_event=asks.event,
        ask_values=asks.values,
    )


def asks_of(events: Sequence[Event], reader: EventReader) -> Asks:
    """Return every ask of the events that became signals."""
    # Plain numbers side by side: a wide history has millions of asks.
    rows, owners, values = array("q"), array("q"), array("d")
    for number, event in enumerate(events):
        if event.dropped:
            continue
        moments = reader.moments(event.catalyst.symbol)
        until_s = event.moment.now_s + event.catalyst.horizon_s
        end = int(np.searchsorted(moments.window.closed_at, until_s, side="right"))
        published_s = event.catalyst.published_at.timestamp()
        rows.append(moments.first_row + event.bar)
        owners.append(number)
        values.extend(features_at(event.catalyst, event.moment).values())
        is_at_close = moments.window.closed_at[event.bar] == event.moment.now_s
        for bar in range(event.bar + is_at_close, end):
            moment = moments.at(bar, published_s)
            checks = reader.checks(event.catalyst, moment)
            if all(check.passed for check in checks if check.name in REVIEWED):
                rows.append(moments.first_row + bar)
                owners.append(number)
                values.extend(features_at(event.catalyst, moment).values())
    return Asks(
        row=np.array(rows, dtype=np.int64),
        event=np.array(owners, dtype=np.int64),
        values=np.array(values).reshape(-1, len(CATALYST)),
    )
