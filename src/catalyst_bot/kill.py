"""The out-of-band kill switch: `python -m catalyst_bot.kill --hold|--close`.

Its own process; needs neither the bot's event loop nor its database, only keys and HTTP. It sets
the HALT latch, which every submit re-checks, and then, when the orders are at Alpaca, cancels all
of them there with one request, with --close also closes every position, and looks until the broker
shows it. Exit codes: 0 done and verified; 3 the latch or the keys are not there; 4 the broker did
not answer or refused, so nothing is verified; 5 something is still open, or waits for the open.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalyst_bot.alpaca.access import PAPER_URL, stopping_access
from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.runtime import latch_file
from catalyst_bot.settings_sources import Layer, from_environment, from_file

OK, CONFIGURATION, UNREACHABLE, STILL_OPEN = 0, 3, 4, 5
EMBEDDED, ALPACA, DRY_RUN = "embedded", "alpaca", "dry_run"
WATCH_S = 5.0  # as long as a submit of the bot may be on its way
DATA_DIR = "data"
_NO_CHANNELS = frozenset({"", "()", "[]"})

if TYPE_CHECKING:
    from catalyst_bot.alpaca.kill_switch import NotStopped, Step, Stopped

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person wants: where the bot is, what to do, and how patient to be."""

    policy: PositionsPolicy
    data_dir: Path
    reason: str
    broker: str  # embedded: a living bot cancels by itself
    base_url: str = PAPER_URL
    account: str = ""  # whose number the bot trades in; empty: not known
    deadline_s: float | None = None  # at the broker; None: as long as a used-up minute takes
    watch_s: float = WATCH_S

    @property
    def closes(self) -> bool:
        """Positions go, too."""
        return self.policy is PositionsPolicy.CLOSE


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of it, for people and for machines. Times are in milliseconds; `is_attended`: a
    bot runs on the folder.
    """

    latch_ms: float | None = None
    is_attended: bool = True
    code: int = OK
    verdict: str = ""
    verified_ms: float | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    cancelled: int = 0
    closing: int = 0
    still_open: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


def set_latch(data_dir: Path, *, policy: PositionsPolicy, reason: str, by: str) -> float:
    """Set the latch and return how long it took, in milliseconds. Raises `OSError`."""
    started = time.perf_counter()
    latch_file.set_latch(data_dir, by=by, reason=reason, positions_policy=policy)
    return (time.perf_counter() - started) * 1000.0


def is_attended(data_dir: Path) -> bool:
    """Tell whether a bot runs on a folder; where that cannot be told, one may."""
    try:
        return latch_file.is_attended(data_dir)
    except OSError:
        return True


def no_bot(data_dir: Path) -> str:
    """What to say of a folder on which no bot runs: it may be the wrong one."""
    return (
        f"no bot runs on {data_dir}, its next start is halted: if one runs elsewhere, "
        "name its folder with --data-dir"
    )


def press(asked: Asked, *, by: str, say: Say, environ: Mapping[str, str]) -> Report:
    """Set the latch first, then stop the broker; never raises for what the world does."""
    started = time.perf_counter()
    report = Report(is_attended=is_attended(asked.data_dir))
    try:
        report.latch_ms = set_latch(asked.data_dir, policy=asked.policy, reason=asked.reason, by=by)
        say(
            f"HALT latch set in {asked.data_dir / latch_file.FOLDER} ({asked.policy}) in "
            f"{report.latch_ms:.1f} ms: no entry can be sent"
        )
    except OSError as error:
        problem = (
            f"NOT HALTED: the latch cannot be written: {error}; a bot that runs goes on, stop its "
            "process; check --data-dir"
        )
        report.problems.append(problem)
        report.code = CONFIGURATION
        say(problem)
    if asked.broker == ALPACA:
        _stop_broker(asked, report, started, say, environ)
    elif report.code == OK:
        report.verdict = (
            "the venue is the bot's own, which cancels within a second"
            if report.is_attended
            else no_bot(asked.data_dir)
        )
    say(report.verdict or "nothing more can be done from here")
    return report


def _stop_broker(
    asked: Asked, report: Report, started: float, say: Say, environ: Mapping[str, str]
) -> None:
    # here: the latch is set before anything is loaded that takes time
    from catalyst_bot.alpaca.kill_switch import (  # noqa: PLC0415
        DEADLINE_S,
        KillSwitch,
        NotStopped,
    )

    def tell(step: Step) -> None:
        report.steps.append({"step": step.name, "ms": step.took_ms, "detail": step.detail})
        say(f"  {step.name}: {step.detail} ({step.took_ms:.0f} ms)")

    try:
        access = stopping_access(base_url=asked.base_url, environ=environ)
    except ConfigError as error:
        _fail(report, CONFIGURATION, f"NOT CANCELLED at the broker: {error}")
        return
    deadline_s = DEADLINE_S if asked.deadline_s is None else asked.deadline_s
    with KillSwitch(access, deadline_s=deadline_s, say=tell) as switch:
        try:
            done = switch.press(closes=asked.closes)
            report.verified_ms = round((time.perf_counter() - started) * 1000.0, 1)
            if done.is_verified:
                say(f"VERIFIED after {report.verified_ms:.0f} ms: {_books(asked, done.left.kept)}")
                done = switch.watch(asked.watch_s, closes=asked.closes)
            held = () if asked.closes else switch.held()
            if asked.account:
                _check_account(asked, report, switch.ask_account())
        except NotStopped as error:
            _fail_at_broker(report, switch.stopped, error)
            return
        finally:
            report.cancelled, report.closing = switch.stopped.cancelled, switch.stopped.closing
    if done.is_verified:
        _judge(report, OK, f"verified: {_books(asked, done.left.kept)}{_still_held(held)}")
        return
    report.verified_ms = None
    report.still_open = (*done.left.orders, *done.left.positions)
    again = "" if done.left.is_waiting else "; PRESS AGAIN after the open, not all is being closed"
    what = "; ".join(report.still_open[:10])
    _judge(
        report,
        STILL_OPEN,
        f"NOT FLAT: the market is closed until {done.opens_at}; waiting for it: {what}{again}",
    )


def _fail_at_broker(report: Report, stopped: Stopped, error: NotStopped) -> None:
    report.verified_ms = None
    report.still_open = (*stopped.left.orders, *stopped.left.positions)
    code = STILL_OPEN if report.still_open and not error.is_refusal else UNREACHABLE
    _fail(report, code, f"NOT VERIFIED at the broker: {error}")


def _check_account(asked: Asked, report: Report, number: str) -> None:
    """Keys of somebody else's account stop somebody else."""
    if number != asked.account:
        _fail(
            report,
            UNREACHABLE,
            f"NOT THE BOT'S ACCOUNT: the keys are those of {number}, the bot trades in "
            f"{asked.account}: use its keys",
        )


