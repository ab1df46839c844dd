from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.validation.evidence import Evidence, evidence_from, hash_of_returns
from catalyst_bot.ml.validation.findings import find
from catalyst_bot.ml.validation.gates import QUESTIONS, answered, judge, passes
from catalyst_bot.ml.validation.noise import (
    World,
    drawn_evidence,
    noise_test,
    predicted_power,
    tried,
)
from catalyst_bot.ml.validation.trials import Trial

WORLD = World(folds=24)
ONE = [tried(1, world=WORLD, seed=1)]


def good(seed: int = 6, sharpe: float = 2.3) -> Evidence:
    return drawn_evidence(sharpe, np.random.default_rng(seed), WORLD)


def verdicts(evidence: Evidence, trials: list[Trial] = ONE) -> dict[str, bool]:
    gates = judge(find(evidence, trials, draws=100))
    return {gate.name: gate.passes for gate in gates}


def refused(evidence: Evidence, trials: list[Trial] = ONE) -> set[str]:
    return {name for name, is_yes in verdicts(evidence, trials).items() if not is_yes}


def test_good_evidence_passes_every_gate():
    gates = judge(find(good(), ONE, draws=100))
    assert [gate for gate in gates if not gate.passes] == []
    assert passes(gates)
    assert len(gates) == len(QUESTIONS) + 1


def quarters(evidence: Evidence, count: int) -> Evidence:
    keep = np.array(evidence.fold) < count
    cut = int(keep.sum())
    series = ("returns", "returns_2x", "exposure", "benchmark", "baseline")
    return replace(
        evidence,
        days=evidence.days[:cut],
        fold=evidence.fold[:cut],
        regimes=evidence.regimes[:cut],
        seeds={name: each[:cut] for name, each in evidence.seeds.items()},
        candidates={name: each[:cut] for name, each in evidence.candidates.items()},
        **{name: getattr(evidence, name)[:cut] for name in series},
    )


def fallen(evidence: Evidence) -> Evidence:
    one_day = np.arange(len(evidence.days)) == 9
    return replace(evidence, returns=np.where(one_day, -0.15, evidence.returns))


def without_bears(evidence: Evidence) -> Evidence:
    lost = 0.003 * (np.array(evidence.regimes) == "bear")
    return replace(evidence, returns=evidence.returns - lost)


def only_random(evidence: Evidence) -> Evidence:
    kept = {name: each for name, each in evidence.candidates.items() if "random" in name}
    return replace(evidence, candidates=kept)


@pytest.mark.parametrize(
    ("gate", "change"),
    [
        ("out_of_sample_periods", lambda e: quarters(e, 4)),
        ("trades", lambda e: replace(e, pnl_usd=e.pnl_usd[:49])),
        ("sharpe", lambda e: replace(e, returns=e.returns + 0.003)),  # too good to be true
        ("sharpe_of_seeds", lambda e: replace(e, seeds=dict(list(e.seeds.items())[:2]))),
        ("sharpe_of_seeds", lambda e: replace(e, seeds=e.seeds | {"1": e.returns - 0.002})),
        ("sharpe_band", lambda e: replace(e, returns=e.returns - e.returns.mean())),
        ("sharpe_at_2x_costs", lambda e: replace(e, returns_2x=e.returns_2x - 0.001)),
        ("max_drawdown", fallen),
        ("profit_factor", lambda e: replace(e, pnl_usd=e.pnl_usd - 500.0)),
        ("win_rate", lambda e: replace(e, pnl_usd=np.tile([100.0, -10.0, -10.0], 50))),
        ("return_over_benchmark", lambda e: replace(e, benchmark=e.returns + 1e-5)),
        ("sharpe_over_benchmark", lambda e: replace(e, benchmark=e.returns + 1e-5)),
        ("sharpe_over_baseline", lambda e: replace(e, baseline=e.returns + 1e-5)),
        ("above_random", lambda e: replace(e, random_sharpes=np.array([0.1, 9.0, 0.2]))),
        ("above_random", lambda e: replace(e, random_sharpes=np.zeros(0))),
        ("worst_regime", without_bears),
        ("pbo", only_random),
        ("pbo", lambda e: replace(e, candidates={})),
        ("stability", lambda e: replace(e, likeness=e.likeness - 0.6)),
        ("oos_to_is", lambda e: replace(e, in_sample_sharpes=e.in_sample_sharpes * 3)),
        ("oos_to_is", lambda e: replace(e, in_sample_sharpes=e.in_sample_sharpes / 2)),
        ("oos_to_is", lambda e: replace(e, in_sample_sharpes=-e.in_sample_sharpes)),
        ("oos_to_is", lambda e: replace(e, in_sample_sharpes=e.in_sample_sharpes / 30)),
    ],
)  # fmt: skip
def test_each_gate_says_no_to_what_it_is_for(gate: str, change):
    assert gate in refused(change(good()))


