"""A walk forward as one page of HTML that needs nothing from elsewhere and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any

import numpy as np

from catalyst_bot.ml.portfolio.run import NO_EDGE
from catalyst_bot.ml.reports.files import Report
from catalyst_bot.ml.reports.plots import bar_plot, line_plot
from catalyst_bot.ml.validation.gates import Gate
from catalyst_bot.ml.validation.metrics import Floats, equity_of
from catalyst_bot.policies.model_files import PASSED

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;"
    "color:#1f2328;background:#fff}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid #d0d7de;"
    "vertical-align:top}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "figure{margin:1rem 0}.plot{width:100%;height:auto}.plot text{font-size:11px;fill:#57606a}"
    ".key{width:.7em;height:.7em}"
    ".yes{color:#1a7f37}.no{color:#b02a37;font-weight:600}.wide{overflow-x:auto}"
)
# (name in the JSON, words, how it is written)
_FIGURES = (
    ("sharpe", "Sharpe ratio", "ratio"),
    ("sharpe_ci", "its 95 % band", "pair"),
    ("sortino", "Sortino ratio", "ratio"),
    ("calmar", "Calmar ratio", "ratio"),
    ("annual_return", "annual return", "share"),
    ("volatility", "annual volatility", "share"),
    ("max_drawdown", "largest drawdown", "share"),
    ("win_rate", "win rate", "share"),
    ("profit_factor", "profit factor", "ratio"),
    ("trades", "trades", "count"),
    ("exposure", "mean exposure", "share"),
    ("sharpe_at_2x_costs", "Sharpe ratio at twice the costs", "ratio"),
    ("benchmark_sharpe", "benchmark: Sharpe ratio", "ratio"),
    ("benchmark_return", "benchmark: annual return", "share"),
    ("baseline_sharpe", "rule: Sharpe ratio", "ratio"),
    ("oos_to_is", "outside for inside", "ratio"),
    ("deflated_sharpe", "deflated Sharpe ratio (a chance)", "ratio"),
    ("sharpe_by_luck", "Sharpe ratio of the luckiest trial", "ratio"),
    ("trials", "trials counted", "count"),
    ("pbo", "chance of overfitting", "ratio"),
    ("seed_quartiles", "Sharpe ratio of seeds: lower, middle, upper quartile", "pair"),
    ("stability", "likeness of neighbouring folds", "ratio"),
    ("above_random", "random entries that did worse", "share"),
)


def page_of(report: Report) -> str:
    """Return the page; everything in it is escaped."""
    content = report.content
    gates = [Gate(**each) for each in content["gates"]]
    verdict = str(content["aggregate"]["verdict"])
    name = f"{escape(content['span']['oos_start'])} to {escape(content['span']['end'])}"
    sections = [
        f"<h1>Walk forward {name}: {_verdict(verdict)}</h1>",
        f"<p>{_refused(gates)}</p>",
        *_plots(report),
        "<h2>Figures of all tested quarters in a row</h2>",
        _table(("", ""), _figures(content["aggregate"])),
        "<h2>Gates</h2>",
        _table(("gate", "value", "asked", "", "evidence"), _gates(gates)),
        "<h2>Markets</h2>",
        _measures(content["regimes"]),
        "<h2>Held against</h2>",
        _measures({k: v for k, v in content["rivals"].items() if isinstance(v, Mapping)}),
        "<h2>Folds</h2>",
        _folds(content["folds"]),
        "<h2>Agents</h2>",
        _agents(content["folds"]),
        "<h2>Where it comes from</h2>",
        _table(("", ""), _sources(content)),
    ]
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Walk forward {name}</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _verdict(verdict: str) -> str:
    colour = "yes" if verdict == PASSED else "no"
    return f'<span class="{colour}">{escape(verdict)}</span>'


def _refused(gates: Sequence[Gate]) -> str:
    names = [gate.name for gate in gates if not gate.passes]
    if not names:
        return f"All {len(gates)} gates said yes."
    return f"{len(names)} of {len(gates)} gates said no: {escape(', '.join(names))}."


def _plots(report: Report) -> list[str]:
    evidence, content = report.evidence, report.content
    curve = {
        "ensemble": equity_of(evidence.returns)[1:],
        "benchmark": equity_of(evidence.benchmark)[1:],
        "rule": equity_of(evidence.baseline)[1:],
        "ensemble at twice the costs": equity_of(evidence.returns_2x)[1:],
    }
    falls = {name: -_falls(values) for name, values in list(curve.items())[:2]}
    folds = content["folds"]
    sharpes = [fold["sharpe"] or 0.0 for fold in folds]
    names = [f"{fold['test']['from']} to {fold['test']['to']}" for fold in folds]
    days = list(evidence.days)
    return [
        line_plot("Worth of 1", curve, days=days),
        line_plot("Below the peak", falls, days=days, as_percent=True),
        line_plot("Exposure", {"ensemble": evidence.exposure}, days=days, as_percent=True),
        bar_plot("Sharpe ratio of each quarter", sharpes, names),
    ]


def _falls(equity: Floats) -> Floats:
    below: Floats = 1 - equity / np.maximum.accumulate(equity)
    return below


def _figures(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(words, _written(found[name], kind)) for name, words, kind in _FIGURES]


def _written(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    if kind == "pair":
        return " to ".join(f"{each:.2f}" for each in value)
    if kind == "share":
        return f"{value:.1%}"
    return f"{value:,}" if kind == "count" else f"{value:.2f}"


def _gates(gates: Sequence[Gate]) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            gate.name,
            "-" if gate.value is None else f"{gate.value:.3g}",
            gate.threshold,
            "yes" if gate.passes else "NO",
            gate.evidence,
        )
        for gate in gates
    ]


def _measures(found: Mapping[str, Mapping[str, Any]]) -> str:
    columns = (
        *(("periods", "count"), ("sharpe", "ratio"), ("annual_return", "share")),
        *(("max_drawdown", "share"), ("volatility", "share")),
    )
    rows = [
        (name, *(_written(each[column], kind) for column, kind in columns))
        for name, each in found.items()
    ]
    return _table(("", "sessions", "Sharpe", "a year", "drawdown", "volatility"), rows)


def _folds(folds: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{fold['train']['from']} to {fold['train']['to']}",
            f"{fold['test']['from']} to {fold['test']['to']}",
            _written(fold["in_sample_sharpe"], "ratio"),
            _written(fold["sharpe"], "ratio"),
            _written(fold["return"], "share"),
            _written(fold["benchmark_return"], "share"),
            _written(fold["max_drawdown"], "share"),
            str(fold["trades"]),
            _written(fold["exposure"], "share"),
            str(fold["outcomes"].get(NO_EDGE, 0)),
        )
        for fold in folds
    ]
    header = (
        *("learned", "tested", "inside", "Sharpe", "return", "benchmark", "drawdown", "trades"),
        *("exposure", "wishes without edge"),
    )
    return f'<div class="wide">{_table(header, rows)}</div>'


def _agents(folds: Sequence[Mapping[str, Any]]) -> str:
    """Each agent over all folds: what it showed in validation, and how often it had a vote."""
    rows = []
    for name in [agent["name"] for agent in folds[0]["agents"]]:
        own = [agent for fold in folds for agent in fold["agents"] if agent["name"] == name]
        sharpes = [agent["validation_sharpe"] for agent in own]
        rows.append(
            (
                str(name),
                f"{np.mean(sharpes):.2f}",
                f"{min(sharpes):.2f} to {max(sharpes):.2f}",
                f"{np.mean([agent['weight'] > 0 for agent in own]):.0%}",
                f"{np.mean([agent['steps'] for agent in own]):,.0f}",
            )
        )
    header = ("agent", "validation Sharpe, mean", "range", "folds with a vote", "decisions")
    return _table(header, rows)


def _sources(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    history, trials = content["history"], content["trials"]
    ended = ", ".join(f"{count:,} {what}" for what, count in content["outcomes"].items())
    room = content["capacity_usd"]
    return [
        ("command", str(content["command"])),
        ("commit", str(content["commit"])),
        ("made at", str(content["made_at"])),
        ("data hash", str(history["data_hash"])),
        (
            "history",
            f"{history['symbols']} symbols, {history['first_day']} to {history['last_day']}",
        ),
        ("survivorship", str(history["survivorship"])),
        *(("flaw", str(flaw)) for flaw in history["flaws"]),
        ("ledger", f"{trials['trials']} trials in {trials['lines']} lines, hash {trials['hash']}"),
        ("seeds", ", ".join(map(str, content["seeds"]))),
        ("algorithms", ", ".join(content["algorithms"])),
        ("questions", ended),
        ("records without edge", _without_edge(content["folds"])),
        ("capacity", "-" if room is None else f"${room:,.0f}"),
    ]


def _without_edge(folds: Sequence[Mapping[str, Any]]) -> str:
    """What Kelly left nothing to: a person would review such a strategy, here it bets no more."""
    refused = [fold["outcomes"].get(NO_EDGE, 0) for fold in folds]
    models = sum(count > 0 for count in refused)
    return f"{models} of {len(folds)} models, {sum(refused):,} of their wishes refused"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header) if any(header) else ""
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _cell(text: str) -> str:
    if text in {"yes", "NO"}:
        return f'<td class="{text.lower()}">{text}</td>'
    is_number = text.replace(",", "").replace(".", "").lstrip("-").rstrip("%").isdigit()
    colour = ' class="n"' if is_number else ""
    return f"<td{colour}>{escape(text)}</td>"
