"""`catalyst-bot simulate`: the whole bot against seeded schedules of faults."""

# ruff: noqa: PLC0415  # typer: a parameter per flag; quick --help

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Json
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from catalyst_bot.trials.report import Request, Summary

SEEDS = "0..200"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("simulate")(simulate)


def simulate(
    seeds: Annotated[str, typer.Option(help="A..B: schedules A to B - 1")] = SEEDS,
    seed: Annotated[int | None, typer.Option(min=0, help="one schedule; with --trace")] = None,
    faults: Annotated[str, typer.Option(help="all, none, or NAME,NAME,…")] = "all",
    planted_bug: Annotated[
        str | None, typer.Option(help="hunt a bug put in on purpose; all: each")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; default: all cores")] = None,
    *,
    soak: Annotated[
        float, typer.Option(min=0, help="one life of so many hours of the session; see --seed")
    ] = 0.0,
    trace: Annotated[bool, typer.Option("--trace", help="tell one schedule as a story")] = False,
    json_: Json = "",
) -> None:
    """Play schedules of faults against the whole bot; exit code 6 when a promise was broken, 7 when
    a fault that was to happen never did, or a planted bug was not found.
    """

    def action() -> int:
        from catalyst_bot.bootstrap.simulating import EVERY_BUG, request_of
        from catalyst_bot.trials.report import as_json, play_all

        if not math.isfinite(soak):
            raise ConfigError(f"--soak {soak}: give hours that end, say 24")
        if planted_bug == "":  # an unset variable, say: nothing would be hunted
            raise ConfigError("--planted-bug is empty: name a bug, or leave it out")
        chosen = seeds if seed is None else f"{seed}..{seed + 1}"
        request = request_of(seeds=chosen, faults=faults, planted_bug=planted_bug or "")
        if soak:
            _refuse_with_soak(
                {
                    "--seeds": seeds != SEEDS,
                    "--planted-bug": bool(planted_bug),
                    "--jobs": jobs is not None,
                    "--trace": trace,
                }
            )
            return _soak(request, soak, json_)
        if seed is not None and seeds != SEEDS:
            raise ConfigError(f"--seed {seed} and --seeds {seeds}: give one of them")
        if trace:
            if seed is None:
                raise ConfigError("--trace tells one schedule: name it with --seed N")
            return _tell(request, seed)
        count = jobs or os.cpu_count() or 1
        if planted_bug == EVERY_BUG:
            return _hunt(request, count, json_)
        total = play_all(request, jobs=count, on_progress=_progress)
        if json_:
            console.write_json(as_json(total, request), json_)
        if json_ != "-":
            _say(total, request)
        return _code_of(total, request)

    console.guarded(action)


def _code_of(total: Summary, request: Request) -> int:
    """What looked for nothing, or for a bug that it did not find, is no success."""
    if total.violations:
        return console.INVARIANT
    if request.planted_bug:
        console.note(f"--planted-bug {request.planted_bug}: not found; play more seeds")
        return console.REFUSED
    return console.REFUSED if total.unseen(request.faults) else console.OK


def _tell(request: Request, seed: int) -> int:
    from catalyst_bot.trials.report import as_story, tell

    outcome = tell(request, seed)
    for line in as_story(outcome.story):
        console.say(line)
    for each in outcome.violations:
        console.say(f"BROKEN at step {each.step}: {each.invariant}: {each.detail}")
    console.say(
        f"{outcome.steps} steps, {outcome.lives} lives, journal {outcome.journal_hash[:16]}"
    )
    return console.INVARIANT if outcome.violations else console.OK


def _refuse_with_soak(given: dict[str, bool]) -> None:
    found = ", ".join(flag for flag, is_given in given.items() if is_given)
    if found:
        raise ConfigError(f"--soak is one life of the bot, drawn by --seed: leave out {found}")


def _soak(request: Request, hours: float, json_: str) -> int:
    """Live for hours; exit code 6 when a promise was broken, 7 when something grows, or the life
    was too short to tell.
    """
    from catalyst_bot.trials import soak

    told = soak.soak(request, hours, on_sample=lambda sample: console.note(sample.as_words()))
    if json_:
        console.write_json(told.as_json(), json_)
    for each in told.violations:
        console.say(f"step {each.step}: {each.invariant}: {each.detail}")
    if json_ != "-":
        for line in soak.as_lines(told):
            console.say(line)
    if told.violations:
        return console.INVARIANT
    return console.OK if told.is_warm and not told.leaks else console.REFUSED


def _hunt(request: Request, jobs: int, json_: str) -> int:
    """Hunt every planted bug; exit code 7 when one is not found."""
    from catalyst_bot.trials.report import hunt

    found: dict[str, dict[str, object] | None] = {}
    for name, broken in hunt(request, jobs=jobs):
        row: dict[str, object] | None = None
        if broken:
            row = {"seed": broken.seed, "step": broken.step, "invariant": broken.invariant}
        found[name] = row
        what = f"seed {broken.seed}: {broken.invariant}" if broken else "NOT FOUND"
        console.note(f"{name}: {what}")
    if json_:
        console.write_json({"seeds": len(request.seeds), "bugs": found}, json_)
    count = sum(row is not None for row in found.values())
    console.say(f"{count} of {len(found)} planted bugs found within {len(request.seeds)} schedules")
    return console.OK if count == len(found) else console.REFUSED


def _progress(total: Summary) -> None:
    latest = f"; the last: seed {total.violations[-1].seed}" if total.violations else ""
    console.note(
        f"{total.seeds} seeds, {total.steps} steps, {len(total.violations)} broken promises, "
        f"{total.seconds:.0f} s{latest}"
    )


def _say(total: Summary, request: Request) -> None:
    for each in total.violations:
        console.say(f"seed {each.seed}, step {each.step}: {each.invariant}: {each.detail}")
    if unseen := total.unseen(request.faults):
        console.say(f"faults that were never seen: {', '.join(unseen)}")
    speed = total.steps / total.seconds if total.seconds else 0.0
    console.say(
        f"{total.seeds} schedules, {total.steps} steps, {sum(total.faults.values())} faults, "
        f"{total.lives} lives, {len(total.violations)} broken promises in {total.seconds:.0f} s "
        f"({speed:.0f} steps/s)"
    )
