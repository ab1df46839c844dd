"""A language model behind OpenAI's protocol: OpenAI, Ollama, or any other base URL.

Every answer is bounded in size and time, checked against its schema, remembered by the hash of
the question, and paid from a daily purse. What goes wrong is a reason, not an error of the bot.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeGuard

from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.news import TextOpinion
from catalyst_bot.texts.readers.answers import instructions, labels_of, question, read_answer
from catalyst_bot.texts.readers.memory import AnswerMemory

NAME = "llm"
MAX_REPLY_BYTES = 64 << 10
MAX_ANSWER_TOKENS = 300
CHARACTERS_PER_TOKEN = 2  # fewer than in any usual text, so that the reserve is not too small
MILLION = Decimal(1_000_000)
NO_KEY = "none"  # servers on this machine want none, the client wants one


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAccess:
    """Which model, where, at what price. The key does not show in `repr`."""

    base_url: str
    model: str
    knowledge_cutoff: date
    timeout_s: float
    daily_cap_usd: Decimal
    usd_per_million_input: Decimal
    usd_per_million_output: Decimal
    api_key: str | None = field(default=None, repr=False)

    def price(self, tokens_in: int, tokens_out: int) -> Decimal:
        """Return what so many tokens cost."""
        read = self.usd_per_million_input * tokens_in
        return (read + self.usd_per_million_output * tokens_out) / MILLION


class LanguageModel:
    """Asks one model for its opinion on a headline."""

    name = NAME

    def __init__(
        self,
        access: ModelAccess,
        memory: AnswerMemory,
        *,
        events: Sequence[str],
        today: Callable[[], date],
    ) -> None:
        self._access = access
        self._memory = memory
        self._events = tuple(events)
        self._today = today
        self._client = _client(access)

    def read(self, command: RequestTextOpinion, within_s: float) -> TextOpinion:
        """Return the opinion, asked for at most once for the same question.

        Raises `BadData` for an answer that is not to be used, `SourceUnreachable` for none.
        """
        system, user = instructions(command.category, self._events), question(command)
        prompt_id = content_id("prm", system)
        key = content_id("ans", self._access.model, prompt_id, user)
        known = self._memory.answer(key)
        if known is not None:
            return self._opinion(known, command, prompt_id, Decimal(0), is_cached=True)
        content, cost_usd = self._paid(system, user, min(within_s, self._access.timeout_s))
        opinion = self._opinion(content, command, prompt_id, cost_usd, is_cached=False)
        self._memory.keep(key, content)
        return opinion

    def _paid(self, system: str, user: str, within_s: float) -> tuple[str, Decimal]:
        """Ask within the day's purse; without a bill the reserve stays spent."""
        day = self._today()
        tokens = (len(system) + len(user)) // CHARACTERS_PER_TOKEN
        reserved = self._access.price(tokens, MAX_ANSWER_TOKENS)
        if not self._memory.reserve(day, reserved, cap_usd=self._access.daily_cap_usd):
            raise SourceUnreachable(f"today's {self._access.daily_cap_usd} USD are spent")
        reply = self._reply(system, user, within_s)
        cost = _cost(reply, self._access)
        if cost is not None:
            self._memory.settle(day, reserved_usd=reserved, cost_usd=cost)
        return _content(reply), reserved if cost is None else cost

    def _reply(self, system: str, user: str, within_s: float) -> dict[str, Any]:
        import openai  # noqa: PLC0415  # an extra

        deadline = time.monotonic() + within_s
        try:
            with self._client.chat.completions.with_streaming_response.create(
                model=self._access.model,
                messages=[
                    {"role": "system", "content": system},
                    {"role": "user", "content": user},
                ],
                temperature=0,
                max_tokens=MAX_ANSWER_TOKENS,
                response_format={"type": "json_object"},
                timeout=within_s,
            ) as response:
                return _as_json(_bounded_body(response, deadline))
        except openai.APITimeoutError as error:
            raise SourceUnreachable(f"no answer within {within_s:g} s") from error
        except openai.APIStatusError as error:
            raise SourceUnreachable(f"refused with status {error.status_code}") from error
        except openai.OpenAIError as error:
            raise SourceUnreachable(f"not reached: {type(error).__name__}") from error

    def _opinion(
        self,
        content: str,
        command: RequestTextOpinion,
        prompt_id: str,
        cost_usd: Decimal,
        *,
        is_cached: bool,
    ) -> TextOpinion:
        answer = read_answer(content, command.category)
        return TextOpinion(
            reader=NAME,
            model=self._access.model,
            value=answer.sentiment,
            confidence=answer.confidence,
            event=answer.event if answer.event in self._events else "",
            is_material=answer.is_material,
            is_about_company=answer.is_about_company,
            labels=labels_of(answer),
            knowledge_cutoff=self._access.knowledge_cutoff,
            prompt_id=prompt_id,
            cost_usd=cost_usd,
            is_cached=is_cached,
        )


def _client(access: ModelAccess) -> Any:
    """Build the client. Raises `ConfigError` when the extra is not installed.

    It follows no redirect, which could carry the text elsewhere, and asks no second time: the
    catalyst would not wait.
    """
    try:
        import openai  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ConfigError(
            f"llm.enabled needs the OpenAI client: run `make setup-llm` ({error})"
        ) from error
    return openai.OpenAI(
        base_url=access.base_url,
        api_key=access.api_key or NO_KEY,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(follow_redirects=False),
    )


def _bounded_body(response: Any, deadline: float) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise BadData(f"reply of more than {MAX_REPLY_BYTES:,} bytes")
        if time.monotonic() > deadline:
            raise SourceUnreachable("the reply came too slowly")
    return body


def _as_json(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError) as error:
        what = "HTML" if body.lstrip()[:1] == b"<" else "no JSON"
        raise BadData(f"reply is {what}") from error
    if not isinstance(reply, dict):
        raise BadData("reply is no JSON object")
    return reply


def _content(reply: dict[str, Any]) -> str:
    try:
        content = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise BadData("reply holds no answer") from error
    if not isinstance(content, str):
        raise BadData(f"answer is no text but {type(content).__name__}")
    return content


def _cost(reply: dict[str, Any], access: ModelAccess) -> Decimal | None:
    """Return what the bill says; None for a reply without a believable one."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not _is_count(read) or not _is_count(written):
        return None
    return access.price(read, written)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < MILLION
