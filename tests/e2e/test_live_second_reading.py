"""A live run by the wall clock: a headline of a feed, a question to a model, its answer in time."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import journal_tools
from catalyst_bot.bootstrap.live import follow
from catalyst_bot.bootstrap.requests import Asked, live_feeds_of
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.domain.messages.facts import TextOpinionsReceived
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.storage.read_model import ReadModel
from tests.unit.texts.model_server import Answer, says, serving

DOUBTS = json.dumps({"sentiment": -1.0, "confidence": 1.0})


@contextmanager
def wire() -> Iterator[str]:
    """A news wire with one headline of now."""
    row = {
        "published_at": datetime.now(UTC).isoformat(),
        "title": "FDA approves Acme's pump",
        "symbols": ["ACME"],
        "source": "Business Wire",
    }
    page = json.dumps(row).encode() + b"\n"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/news.jsonl"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def until_detected(batch: Sequence[Recorded]) -> None:
    """Stop the run as a person would, once the catalyst is told."""
    if any(isinstance(record.body, CatalystDetected) for record in batch):
        os.kill(os.getpid(), signal.SIGTERM)


def follow_with(folder: Path, answer: Answer) -> tuple[Catalyst, list[TextOpinionsReceived]]:
    with wire() as news_url, serving(answer) as server:
        config = folder / "catalyst.toml"
        config.write_text(
            f"""[feeds]
json_lines_urls = ["{news_url}"]
poll_s = 1
[llm]
enabled = true
base_url = "{server.url}"
model = "test-model"
knowledge_cutoff = "2024-06-01"
"""
        )
        asked = Asked(is_dry_run=False, data_dir=folder / "data", config=config)
        outcome = follow(replace(live_feeds_of(asked), listeners=[until_detected]))
    with ReadModel(outcome.journal) as model:
        bodies = [record.body for record in model.records()]
    (found,) = [body.catalyst for body in bodies if isinstance(body, CatalystDetected)]
    verified = journal_tools.verify(outcome.journal, decides_again=True)
    assert verified.divergence is None
    return found, [body for body in bodies if isinstance(body, TextOpinionsReceived)]


def test_an_answer_in_time_is_in_the_catalyst(tmp_path: Path):
    found, (told,) = follow_with(tmp_path, says(DOUBTS))
    assert told.opinions[0].value == -1.0
    assert found.opinions[-1].name == "llm"
    assert found.confidence < 0.7
    assert "knows" not in found.opinions[-1].note  # news of today is after the cutoff


@pytest.mark.parametrize("answer", [says(DOUBTS, wait_s=4.0), says("<html>")])
def test_silence_and_nonsense_leave_it_as_the_rules_read_it(tmp_path: Path, answer: Answer):
    found, _ = follow_with(tmp_path, answer)
    assert [opinion.name for opinion in found.opinions] == ["lexicon", "linear"]
    assert found.confidence > 0.7
    assert found.factors[-1].value == 1.0