def _books(asked: Asked, kept: Sequence[str]) -> str:
    flat = "no open order" + (" and no position" if asked.closes else "")
    return flat + (f" but {len(kept)} that leave what is held" if kept else "")


def _still_held(held: Sequence[str]) -> str:
    if not held:
        return ""
    return (
        f"; HELD WITHOUT A STOP unless the bot runs: {', '.join(held[:10])} (a running bot puts "
        "stops back; --close sells)"
    )


def _fail(report: Report, code: int, problem: str) -> None:
    report.problems.append(problem)
    report.code = report.code or code
    report.verdict = problem


def _judge(report: Report, code: int, verdict: str) -> None:
    """Say how it ended, unless something worse was said before."""
    report.code = report.code or code
    report.verdict = "; ".join([*report.problems, verdict])


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, press, say what came of it; see the module for exit codes."""
    given = _parser().parse_args(arguments)
    found = asked_by(
        policy=PositionsPolicy.CLOSE if given.close else PositionsPolicy.HOLD,
        reason=given.reason,
        environ=os.environ,
        data_dir=given.data_dir,
        config=given.config,
        broker=given.broker,
    )
    asked = replace(found, deadline_s=given.deadline_s, watch_s=given.watch_s)
    say = _note if given.json == "-" else _say
    report = press(asked, by="kill switch", say=say, environ=os.environ)
    if report.latch_ms is not None:
        where = "" if given.data_dir is None else f" --data-dir {shlex.quote(str(given.data_dir))}"
        say(f"Resume with: catalyst-bot resume --reason '...'{where}")
    text = json.dumps(report.as_dict(), indent=2)
    if given.json == "-":
        _say(text)
    elif given.json:
        _write(given.json, text)
    _tell_people(given.config, asked, report)
    return report.code


def _write(file: str, text: str) -> None:
    """Keep the report; on a full disk people are told nevertheless, and the exit code stands."""
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        _note(f"--json {file}: the report is not written: {error}; name another file, or -")


def _tell_people(config: Path | None, asked: Asked, report: Report) -> None:
    """Tell the channels what was done: the bot that would have may be the one that hangs."""
    if _configured(config, os.environ).get("alerts.channels", "()") in _NO_CHANNELS:
        return
    # last of all, because it takes a second to load
    from catalyst_bot.bootstrap.alerts import tell_at_once  # noqa: PLC0415
    from catalyst_bot.bootstrap.configuration import load_settings  # noqa: PLC0415

    try:
        settings = load_settings(config=config, data_dir=asked.data_dir).settings
    except ConfigError as error:
        _note(f"nobody is told: {error}")
        return
    latch = "latch set" if report.latch_ms is not None else "NO LATCH"
    title = f"Kill switch pressed ({asked.policy}): {latch}"
    tell_at_once(settings, title=title, text=f"{asked.reason}. {report.verdict}")


def asked_by(
    *,
    policy: PositionsPolicy,
    reason: str,
    environ: Mapping[str, str],
    data_dir: Path | None = None,
    config: Path | None = None,
    broker: str | None = None,
) -> Asked:
    """Put flags, the note of the bot that ran last, and configuration together.

    Where either of the last two names Alpaca, orders may rest there, unless the last run only
    pretended. A configuration that cannot be read stops nobody from stopping the bot.
    """
    configured = _configured(config, environ)
    folder = data_dir or Path(configured.get("run.data_dir", DATA_DIR))
    noted = latch_file.noted_broker(folder)
    is_there = noted.get("kind") == ALPACA
    may_be_there = configured.get("broker.kind") == ALPACA and noted.get("kind") != DRY_RUN
    return Asked(
        policy=policy,
        data_dir=folder,
        reason=reason,
        broker=broker or (ALPACA if is_there or may_be_there else EMBEDDED),
        base_url=noted.get("base_url") or configured.get("alpaca.base_url", PAPER_URL),
        account=noted.get("account") or configured.get("alpaca.account", ""),
    )


def _configured(file: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    readers: tuple[Callable[[], Layer], ...] = (
        lambda: from_file(file),
        lambda: from_environment(environ),
    )
    values: dict[str, str] = {}
    for read in readers:
        try:
            values |= {key: str(value) for key, (_, value) in read().items()}
        except ConfigError as error:
            _note(f"not read: {error}")
    return values


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m catalyst_bot.kill", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--hold", action="store_true", help="cancel every order, keep positions")
    what.add_argument("--close", action="store_true", help="cancel every order, close positions")
    parser.add_argument("--data-dir", type=Path, help="default: as configured, else data")
    parser.add_argument("--config", type=Path, help="settings file; default: catalyst.toml")
    parser.add_argument(
        "--broker",
        choices=(EMBEDDED, ALPACA),
        help="default: where the bot that ran last had its orders, else as configured",
    )
    parser.add_argument("--reason", default="kill switch")
    parser.add_argument("--deadline-s", type=_seconds, help="give up at the broker after so long")
    parser.add_argument(
        "--watch-s", type=_seconds, default=WATCH_S, help="look on for orders on their way"
    )
    parser.add_argument("--json", default="", help="write the report here; - is standard output")
    return parser


def _seconds(words: str) -> float:
    """Read a time that ends: with NaN or infinity the switch would never say what it came to."""
    try:
        found = float(words)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise argparse.ArgumentTypeError(f"{words}: give seconds, 0 or more, say 30")
    return found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
