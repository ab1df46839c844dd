"""The tone of a title by the model of sentences, on this machine."""

from __future__ import annotations

from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.news import TextOpinion
from catalyst_bot.texts.encoder import SentenceEncoder
from catalyst_bot.texts.sentences import SentenceModel, predict_all

NAME = "sentences"


class SentenceReader:
    """Reads titles with a model of the tone."""

    name = NAME

    def __init__(self, model: SentenceModel, encoder: SentenceEncoder) -> None:
        self._model, self._encoder = model, encoder

    def read(self, command: RequestTextOpinion, within_s: float) -> TextOpinion:  # noqa: ARG002
        """Return the opinion on the title; 10 ms of one core."""
        (found,) = predict_all(self._model, self._encoder, [command.title])
        chance = dict(zip(self._model.words.labels, found.probabilities, strict=True))
        return TextOpinion(
            reader=NAME,
            model=self._model.model_id,
            value=chance.get("positive", 0.0) - chance.get("negative", 0.0),
            confidence=found.confidence,
            knowledge_cutoff=self._encoder.knows_until,
        )
