"""One spelling per headline: what two feeds print of one story compares equal."""

from __future__ import annotations

import re
import unicodedata

from catalyst_bot.detection.text import BREAKS, DASHES, words

_OUTLET = re.compile(rf"\s[-|{DASHES}]\s(?P<outlet>[^-|{DASHES}]{{1,40}})$")
_MAX_OUTLET_WORDS = 3
_MIN_HEAD_WORDS = 4


def normalise_title(title: str) -> str:
    """Return the words of a title in lower case, without punctuation and trailing outlet.

    Empty when the title has no Latin letter or digit.
    """
    plain = unicodedata.normalize("NFKC", title).strip()
    outlet = _OUTLET.search(plain)
    if outlet and len(outlet["outlet"].split()) <= _MAX_OUTLET_WORDS:
        head = plain[: outlet.start()]
        if len(words(head)) >= _MIN_HEAD_WORDS:
            plain = head
    return " ".join(word for word in words(plain) if word not in BREAKS)
