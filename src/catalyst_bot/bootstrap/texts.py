"""Models and readers of texts, as the settings ask for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

import catalyst_bot.detection.rules as detection
from catalyst_bot.detection.linear import LinearModel
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import LLM_API_KEY, LlmSection, Settings
from catalyst_bot.settings_sources import secret
from catalyst_bot.texts import model_files
from catalyst_bot.texts.encoder import SentenceEncoder, folder_of
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.readers.desk import Reader
from catalyst_bot.texts.readers.finbert import FinBert
from catalyst_bot.texts.readers.llm import LanguageModel, ModelAccess
from catalyst_bot.texts.readers.memory import AnswerMemory
from catalyst_bot.texts.readers.sentences import SentenceReader
from catalyst_bot.texts.sentences import SentenceModel, refuse_stranger


def tone_model(settings: Settings) -> LinearModel:
    """Return the linear model of the tone: the configured one, or the one shipped."""
    folder = settings.detection.sentiment_model
    if folder is None:
        return model_files.shipped(Task.SENTIMENT)
    return model_files.load(folder, Task.SENTIMENT)


def encoder_of(model: SentenceModel, name: str) -> SentenceEncoder:
    """Load the encoder of a model of sentences: `installed`, or a folder.

    Raises `ConfigError` where there is none, or another than the model was made with.
    """
    encoder = SentenceEncoder(folder_of(name))
    refuse_stranger(model, encoder)
    return encoder


def _sentence_reader(settings: Settings) -> SentenceReader:
    with model_files.folder_of(settings.detection.sentiment_model, Task.SENTIMENT) as folder:
        model = model_files.load_sentences(folder, Task.SENTIMENT)
    return SentenceReader(model, encoder_of(model, settings.detection.encoder))


def asking(settings: Settings) -> detection.Asking:
    """Return whether the core asks readers outside, and how long it waits for them."""
    models = settings.detection
    is_asked = settings.llm.enabled or models.finbert_dir is not None or models.encoder != ""
    return detection.Asking(
        wait_s=settings.llm.timeout_s if is_asked else 0.0,
        min_confidence=settings.signals.min_confidence,
    )


def readers_of(
    settings: Settings, *, events: Sequence[str], recorded_from: datetime | None = None
) -> list[Reader]:
    """Build the readers that are configured. Raises `ConfigError` when one cannot work.

    For recorded days (from `recorded_from` on) a language model that was trained on a world which
    already knew them is refused: its answers would be memory, not judgement.
    """
    readers: list[Reader] = []
    if settings.detection.encoder:
        readers.append(_sentence_reader(settings))
    if settings.detection.finbert_dir is not None:
        readers.append(FinBert(settings.detection.finbert_dir))
    if settings.llm.enabled:
        access = _access(settings.llm)
        if recorded_from is not None and not settings.llm.allow_contaminated:
            _refuse_aftermath(access, recorded_from)
        memory = AnswerMemory(settings.run.data_dir)
        wall = SystemClock()
        readers.append(
            LanguageModel(access, memory, events=events, today=lambda: wall.now().date())
        )
    return readers


def _access(llm: LlmSection) -> ModelAccess:
    if llm.knowledge_cutoff is None:
        raise ConfigError("llm.enabled = true needs llm.knowledge_cutoff")
    return ModelAccess(
        base_url=llm.base_url,
        model=llm.model,
        knowledge_cutoff=llm.knowledge_cutoff,
        timeout_s=llm.timeout_s,
        daily_cap_usd=llm.daily_cap_usd,
        usd_per_million_input=llm.usd_per_million_input,
        usd_per_million_output=llm.usd_per_million_output,
        api_key=secret(LLM_API_KEY, os.environ),
    )


def _refuse_aftermath(access: ModelAccess, recorded_from: datetime) -> None:
    if access.knowledge_cutoff >= recorded_from.date():
        raise ConfigError(
            f"llm.knowledge_cutoff = {access.knowledge_cutoff}: {access.model} may know what "
            f"became of news from {recorded_from.date()} on; replay later days, or set "
            "llm.allow_contaminated = true to have its answers marked"
        )
