"""The text of a filing: its main document and the press release in its exhibits.

Reads what EDGAR keeps under `ACCESSION.txt` (all documents of a filing in one file, of which the
beginning is enough), one document of it, and plain HTML or text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import one_line, plain_text

MAX_TEXT_CHARACTERS = 20_000
MAX_DOCUMENTS = 50
_HEAD_CHARACTERS = 4_000  # of a document: type and description stand before its text
_TYPE = re.compile(r"<TYPE>([^\n<]{1,40})")
_DESCRIPTION = re.compile(r"<DESCRIPTION>([^\n<]{1,200})")
_RELEASE = "EX-99"
_CURRENT_REPORT = "8-K"
# After the cover page of an 8-K comes the first item; its table of check boxes has none.
_FIRST_ITEM = re.compile(r"\bitem\s+\d{1,2}\.\d{2}\b", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a filing; `kind` is its form or exhibit, empty when it does not say."""

    kind: str
    description: str
    text: str


def read_documents(content: bytes, source: str) -> tuple[Document, ...]:
    """Return the main document and the press releases, in their order.

    Raises `BadData` when there is no text in it.
    """
    written = _CONTROL.sub(" ", content.decode("utf-8", "replace"))
    pieces = written.split("<DOCUMENT>", MAX_DOCUMENTS)[1:]
    documents = [_document(piece) for piece in pieces or [f"<TEXT>{written}"]]
    wanted = tuple(
        document
        for number, document in enumerate(documents)
        if (number == 0 or document.kind.startswith(_RELEASE)) and document.text
    )
    if not wanted:
        raise BadData(f"{source}: no text in this filing")
    return wanted


def text_of(documents: tuple[Document, ...]) -> str:
    """Return one text of at most 20,000 characters: an 8-K from its first item on, then releases.

    Where both are long, the main document leaves half of the room to them.
    """
    main, *releases = documents
    told = one_line(" ".join(release.text for release in releases))
    room = MAX_TEXT_CHARACTERS - min(len(told), MAX_TEXT_CHARACTERS // 2) - 1
    begins = _FIRST_ITEM.search(main.text) if main.kind in {_CURRENT_REPORT, ""} else None
    text = main.text[begins.start() :] if begins else main.text
    return f"{text[:room]} {told}".strip()[:MAX_TEXT_CHARACTERS]


def _document(piece: str) -> Document:
    head = piece[:_HEAD_CHARACTERS]
    kind, description = _TYPE.search(head), _DESCRIPTION.search(head)
    body = piece.partition("<TEXT>")[2]
    return Document(
        kind=one_line(kind[1]) if kind else "",
        description=one_line(description[1]) if description else "",
        text=plain_text(body.partition("</TEXT>")[0]),
    )
