"""Is this machine fit to trade on: one finding per question, each with its remedy."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from catalyst_bot.alerts.dead_man import checked_address
from catalyst_bot.bootstrap import journals
from catalyst_bot.bootstrap.alerts import channels_of
from catalyst_bot.bootstrap.alpaca import alpaca_desk
from catalyst_bot.bootstrap.approvals import approval_of
from catalyst_bot.bootstrap.feeds import feeds_of
from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.bootstrap.texts import asking, readers_of
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import CatalystError
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.monitoring.narrator import funnel_text
from catalyst_bot.monitoring.portfolio_text import usd
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.drills import last_drill
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import PING_URL, LoadedSettings, Settings
from catalyst_bot.settings_sources import secret
from catalyst_bot.storage.database import driver
from catalyst_bot.storage.places import server_of
from catalyst_bot.storage.read_model import ReadModel

MIN_FREE_GIB = 1.0
_GIB = 2**30
_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Answer to one question."""

    name: str
    is_ok: bool
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def examine(loaded: LoadedSettings) -> list[Finding]:
    """Ask every question; none of them changes anything."""
    settings = loaded.settings
    questions: dict[str, Callable[[Settings], str]] = {
        "python": _python,
        "rules": _rules,
        "limits": _limits,
        "data folder": _data_folder,
        "disk": _disk,
        "sqlite": _sqlite,
        "storage": _storage,
        "calendar": _calendar,
        "halt latch": _latch,
        "kill switch drill": _drill,
        "dashboard port": _port,
        "newest journal": _journal,
        "news sources": _news,
    }
    if asking(settings).wait_s > 0:
        questions["second readers"] = _readers
    if settings.broker.kind == "alpaca":
        questions["alpaca account"] = _alpaca
    if settings.alerts.channels:
        questions["alert channels"] = _channels
    if secret(PING_URL):
        questions["dead-man ping"] = _ping
    return [_ask(name, question, settings) for name, question in questions.items()]


def _ask(name: str, question: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name=name, is_ok=True, detail=question(settings))
    except (CatalystError, OSError) as error:
        return Finding(name=name, is_ok=False, detail=str(error))


def _python(_: Settings) -> str:
    if not __debug__:
        raise CatalystError("python -O switches invariants off: start without -O")
    return ".".join(map(str, sys.version_info[:3]))


def _rules(settings: Settings) -> str:
    rules = engine_rules(settings, load_calendar())
    tone = rules.detection.tone_model
    parts = [
        f"policy {rules.policy.model_id}",
        *([f"candidate {rules.candidate.model_id}"] if rules.candidate is not None else []),
        f"classifier {rules.detection.classifier_id}",
        *([f"tone {tone.model_id}"] if tone is not None else []),
        *([f"second reader {settings.llm.model}"] if settings.llm.enabled else []),
    ]
    return ", ".join(parts)


def _limits(settings: Settings) -> str:
    return approval_of(settings, is_asked=True)


def _data_folder(settings: Settings) -> str:
    folder = settings.run.data_dir
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not os.access(existing, os.W_OK):
        raise CatalystError(f"{existing} is not writable: choose another with --data-dir")
    return str(folder)


def _disk(settings: Settings) -> str:
    folder = settings.run.data_dir.absolute()
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free_gib = shutil.disk_usage(existing).free / _GIB
    if not free_gib >= MIN_FREE_GIB:
        raise CatalystError(f"{free_gib:.2f} GiB free, {MIN_FREE_GIB} needed for journals")
    return f"{free_gib:.0f} GiB free"


def _sqlite(_: Settings) -> str:
    return f"{sqlite3.sqlite_version} (one writer, enforced by a lock)"


def _storage(settings: Settings) -> str:
    url = settings.storage.url
    if url.startswith("postgresql"):
        return f"{url}, {driver().describe(server_of(url))}"
    return url or f"a file for each run in {settings.run.data_dir / journals.FOLDER}"


def _calendar(_: Settings) -> str:
    now = SystemClock().now()
    coming = load_calendar().next_session(now)
    return f"next session {coming.day} opens {coming.opens_at:%H:%M} UTC"


def _latch(settings: Settings) -> str:
    if OperatorMailbox(settings.run.data_dir).is_halted():
        raise CatalystError("HALT is set: `catalyst-bot resume --reason '...'` lifts it")
    return "not set"


def _drill(settings: Settings) -> str:
    """A switch that was never tried is a fault only where real money is traded."""
    last = last_drill(settings.run.data_dir, SystemClock().now())
    if last.is_overdue and (last.age is not None or settings.run.mode is Mode.LIVE):
        raise CatalystError(last.text())
    return last.text()


