"""The trading process: flags -> request -> replay -> result and exit code.

`python -m catalyst_bot.runner` and `catalyst-bot run` are the same command. What a run needs is
imported when one is asked for, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalyst_bot import console
from catalyst_bot.domain.enums import Mode, TradingState
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from catalyst_bot.bootstrap.live import LiveRequest
    from catalyst_bot.bootstrap.parts import Outcome
    from catalyst_bot.bootstrap.run import ReplayRequest

_YOUNG_OBJECTS = 50_000  # that may gather before they are looked through: a few milliseconds' work


class BrokerName(StrEnum):
    """Choices of --broker."""

    EMBEDDED = "embedded"
    ALPACA = "alpaca"


def parse_speed(text: str) -> float | None:
    """`max` is None; a number is replayed seconds per second. Raises `ConfigError` otherwise."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ConfigError(f"--speed {text}: give a number above 0 (60 = a minute a second) or max")
    return speed


def run(
    mode: Annotated[Mode | None, typer.Option(help="default: paper-trading")] = None,
    broker: Annotated[BrokerName | None, typer.Option(help="default: embedded")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="decide, never submit")] = False,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day to replay")
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="last day, included"),
    ] = None,
    bars: Annotated[list[Path] | None, typer.Option(help="bar files or a catalog")] = None,
    news: Annotated[list[Path] | None, typer.Option(help="news files or a catalog")] = None,
    model: Annotated[str | None, typer.Option(help="rule, a model folder or name")] = None,
    speed: Annotated[str, typer.Option(help="60 = a minute a second; max")] = "max",
    exit_: Annotated[bool, typer.Option("--exit", help="end with the replay")] = False,
    json_: Annotated[str, typer.Option("--json", help="write the result here; - is stdout")] = "",
    config: Annotated[Path | None, typer.Option(help="settings file")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="journals, catalog, HALT latch")] = None,
    journal: Annotated[str | None, typer.Option(help="file, name or URL of this run")] = None,
) -> None:
    """Run the bot: a replay of recorded days with --from, --to, --bars, --news, or live feeds."""

    def action() -> int:
        from catalyst_bot.bootstrap.requests import Asked, live_feeds_of, recorded_replay

        asked = Asked(
            mode=mode,
            broker=broker,
            is_dry_run=dry_run,
            first_day=start.date() if start else None,
            last_day=end.date() if end else None,
            bars=tuple(bars or ()),
            news=tuple(news or ()),
            model=model,
            speed=parse_speed(speed),
            config=config,
            data_dir=data_dir,
            journal=journal,
        )
        if asked.first_day is None and not (asked.bars or asked.news):
            return follow(live_feeds_of(asked), json_path=json_)
        return perform(recorded_replay(asked), stays=not exit_, json_path=json_)

    console.guarded(action)


def perform(request: ReplayRequest, *, stays: bool, json_path: str) -> int:
    """Replay, write the result where asked; return the exit code."""
    from catalyst_bot.bootstrap.serving import replay_and_serve

    settle_memory()
    outcome = replay_and_serve(request, stays=stays, say=console.note, on_result=_writer(json_path))
    return _code(outcome)


def follow(request: LiveRequest, *, json_path: str) -> int:
    """Follow live feeds until stopped, write the result where asked; return the exit code."""
    from catalyst_bot.bootstrap.serving import follow_and_serve

    settle_memory()
    outcome = follow_and_serve(request, say=console.note, on_result=_writer(json_path))
    return _code(outcome)


def settle_memory() -> None:
    """Take what is loaded out of the garbage collector's sight: it lives as long as the run.

    Otherwise each full collection walks all of it, and an order waits 60 to 90 ms for that. Young
    objects are looked through seldom: nearly all die by themselves, and each look costs an order.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


def _writer(json_path: str) -> Callable[[dict[str, Any]], None]:
    """Writes the result. Raises `ConfigError` before the run when there is nowhere to write it."""
    console.must_be_a_file("--json", json_path)

    def on_result(result: dict[str, Any]) -> None:
        if json_path:
            console.write_json(result, json_path)

    return on_result


def _code(outcome: Outcome) -> int:
    """Exit code 5 when the run ended halted."""
    return console.HALTED if outcome.trading_state is TradingState.HALTED else console.OK


def main() -> None:
    """Entry point of `python -m catalyst_bot.runner`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(run)
    app(console.spread_lists(sys.argv[1:]), prog_name="python -m catalyst_bot.runner")


if __name__ == "__main__":
    main()
