"""One try to send, against a real HTTP server that stands for the services."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape

import pytest
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from catalyst_bot.alerts import channels
from catalyst_bot.alerts.channels import Answer, Channel
from catalyst_bot.alerts.chart import candles_png
from catalyst_bot.alerts.notice import Notice
from catalyst_bot.alerts.payload import units
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.errors import ConfigError
from tests import builders
from tests.hook_server import Hook, Say, hook
from tests.mail_server import mailbox

SECRET = "s3cr3ttok3nthatnobodymaysee"
ADDRESSES = {
    "discord": f"discord://123456789012/{SECRET}",
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{SECRET[:24]}",
    "tgram": "tgram://123456789:abcdefg_hijklmnopqrstuvwxyz0123456/12315544",
}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setattr(channels, "READ_TIMEOUT_S", 0.4)
    with hook() as made:
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"{made.url}/api/webhooks")
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{made.url}/services")
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{made.url}/bot")
        yield made


def to(at: Hook, service: str = "json") -> Channel:
    return Channel(
        "ops", ADDRESSES.get(service, f"json://127.0.0.1:{at.port}/{SECRET}"), variable="V"
    )


def notice(text: str = "offering priced", title: str = "ACME: offering") -> Notice:
    return Notice(
        notice_id="note-77",
        at=builders.NOON,
        severity=Severity.CRITICAL,
        title=title,
        text=text,
        symbol="ACME",
    )


CHART = candles_png([builders.bar()], builders.NOON)


def test_a_webhook_gets_the_words_and_a_key_to_know_them_by(at: Hook):
    assert to(at).send(notice(), CHART) == Answer(is_delivered=True)
    (told,) = at.told
    assert told.headers["Idempotency-Key"] == "note-77"
    assert "offering priced" in told.json["message"]
    assert "note-77" in told.json["message"]
    assert told.json["attachments"] == []  # a picture never travels as base64


LONG = [
    pytest.param("offering priced " * 6_000, id="words"),
    pytest.param("a&b " * 20_000, id="ampersands"),
    pytest.param("*_[a] (b)! " * 6_000, id="marks"),
    pytest.param("\U0001f600" * 40_000, id="two units each"),
]
POINTER = "The whole: catalyst-bot alerts show note-77"


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("refused", [0, 1])
@pytest.mark.parametrize("service", ["slack", "tgram", "discord"])
def test_a_long_message_is_one_message_within_the_documented_limits(
    at: Hook, service: str, refused: int, text: str
):
    at.answers.extend([Say(400)] * refused)
    assert to(at, service).send(notice(text, "t & " * 300)).is_delivered
    assert len(at.told) == 1 + refused  # never in pieces
    sent = at.told[-1].json
    if service == "slack":  # api.slack.com: 40,000 characters, the rest is dropped
        (part,) = sent["attachments"]
        said = part["text"]
        assert units(said) + units(part["title"]) <= 40_000
    elif service == "tgram":  # core.telegram.org: 4,096 after its marks are read
        said = unescape(re.sub("</?b>", "", sent["text"]))
        assert units(said) <= 4_096
    else:  # discord.com: 4,096 in an embed, 2,000 without
        said = sent["content"] if refused else sent["embeds"][0]["description"]
        assert units(said) <= (2_000 if refused else 4_096)
    assert POINTER in said
    assert said.index(POINTER) > 1_000


@pytest.mark.parametrize("text", LONG)
def test_a_long_mail_is_cut_and_no_line_is_longer_than_mail_allows(text: str):
    with mailbox() as box:
        address = f"mailto://127.0.0.1:{box.port}?from=bot@example.org&to=ops@example.org"
        sent = Channel("ops", address, variable="V").send(notice(text, "Größe " * 300), CHART)
    assert sent == Answer(is_delivered=True)
    (raw,) = box.mails
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    assert body is not None
    last = body.get_content().splitlines()[-2:]
    assert last[0] == POINTER
    assert last[1].startswith("severity critical, symbol ACME, at ")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["chart.png"]


def test_discord_gets_an_embed_within_its_limits_then_the_chart_as_a_file(at: Hook):
    long = notice("x" * 9_000, "t" * 900)
    assert to(at, "discord").send(long, CHART) == Answer(is_delivered=True)
    words, picture = at.told
    (embed,) = words.json["embeds"]
    assert 200 < len(embed["title"]) <= 256
    assert 3_500 < len(embed["description"]) <= 4_096
    assert {field["name"] for field in embed["fields"]} >= {"severity", "symbol", "id"}
    sizes = [len(field["name"]) + len(field["value"]) for field in embed["fields"]]
    assert all(field["value"] and len(field["value"]) <= 1_024 for field in embed["fields"])
    whole = len(embed["title"]) + len(embed["description"]) + sum(sizes)
    assert whole + len(embed["author"]["name"]) <= 6_000
    assert CHART in picture.body
    assert b'filename="chart.png"' in picture.body


@pytest.mark.parametrize("service", ["discord", "slack", "tgram"])
def test_nobody_is_called_by_a_headline(at: Hook, service: str):
    assert to(at, service).send(notice("@everyone <!channel> <@1> buy")).is_delivered
    (words,) = at.told
    text = words.body.decode()
    assert "@everyone" not in text
    assert "<!channel>" not in text
    assert "allow_mentions" not in text


@pytest.mark.parametrize("service", ["discord", "slack", "tgram"])
def test_a_refused_form_is_sent_again_as_plain_text(at: Hook, service: str):
    at.answers.append(Say(400))
    answer = to(at, service).send(notice())
    assert answer == Answer(is_delivered=True, note="as plain text: HTTP 400")
    assert len(at.told) == 2
    assert "embeds" not in at.texts[1]
    assert "offering priced" in at.texts[1]


def test_what_is_refused_as_plain_text_too_is_refused(at: Hook):
    at.then = Say(400)
    answer = to(at, "discord").send(notice())
    assert answer == Answer(is_delivered=False, reason="HTTP 400", is_refused=True)


def test_a_chart_that_fails_never_makes_the_words_be_sent_again(at: Hook):
    at.answers.extend([Say(), Say(413)])
    answer = to(at, "discord").send(notice(), CHART)
    assert answer == Answer(is_delivered=True, note="without the chart: HTTP 413")


@pytest.mark.parametrize(
    ("say", "reason", "retry_after_s"),
    [
        (Say(500), "HTTP 500", 0.0),
        (Say(429, (("Retry-After", "7"),)), "HTTP 429", 7.0),
        (Say(429, (("Retry-After", "Wed, 21 Oct 2037 07:28:00 GMT"),)), "HTTP 429", 0.0),
        (Say(429, (("Retry-After", "nan"),)), "HTTP 429", 0.0),
        (Say(429, (("Retry-After", "1e99"),)), "HTTP 429", 3600.0),
        (Say(404), "HTTP 404", 0.0),
        (Say(hang=True), "no answer in time", 0.0),
        (Say(reset=True), "no connection", 0.0),
    ],
)
@pytest.mark.parametrize("service", ["json", "discord"])
def test_what_went_wrong_is_named_without_the_address(
    at: Hook,
    service: str,
    say: Say,
    reason: str,
    retry_after_s: float,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    at.then = say
    with caplog.at_level(logging.DEBUG):
        answer = to(at, service).send(notice())
    assert answer == Answer(is_delivered=False, reason=reason, retry_after_s=retry_after_s)
    assert SECRET not in str(answer) + caplog.text + "".join(capfd.readouterr())
    assert not [record for record in caplog.records if record.name == "apprise"]


@pytest.mark.parametrize("address", ["nonsense", f"jsn://x/{SECRET}", "discord://", ""])
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str):
    with pytest.raises(ConfigError, match="CATALYST_ALERT_URL_OPS: is no address") as told:
        Channel("ops", address, variable="CATALYST_ALERT_URL_OPS")
    assert SECRET not in str(told.value)
