"""What is sent to a channel: the notice within the limits of its service, checked before it goes.

Text of the market is somebody else's: it may neither call people (`@everyone`, `<!channel>`) nor
format or link. Lengths are counted in UTF-16 units, the strictest way in which a service counts.
What is too long is cut at a word and says where the whole is: the journal has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalyst_bot.alerts.notice import Notice

_CUT = "…"
_LONGEST_WORD = 40  # what is cut ends with a whole word, unless that is longer
_HARMLESS = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "@\u200b", "`": "'"})
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"([\\*_~|\[\]#])")
_MAX_SYMBOL = 32
_HEADING = "### "


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a service takes, in UTF-16 units. `total` bounds title, text and fields together;
    `plain` the title and text of a message without form. `is_rich`: it shows fields.
    """

    title: int
    text: int
    total: int
    plain: int
    field_name: int = 256
    field_value: int = 1024
    fields: int = 0

    @property
    def is_rich(self) -> bool:
        """True where a message may have fields, so that there is a plainer one to fall back to."""
        return self.fields > 0


# Discord takes 6,000 in all and 1,024 in a field. apprise frames each field's value (10), and the
# sender's name counts too.
DISCORD = Limits(title=256, text=4096, total=5700, plain=2000, field_value=1014, fields=25)
# Telegram counts what is left of a text when its marks are read.
TELEGRAM = Limits(title=256, text=3500, total=4096, plain=4096, fields=25)
# Slack takes 40,000 and apprise 35,000, of which an ampersand is five: "&amp;".
SLACK = Limits(title=150, text=3000, total=7000, plain=7000, fields=10)
# A mail takes more than anybody reads; without form, because as HTML its lines run together.
EMAIL = Limits(title=200, text=30_000, total=30_000, plain=30_000)
OTHERS = Limits(title=200, text=3000, total=3200, plain=3200)
BY_SERVICE = {"discord": DISCORD, "tgram": TELEGRAM, "slack": SLACK, "mailto": EMAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A message as its service gets it. Fields are pairs of name and value, neither empty."""

    title: str
    text: str
    fields: tuple[tuple[str, str], ...] = ()

    def markdown(self) -> str:
        """The text, then each field as a section; services turn sections into fields."""
        sections = (f"{_HEADING}{name}\n{value}" for name, value in self.fields)
        return "\n".join([self.text, *sections])

    def size(self) -> int:
        """Length of everything, headings of sections included."""
        heading = units(_HEADING) + 2  # two line ends
        named = sum(units(name) + units(value) + heading for name, value in self.fields)
        return units(self.title) + units(self.text) + named


def units(text: str) -> int:
    """Length in UTF-16 units: an emoji counts two."""
    return len(text) + sum(char > "\uffff" for char in text)


def fitted(text: str, limit: int) -> str:
    """Return the text, cut behind a word with an ellipsis where it is longer than `limit` units."""
    if units(text) <= limit:
        return text
    left, end = limit - 1, 0
    for char in text:
        left -= units(char)
        if left < 0:
            break
        end += 1
    kept = text[:end]
    word = 0 if text[end].isspace() else len(re.split(r"\s", kept)[-1])
    if word <= _LONGEST_WORD and word < end:
        kept = kept[: end - word]
    return kept.rstrip("\\ \n") + _CUT  # never half an escape at the end


def shortened(text: str, limit: int, notice: Notice) -> str:
    """Return the text within `limit` units; one that is cut ends with how to read the whole."""
    if units(text) <= limit:
        return text
    pointer = f"\nThe whole: catalyst-bot alerts show {notice.notice_id}"
    return fitted(text, limit - units(pointer)) + pointer


def harmless(text: str) -> str:
    """Text that calls nobody and holds no control characters; line ends stay."""
    return _CONTROL.sub(" ", text).translate(_HARMLESS).strip()


def rich_payload(notice: Notice, limits: Limits, more: Sequence[tuple[str, str]] = ()) -> Payload:
    """Return title, text and fields within the limits; without fields where none are shown."""
    text = _MARKUP.sub(r"\\\1", harmless(notice.text))
    title = fitted(harmless(notice.title), limits.title) or "catalyst-bot"
    fields = [(harmless(name), harmless(value)) for name, value in (*_facts_of(notice), *more)]
    payload = Payload(
        title=title,
        text="",
        fields=tuple(
            (fitted(name, limits.field_name), fitted(value, limits.field_value))
            for name, value in fields
            if name and value
        )[: limits.fields],
    )
    while payload.fields and payload.size() > limits.total // 2:  # the words come first
        payload = Payload(title=title, text="", fields=payload.fields[:-1])
    room = min(limits.text, limits.total - payload.size())
    return Payload(title=title, text=shortened(text or "-", room, notice), fields=payload.fields)


def plain_payload(notice: Notice, limits: Limits) -> Payload:
    """Return the same as text alone, with the facts in its last line."""
    title = fitted(harmless(notice.title), limits.title) or "catalyst-bot"
    last = "\n" + ", ".join(f"{name} {value}" for name, value in _facts_of(notice))
    room = limits.plain - units(title) - units(last) - 2  # a line end between title and text
    return Payload(title=title, text=shortened(harmless(notice.text) or "-", room, notice) + last)


def problem(payload: Payload, limits: Limits) -> str:
    """Say what of a payload its service would refuse; empty when nothing."""
    sizes = [
        ("title", units(payload.title), limits.title),
        ("number of fields", len(payload.fields), limits.fields),
        *(("name of a field", units(name), limits.field_name) for name, _ in payload.fields),
        *(("field", units(value), limits.field_value) for _, value in payload.fields),
    ]
    sizes.append(("whole", payload.size(), limits.total if payload.fields else limits.plain))
    long = next((f"{name} of {n} (at most {most})" for name, n, most in sizes if n > most), "")
    parts = [payload.title, payload.text, *(part for field in payload.fields for part in field)]
    return long or ("" if all(part.strip() for part in parts) else "an empty part")


def _facts_of(notice: Notice) -> tuple[tuple[str, str], ...]:
    symbol = (("symbol", fitted(notice.symbol, _MAX_SYMBOL)),) if notice.symbol else ()
    return (
        ("severity", str(notice.severity)),
        *symbol,
        ("at", f"{notice.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("id", notice.notice_id),
    )