def test_gains_of_a_single_quarter_are_no_steady_gain():
    evidence = good()
    first = np.array(evidence.fold) == 0
    once = np.where(first, evidence.returns + 0.02, -0.0001)
    assert "folds_that_gained" in refused(replace(evidence, returns=once))


def test_falls_make_sortino_and_calmar_say_no():
    falling = replace(good(), returns=good().returns - 0.001)
    assert {"sortino", "calmar"} <= refused(falling)


def test_only_the_number_of_trials_may_turn_a_yes_into_a_no():
    evidence = good(sharpe=1.7)
    few = verdicts(evidence)
    many = verdicts(evidence, [tried(1_000_000, world=WORLD, seed=1)])
    assert few["deflated_sharpe"]
    assert not many["deflated_sharpe"]
    assert {name for name in few if few[name] != many[name]} == {"deflated_sharpe"}


def test_a_short_record_is_too_short():
    short = quarters(good(sharpe=1.6, seed=5), 2)
    assert "track_record" in refused(short)


def test_no_evidence_is_a_no_with_that_reason():
    gate = answered("x", None, low=1.0, high=None, evidence="why")
    assert (gate.passes, gate.threshold, gate.evidence) == (False, "> 1", "no evidence: why")
    assert not answered("x", float("nan"), low=1.0, high=None, evidence="").passes
    assert not passes(())


def test_figures_are_those_of_the_arrays():
    evidence = good()
    found = find(evidence, ONE, draws=100)
    r = evidence.returns
    assert found.metrics.sharpe == pytest.approx(r.mean() / r.std(ddof=1) * 252**0.5)
    assert found.fold_returns[2] == pytest.approx(np.prod(1 + r[126:189]) - 1)
    assert found.seed_quartiles == pytest.approx(
        np.percentile(list(found.seeds.values()), (25, 50, 75))
    )
    assert found.oos_to_is == pytest.approx(
        found.metrics.sharpe / evidence.in_sample_sharpes.mean()
    )
    assert found.regimes["bear"].periods == r.size // 4
    assert found.regimes["bear"].trades is None  # not counted, which is not none
    assert found.benchmark.trades is None
    assert found.above_random == (evidence.random_sharpes < found.metrics.sharpe).mean()


def test_evidence_comes_back_from_json_and_keeps_its_hash():
    evidence = good()
    again = evidence_from(json.loads(json.dumps(evidence.to_json())))
    assert again.to_json() == evidence.to_json()
    assert again.returns_hash == evidence.returns_hash
    changed = evidence.returns.copy()
    changed[7] += 1e-6
    assert hash_of_returns(changed) != evidence.returns_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("returns"),
        lambda c: c["returns"].pop(),
        lambda c: c["returns"].__setitem__(3, None),
        lambda c: c["pnl_usd"].__setitem__(3, float("nan")),
        lambda c: c["seeds"]["0"].__setitem__(3, float("inf")),
        lambda c: c.__setitem__("candidates", [1]),
        lambda c: c.__setitem__("returns", "text"),
    ],
)
def test_damaged_evidence_is_refused(change):
    content = good().to_json()
    change(content)
    with pytest.raises(BadData):
        evidence_from(content)


def test_strategies_without_skill_are_refused_and_an_edge_passes():
    found = noise_test(0.0, strategies=40, trials=ONE, seed=1, world=WORLD)
    assert found.by_all == 0.0
    assert found.predicted < 0.05
    assert found.refused["sharpe"] == 40
    edge = noise_test(2.2, strategies=40, trials=ONE, seed=1, world=WORLD)
    assert edge.by_all > 0.5
    assert abs(edge.by_sharpe - edge.predicted) < 0.25
    assert edge.as_dict()["strategies"] == 40


def test_the_predicted_power_grows_with_skill_and_falls_with_trials():
    powers = [predicted_power(s, world=WORLD, trials=ONE) for s in (0.0, 1.0, 1.5, 2.0)]
    assert powers == sorted(powers)
    assert powers[2] == pytest.approx(0.5, abs=0.01)
    many = [tried(100_000, world=WORLD, seed=1)]
    assert predicted_power(1.8, world=WORLD, trials=many) < powers[3]
    assert predicted_power(5.0, world=WORLD, trials=ONE) < 0.01  # too good to be true
