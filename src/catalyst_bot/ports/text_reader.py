"""Readers of text outside the core: a language model, say."""

from __future__ import annotations

from typing import Protocol

from catalyst_bot.domain.messages.commands import RequestTextOpinion


class TextReader(Protocol):
    """Gives opinions on headlines; slow, costly, and not to be believed further than a label."""

    def request_opinion(self, command: RequestTextOpinion) -> None:
        """Answer once: TextOpinionsReceived, also when every reader refused. Never blocks longer
        than the time until `answer_by`.
        """
        ...