def _ping(settings: Settings) -> str:
    checked_address(secret(PING_URL) or "", variable=PING_URL)
    return f"every {settings.alerts.ping_every_s:g} s while a bot lives"


def _port(settings: Settings) -> str:
    host, port = settings.dashboard.host, settings.dashboard.port
    with socket.socket() as probe:
        if probe.connect_ex((host, port)) == 0:
            return f"{port} is in use: the next free one will be taken"
    return f"{port} is free"


def _journal(settings: Settings) -> str:
    if not settings.storage.url and not (settings.run.data_dir / journals.FOLDER).is_dir():
        return "none yet"
    place = journals.newest(settings)
    with ReadModel(place) as model:
        return f"{place.name}, sha256 {model.journal_hash()[:16]}"


def _news(settings: Settings) -> str:
    names = feeds_of(settings).names()
    return f"{', '.join(names)} (`feeds check` asks them)" if names else "none are named"


def _readers(settings: Settings) -> str:
    return ", ".join(reader.name for reader in readers_of(settings, events=()))


def _alpaca(settings: Settings) -> str:
    desk = alpaca_desk(settings)
    account, time = desk.account, desk.standing.time
    kind = "real money" if desk.access.live_account else "paper"
    clock = f"replayed, it shows {time.at:%Y-%m-%d %H:%M} UTC" if time.is_replay else "agrees"
    return (
        f"{account.number} may trade ({kind}), cash ${account.cash_usd}, equity "
        f"${account.equity_usd}; feed {settings.alpaca.feed}; clock {clock}"
    )


def _channels(settings: Settings) -> str:
    channels = channels_of(settings)
    told = ", ".join(f"{channel.name} ({channel.service})" for channel in channels)
    return f"{told}; `catalyst-bot alerts test` sends to them"


def findings_text(findings: list[Finding]) -> str:
    """One line per finding."""
    return "\n".join(
        f"{'ok  ' if finding.is_ok else 'FAIL'} {finding.name}: {finding.detail}"
        for finding in findings
    )


def _reached(news: Mapping[str, Any]) -> str:
    return f"{news['step']}, {news['reason']}" if news["reason"] else str(news["step"])


def status_text(shown: Mapping[str, Any]) -> str:
    """`catalyst-bot status` for people."""
    status, account = shown["status"], shown["account"]
    lines = [f"journal {shown['journal']}"]
    if status is not None:
        halted = f" ({status['halt_cause']})" if status["halt_cause"] else ""
        lines.append(
            f"{status['trading_state'].upper()}{halted}, mode {status['mode']}, broker "
            f"{status['broker']}, model {status['model_id']}, as of {status['last_at']}"
        )
        if shown["halt_latch"]:
            lines.append("HALT latch is set: no entry is sent, whatever the state says")
        if status["candidate_note"]:
            lines.append(f"beside it: {status['candidate_note']}")
    if account is not None:
        equity, cash = (usd(Decimal(account[name])) for name in ("equity_usd", "cash_usd"))
        lines.append(
            f"equity {equity}, cash {cash}, day {account['day_return']:+.2%}, "
            f"drawdown {account['drawdown']:.2%}"
        )
    lines += [
        f"  {held['symbol']:<6} {held['quantity']} at ${held['average_cost']}, last "
        f"${held['last_price']}, stop {held['stop_price'] or 'none'}"
        for held in shown["positions"]
    ]
    lines += [
        f"  trade {trade['trade_id']} {trade['symbol']:<6} {trade['quantity']} "
        f"{trade['exit_reason'] or 'open'} P&L {trade['pnl_usd'] or '-'}"
        for trade in shown["trades"]
    ]
    lines += [
        f"  refused {refusal['id']} {refusal['symbol']:<6} {refusal['rule']}"
        for refusal in shown["refusals"]
    ]
    lines += [
        f"  catalyst {found['catalyst_id']} {found['symbol']:<6} {found['category']}, confidence "
        f"{found['confidence']:.2f}"
        for found in shown["catalysts"]
    ]
    lines += [
        f"  headline {news['item_id']} {_reached(news)}: {news['title'][:_TITLE_CHARACTERS]}"
        for news in shown["headlines"]
    ]
    lines += [
        f"  alerts to {name}: {alerts['waiting']} wait, {alerts['given_up']} given up"
        + (f", DOWN: {alerts['down']}" if alerts["down"] else "")
        for name, alerts in shown["alerts"].items()
    ]
    lines.append(f"kill switch drill: {shown['drill']['text']}")
    return "\n".join([*lines, "funnel:", funnel_text(shown["funnel"])])
