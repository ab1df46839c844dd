"""Write `docs/reference/*.md` and `catalyst.toml` from the code: `python -m tools.reference`.

What a program can say about itself is never typed by hand; a test fails when a page is stale.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer
from pydantic import BaseModel

from catalyst_bot import cli, console
from catalyst_bot.detection import calibration, filings, noise, sources, taxonomy
from catalyst_bot.detection import reasons as r
from catalyst_bot.detection.classify import NOT_RECOGNISED
from catalyst_bot.detection.filters import FILTERS, TELLS_AN_EVENT
from catalyst_bot.detection.phrases import NOISE
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.messages.registry import COMMANDS, DECISIONS, FACTS
from catalyst_bot.engine.wiring import STAGES, overview
from catalyst_bot.features.spec import FEATURES, SPEC_HASH
from catalyst_bot.feeds.sources import SOURCES as NEWS_SOURCES
from catalyst_bot.risk import check_table
from catalyst_bot.settings import Settings
from catalyst_bot.settings_sources import ENV_PREFIX, ENV_SEPARATOR

ROOT = Path(__file__).parents[1]
MADE = "<!-- Written by `make docs` from the code; edit the code instead. -->"
SOURCES = (
    "Where a source says *roadmap*, it means the requirements this project was built from; "
    "*CONVENTIONS* and *RELIABILITY* are its design notes, kept outside this repository."
)
EXIT_CODES = (
    (console.OK, "done; for `replay --verify`: identical"),
    (1, "an error without a code of its own"),
    (console.USAGE, "the command line is wrong"),
    (console.CONFIGURATION, "configuration or input files are wrong; the message names the remedy"),
    (console.UNREACHABLE, "a configured source, broker or database cannot be reached"),
    (console.HALTED, "the run ended with trading halted"),
    (
        console.INVARIANT,
        "an invariant is violated, a journal is damaged or takes no more, or a replay diverged",
    ),
    (
        console.REFUSED,
        (
            "a gate said no: `compare` missed a threshold, `trade` or `override` was refused, "
            "`resume` has an open item, `validate` or `noise-test` did not pass"
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the configuration; `default` None means that it is not set."""

    name: str
    default: Any
    example: str
    bounds: str
    meaning: str


def documents() -> dict[str, str]:
    """Return every generated file as path relative to the repository -> text."""
    pages = {
        "settings": settings_page(),
        "messages": messages_page(),
        "wiring": wiring_page(),
        "commands": commands_page(),
        "features": features_page(),
        "categories": categories_page(),
        "filters": filters_page(),
        "sources": sources_page(),
        "risk-checks": risk_checks_page(),
    }
    made = {f"docs/reference/{name}.md": f"{MADE}\n\n{text}\n" for name, text in pages.items()}
    return {**made, "catalyst.toml": settings_file()}


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def sections() -> Iterator[tuple[str, str, list[Setting]]]:
    """Yield every section of the settings: name, what it is for, its keys."""
    for name, field in Settings.model_fields.items():
        kind: Any = field.annotation
        purpose = inspect.getdoc(kind) or ""
        keys = _model_keys(kind) if issubclass(kind, BaseModel) else _rules_keys(kind)
        yield name, purpose, keys


def _model_keys(kind: type[BaseModel]) -> list[Setting]:
    return [
        Setting(
            name=name,
            default=field.default,
            example=_toml(field.default if field.default is not None else _example(name)),
            bounds=", ".join(_bounds(field.metadata)),
            meaning=field.description or "",
        )
        for name, field in kind.model_fields.items()
    ]


def _rules_keys(kind: type) -> list[Setting]:
    return [
        Setting(
            name=field.name,
            default=field.default,
            example=_toml(field.default),
            bounds=_range(field.metadata),
            meaning=_meaning(field.metadata),
        )
        for field in dataclasses.fields(kind)
    ]


def _meaning(declared: Mapping[str, Any]) -> str:
    source = str(declared.get("source", "name recorded with every order"))
    looser = declared.get("looser")
    return f"{source}; {looser} needs approval" if looser else source


def _range(declared: Mapping[str, Any]) -> str:
    if "low" not in declared:
        return ""
    return f"{declared['low']:,} to {declared['high']:,} {declared['unit']}"


def _bounds(constraints: Iterable[Any]) -> Iterator[str]:
    words = {"gt": "above", "ge": "at least", "le": "at most"}
    for constraint in constraints:
        for name, word in words.items():
            if hasattr(constraint, name):
                yield f"{word} {getattr(constraint, name):,}"


def _example(name: str) -> object:
    return {
        "changes": 0,
        "generated_seed": 7,
        "tickers_file": Path("company_tickers.json"),
        "sentiment_model": Path("models/sentiment"),
        "finbert_dir": Path("models/finbert"),
        "knowledge_cutoff": date(2025, 6, 1),
    }[name]


def _toml(value: object) -> str:
    """Return a value as TOML writes it; Decimals as text, which keeps their digits."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return f'"{value}"'


def settings_page() -> str:
    """Every key with default, range and source."""
    parts = [
        "# Settings",
        "Precedence: command line > environment > `catalyst.toml` (or `--config FILE`) > default. "
        f"A key `risk.max_position_fraction` is `{ENV_PREFIX}RISK{ENV_SEPARATOR}"
        "MAX_POSITION_FRACTION` in the environment. An unknown key, a value outside its range and "
        "NaN are refused with exit code 3. Where *higher*, *lower* or any *other* value than the "
        "default needs approval, trading does not start with one before a person has approved it: "
        "`catalyst-bot config approve --reason '...'`. `catalyst-bot config show --origin` tells "
        "where each "
        "effective value came from. " + SOURCES,
    ]
    for name, purpose, keys in sections():
        rows = [
            (
                f"`{key.name}`",
                "not set" if key.default is None else f"`{key.example}`",
                key.bounds,
                key.meaning,
            )
            for key in keys
        ]
        parts += [f"## {name}", purpose, table(("key", "default", "range", "meaning"), rows)]
    return "\n\n".join(parts)


def settings_file() -> str:
    """The commented `catalyst.toml`: every key with its default, each switched off."""
    lines = [
        "# Every setting with its default. To change one, take away the # before its key.",
        "# Written by `make docs`; explained in docs/reference/settings.md.",
    ]
    for name, purpose, keys in sections():
        lines += ["", *(f"# {line}".rstrip() for line in purpose.splitlines()), f"[{name}]", ""]
        for key in keys:
            not_set = "not set by default" if key.default is None else ""
            told = "; ".join(filter(None, (key.bounds, key.meaning, not_set)))
            lines += [f"# {told}", f"#{key.name} = {key.example}"]
    return "\n".join(lines) + "\n"


def messages_page() -> str:
    """Every message with what it says and its fields."""
    parts = [
        "# Messages",
        (
            f"{len(FACTS)} facts (the outside says), {len(DECISIONS)} decisions (the core "
            f"concludes), {len(COMMANDS)} commands (please do this outside). What they are for: "
            "[messages](../concepts/messages.md); who listens: [wiring](wiring.md)."
        ),
    ]
    for title, kinds in (("Facts", FACTS), ("Decisions", DECISIONS), ("Commands", COMMANDS)):
        rows = [(f"`{name}`", _one_line(kind), _fields(kind)) for name, kind in kinds.items()]
        parts += [f"## {title}", table(("message", "says", "fields"), rows)]
    return "\n\n".join(parts)


def _one_line(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


def _fields(kind: type) -> str:
    return ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))


def wiring_page() -> str:
    """Which stage decides on which message, and which remembers it."""
    rows = [
        (f"`{name}`", ", ".join(deciders), ", ".join(rememberers))
        for name, deciders, rememberers in overview()
    ]
    return "\n\n".join(
        [
            "# Wiring",
            (
                f"Stages in the order in which they are asked: {', '.join(STAGES)}. All that "
                "decide on a message do so on the state before it; then all that remember it do so."
            ),
            table(("message", "decide", "remember"), rows),
        ]
    )


def commands_page() -> str:
    """Every command with its flags, and the exit codes."""
    parts = [
        "# Commands",
        (
            "Results go to standard output, progress to standard error. `--json PATH` writes the "
            "result as JSON; `-` is standard output."
        ),
    ]
    for name, command in _commands(typer.main.get_command(cli.app), "catalyst-bot"):
        parts += [f"## {name}", str(command.help or "").strip()]
        rows = [_flag(parameter) for parameter in command.params]
        if rows:
            parts.append(table(("flag", "takes", "default", "meaning"), rows))
    parts += [
        "## python -m catalyst_bot.runner",
        "The same as `catalyst-bot run`.",
        "## python -m catalyst_bot.kill",
        "The kill switch as a process of its own: [halt and resume](../how-to/halt-and-resume.md).",
        "## Exit codes",
        table(("code", "meaning"), EXIT_CODES),
    ]
    return "\n\n".join(parts)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children: Mapping[str, Any] = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child_name, child in children.items():
        yield from _commands(child, f"{name} {child_name}")


def _flag(parameter: Any) -> tuple[str, str, str, str]:
    is_option = parameter.opts[0].startswith("--")
    flag = f"`{parameter.opts[0]}`" if is_option else f"`{parameter.name.upper()}`"
    is_switch = getattr(parameter, "is_flag", False)
    takes = "" if is_switch else _takes(parameter.type_descriptor.annotation)
    needs_no_word = is_switch or parameter.default in {None, ""}
    default = "" if needs_no_word else f"`{parameter.default}`"
    if parameter.required:
        default = "required"
    return flag, takes, default, parameter.help or ""


def _takes(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{choice}`" for choice in annotation)
    several = str(annotation).startswith("list")
    name = str(annotation) if several else annotation.__name__
    word = next(
        (word for kind, word in _WORDS.items() if kind.lower() in name.lower()),
        "text",
    )
    return f"{word}, repeatable" if several else word


_WORDS = {
    "datetime": "day, as 2025-10-02",
    "Path": "path",
    "int": "whole number",
    "float": "number",
}


def features_page() -> str:
    """The table a policy sees."""
    rows = [
        (
            *(number, f"`{f.name}`", f.group, f.meaning, f.source, f.bars or "", f.needs or ""),
            *("" if f.transform == "none" else f.transform, f"{f.low:g} to {f.high:g}"),
            f"{f.neutral:g}",
        )
        for number, f in enumerate(FEATURES, start=1)
    ]
    return "\n\n".join(
        [
            "# Features",
            (
                "What a policy sees, in this order; why these is in "
                "[the concept](../concepts/features.md). The table's hash is "
                f"`{SPEC_HASH}`: a policy made for another table is refused."
            ),
            (
                "`bars` is the longest window in decision bars, `needs` the fewest bars a value is "
                "measured on; with fewer it is `neutral`. `root` is the signed square root; the "
                "range is that of the value after it, to which it is clipped."
            ),
            table(
                (
                    *("#", "name", "group", "meaning", "source", "bars", "needs"),
                    *("transform", "range", "neutral"),
                ),
                rows,
            ),
        ]
    )


def sources_page() -> str:
    """What can be named in `feeds.sources`."""
    rows = [
        (
            f"`{row.name}`",
            row.source or "its host",
            f"`{row.kind}`",
            "each company" if row.is_by_company else "",
            f"`{row.key_env}`" if row.key_env else "",
            ", ".join(f"{count} in {seconds} s" for count, seconds in row.limits),
            urlsplit(row.url).hostname or "given as `NAME=ADDRESS`",
        )
        for row in NEWS_SOURCES.values()
    ]
    header = ("name", "who says it", "kind", "asked about", "key", "requests at most", "host")
    purpose = (
        "What can be named in `feeds.sources` ([run live feeds](../how-to/run-live-feeds.md)), "
        "beside `recorded=FILE`. A key is given in the environment variable named here, or in a "
        "file whose path is in `NAME_FILE`."
    )
    return "\n\n".join(["# Sources", purpose, table(header, rows)])


def risk_checks_page() -> str:
    """Every rule an order has to pass."""
    defaults = RiskLimits()

    def told(row: check_table.Row) -> tuple[object, ...]:
        limit = f"`risk.{row.limit}` = {_toml(getattr(defaults, row.limit))}" if row.limit else ""
        may = "yes" if row.may_be_overridden else ""
        return f"`{row.name}`", row.tier, limit, row.unit, row.refusal, row.origin, may

    header = ("check", "tier", "limit", "unit", "a refusal means", "source", "override")
    return "\n\n".join(
        [
            "# Risk checks",
            (
                "Every rule an order has to pass before it is sent, in the order in which a "
                "refusal is named. All are run for every intent, and all results are journalled "
                "with limit and observed value: `catalyst-bot explain ID` shows them. A comparison "
                "with NaN never passes. *override*: a person may override one refusal, with a "
                "reason and for a time ([halt and resume](../how-to/halt-and-resume.md)). What "
                "they are for: [risk](../concepts/risk.md). " + SOURCES
            ),
            "## Entries",
            table(header, map(told, check_table.ENTRY_CHECKS)),
            "## Exits",
            (
                "Nothing else may keep a position open: exits pass halts, pauses and loss limits. "
                "An intent to sell passes `finite_inputs`, too."
            ),
            table(header, map(told, check_table.EXIT_CHECKS)),
            "## Stops of positions that have none",
            "`held_quantity`, and `stop_price`: the stop is a price above zero.",
        ]
    )


def categories_page() -> str:
    """What the detection data files say: categories, filings, sources."""
    folder = files("catalyst_bot.detection")
    texts = {
        module: (folder / module.FILE).read_text(encoding="utf-8")
        for module in (taxonomy, filings, sources, calibration)
    }
    fitted = calibration.parse_calibration(texts[calibration])
    known = calibration.calibrated(taxonomy.parse_taxonomy(texts[taxonomy]), fitted.precisions)
    read = filings.parse_filings(texts[filings], known)
    said = sources.parse_sources(texts[sources])
    sign = {1: "good", -1: "bad", 0: "from the reaction"}
    categories = [
        (
            f"`{c.name}`",
            sign[c.polarity],
            c.action,
            c.weight,
            f"**{c.precision}**" if c.name in fitted.precisions else c.precision,
            f"{c.half_life_s / 3600:.3g}",
            f"{c.horizon_s / 3600:g}",
        )
        for c in known.categories.values()
    ]
    told = [
        (reading.evidence, f"`{reading.category.name}`", reading.precision)
        for reading in (*read.items.values(), *read.forms.values())
    ]
    believed: dict[float, list[str]] = {}
    for name, credibility in sorted(said.by_name):
        believed.setdefault(credibility, []).append(name)
    return "\n\n".join(
        [
            "# Categories",
            (
                f"{len(categories)} categories; how they are used: "
                "[detection](../concepts/detection.md). *Weight* is how much such an event tends "
                "to move a price, set by hand; *precision* the probability that category and sign "
                "are right, fitted on labels where it is bold and set by hand elsewhere. "
                "*Half-life* is after how many hours half of its worth is gone, *hours* how long "
                "the effect is expected to last: a position is left then."
            ),
            table(
                ("category", "sign", "action", "weight", "precision", "half-life", "hours"),
                categories,
            ),
            "## Filings",
            "8-K items and forms, read without their text. All others are no catalyst.",
            table(("filing", "category", "precision"), told),
            "## Sources",
            f"Credibility by the beginning of the source's name; all others {said.unknown:g}.",
            table(
                ("credibility", "names"),
                [(value, ", ".join(believed[value])) for value in sorted(believed, reverse=True)],
            ),
        ]
    )


def filters_page() -> str:
    """What a headline has to pass, in order, and the reasons that come from data."""
    folder = files("catalyst_bot.detection")
    known = taxonomy.parse_taxonomy((folder / taxonomy.FILE).read_text(encoding="utf-8"))
    read = filings.parse_filings((folder / filings.FILE).read_text(encoding="utf-8"), known)
    lists = noise.parse_noise((folder / noise.FILE).read_text(encoding="utf-8"))
    told = [
        (number, row.step, f"`{row.reason}`", row.limit, row.why)
        for number, row in enumerate(FILTERS, start=1)
    ]
    of_data = sorted(
        {p.name for p in lists.phrases if p.kind == NOISE}
        | {*read.ignored_forms.values(), filings.ROUTINE, filings.AMENDED, NOT_RECOGNISED}
    )
    last = [
        (
            len(told) + 1,
            r.CATALYST,
            ", ".join(f"`{n}`" for n in of_data),
            TELLS_AN_EVENT,
            "the lists of `noise.toml` and `filings.toml`",
        ),
        (
            len(told) + 2,
            r.DEDUPED,
            f"`{r.KNOWN_STORY}`, `{r.RETRACTS}`",
            "once a story",
            "another source, a follow-up or the end of what was told",
        ),
    ]
    return "\n\n".join(
        [
            "# Filters",
            (
                "What a headline has to pass to become a catalyst, in the order in which it is "
                "asked. A refusal is a `HeadlineIgnored` with the funnel step it did not reach, "
                "the reason, the limit and what was observed; `catalyst-bot explain ID` shows it. "
                "The gates between catalyst and signal, and the checks of risk, carry limit and "
                "observed value as numbers: [settings](settings.md)."
            ),
            table(("#", "step", "reason", "allowed", "why"), (*told, *last)),
        ]
    )


def main() -> None:
    """Write every generated file."""
    for name, text in documents().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
