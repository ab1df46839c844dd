"""The environments keep the contracts of Gymnasium and Stable-Baselines3, and their own."""

from __future__ import annotations

import mmap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.features.spec import FEATURES
from tests.panels import Case, panel_of

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
pytest.importorskip("stable_baselines3", reason="learning needs more: make setup-ml")

from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_for_sb3

from catalyst_bot.ml.env.catalyst_env import CatalystTradingEnv
from catalyst_bot.ml.env.fitting import fit_on
from catalyst_bot.ml.env.vec_env import CatalystVecEnv
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import Terms, terms_of
from catalyst_bot.settings import Settings

SETTINGS = Settings()
TERMS = terms_of(SETTINGS.model_copy(update={"stops": replace(SETTINGS.stops, atr_multiple=2.0)}))
CASES = [
    Case(symbol=symbol, bar=bar, bars=6, is_bad=bar % 5 == 0)
    for symbol in ("ACME", "BOLT")
    for bar in range(40, 280, 4)
]
SESSIONS = range(30, 260)


@pytest.fixture(scope="module")
def tape() -> Tape:
    return tape_of(panel_of(CASES), atr_length=TERMS.atr_length)


def vec_env(tape: Tape, *, terms: Terms = TERMS, **given: Any) -> CatalystVecEnv:
    asked: dict[str, Any] = {"sessions": SESSIONS, "n_envs": 16, "seed": 3} | given
    asked.setdefault("normalisation", fit_on(tape, SESSIONS))
    return CatalystVecEnv(tape, terms, **asked)


def single(tape: Tape, *, terms: Terms = TERMS, **given: Any) -> CatalystTradingEnv:
    asked: dict[str, Any] = {"sessions": SESSIONS} | given
    asked.setdefault("normalisation", fit_on(tape, SESSIONS))
    return CatalystTradingEnv(tape, terms, **asked)


def actions(seed: int, steps: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, count, 1)).astype(np.float32)


@pytest.mark.filterwarnings("ignore::UserWarning")  # advice, such as about render modes
def test_the_checkers_of_both_libraries_find_nothing(tape: Tape) -> None:
    check_env(single(tape), skip_render_check=True)
    check_for_sb3(single(tape))


def test_the_same_seed_plays_the_same_whatever_the_number_of_accounts(tape: Tape) -> None:
    chosen = actions(1, 60, 16)
    first, again, other = (vec_env(tape, seed=seed) for seed in (3, 3, 4))
    assert (first.reset() == again.reset()).all()
    assert first.observation_space.shape == (33,)
    other.reset()
    differs = False
    for step in chosen:
        ours, theirs, others = first.step(step), again.step(step), other.step(step)
        for mine, same in zip(ours[:3], theirs[:3], strict=True):
            assert (mine == same).all()
        differs = differs or bool((ours[0] != others[0]).any())
    assert differs


def test_a_single_account_plays_like_one_of_many(tape: Tape) -> None:
    many, one = vec_env(tape, n_envs=1, seed=9), single(tape, seed=9)
    seen = many.reset()[0]
    alone, _ = one.reset()
    for step in actions(2, 200, 1):
        assert (seen == alone).all()
        rows, rewards, dones, infos = many.step(step)
        alone, reward, terminated, truncated, _ = one.step(step[0])
        assert rewards[0] == np.float32(reward)
        assert bool(dones[0]) is (terminated or truncated)
        seen = rows[0]
        if dones[0]:
            assert (infos[0]["terminal_observation"] == alone).all()
            assert infos[0]["TimeLimit.truncated"] is (truncated and not terminated)
            alone, _ = one.reset()


def test_ended_episodes_are_told_in_infos_and_in_arrays(tape: Tape) -> None:
    env = vec_env(tape, most_questions=5)
    env.reset()
    ended = 0
    for step in actions(5, 40, 16):
        _, _, dones, infos = env.step(step)
        assert env.ended.tolist() == np.flatnonzero(dones).tolist()
        told = [infos[number]["terminal_observation"] for number in env.ended]
        assert np.array_equal(np.array(told).reshape(-1, 33), env.terminal_observations)
        cut = [infos[number]["TimeLimit.truncated"] for number in env.ended]
        assert cut == env.truncated.tolist()
        assert all(infos[number] == {} for number in np.flatnonzero(~dones))
        ended += len(told)
    assert ended > 50


def test_what_was_returned_is_not_written_again(tape: Tape) -> None:
    env = vec_env(tape)
    first = env.reset()
    kept = first.copy()
    for step in actions(6, 5, 16):
        env.step(step)
    assert (first == kept).all()


def test_a_state_restored_goes_on_to_the_last_bit(tape: Tape) -> None:
    env, other = vec_env(tape), vec_env(tape, seed=77)
    env.reset()
    chosen = actions(7, 60, 16)
    for step in chosen[:30]:
        seen = env.step(step)[0]
    other.reset()
    assert (other.restore(env.state()) == seen).all()
    for step in chosen[30:]:
        for mine, theirs in zip(env.step(step)[:3], other.step(step)[:3], strict=True):
            assert (mine == theirs).all()
    with pytest.raises(BadData, match="money is of"):
        vec_env(tape, n_envs=2).restore(env.state())


def test_observations_are_normalised_as_a_model_would(tape: Tape) -> None:
    normalisation = fit_on(tape, SESSIONS)
    env = single(tape, normalisation=normalisation, quiet_fraction=0.0)
    for seed in range(20):
        seen, info = env.reset(seed=seed)
        row = int(np.flatnonzero(tape.bars.closed_s == info["at_s"])[0])
        rows = tape.rows_of(info["symbol"])
        row = rows.start + row % len(rows)
        ask = int(np.flatnonzero(tape.asks.is_first & (tape.asks.row == row))[-1])
        raw = np.concatenate([[1.0, 0.0, 0.0], tape.bars.market[row], tape.asks.values[ask]])
        expected = normalisation.apply_rows(raw[None].astype(np.float64))[0]
        assert (seen == expected.astype(np.float32)).all()


def test_the_constants_are_of_the_bars_that_were_known() -> None:
    early = tape_of(
        panel_of([Case(symbol="ACME", bar=60, bars=1, early_s=60.0)]), atr_length=TERMS.atr_length
    )
    center = fit_on(early, range(60, 61)).center[3:23]
    assert center == pytest.approx(early.bars.market[59])


def test_quiet_time_shows_no_news(tape: Tape) -> None:
    env = single(tape, quiet_fraction=1.0)
    neutral = [feature.neutral for feature in FEATURES if feature.group == "catalyst"]
    constants = fit_on(tape, SESSIONS)
    expected = constants.apply([0.0] * 23 + neutral)[23:]
    for seed in range(20):
        seen, info = env.reset(seed=seed)
        assert info["is_quiet"]
        assert seen[23:] == pytest.approx(expected)


def test_episodes_begin_in_their_sessions_around_cases_and_in_quiet_time(tape: Tape) -> None:
    env = vec_env(tape, n_envs=400, quiet_fraction=0.25, sessions=range(100, 200))
    env.reset()
    place = env.state()["place"]
    rows, is_quiet = place[:, 0], place[:, 12] == 1
    sessions = tape.bars.session[rows]
    assert sessions.min() >= 100
    assert sessions.max() < 199
    assert 0.15 < is_quiet.mean() < 0.35
    assert not np.isin(rows[is_quiet], tape.asks.row).any()
    firsts = tape.asks.row[tape.asks.is_first & ~tape.asks.is_bad]
    assert np.isin(rows[~is_quiet], firsts).all()


def test_nothing_beyond_the_sessions_is_played(tape: Tape) -> None:
    env = vec_env(tape, sessions=range(100, 140))
    env.reset()
    for step in actions(8, 300, 16):
        env.step(step)
        assert tape.bars.session[env.state()["place"][:, 0]].max() < 140


def anonymous_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


@pytest.mark.skipif(not hasattr(mmap, "MADV_NOHUGEPAGE"), reason="only Linux has large pages")
def test_sessions_that_are_not_played_take_no_memory() -> None:
    symbols = [f"S{number:02}" for number in range(60)]
    cases = [Case(symbol=symbol, bar=2_910, bars=6) for symbol in symbols]
    wide = tape_of(panel_of(cases, symbols=symbols, count=3_000), atr_length=TERMS.atr_length)
    sessions = range(2_900, 2_950)

    def made() -> CatalystVecEnv:
        normalisation = fit_on(wide, sessions)
        return CatalystVecEnv(
            wide, TERMS, sessions=sessions, n_envs=16, seed=3, normalisation=normalisation
        )

    made()  # compiles
    before = anonymous_bytes()
    env = made()
    bytes_a_row = 192
    assert anonymous_bytes() - before < len(wide.bars.close) * bytes_a_row / 3
    assert env.reset().any()


def test_a_breaker_terminates(tape: Tape) -> None:
    strict = TERMS._replace(max_daily_loss_fraction=0.0005)
    env = vec_env(tape, terms=strict)
    env.reset()
    ends = {True: 0, False: 0}
    for _ in range(100):
        env.step(np.ones((16, 1), dtype=np.float32))
        for is_cut in env.truncated.tolist():
            ends[is_cut] += 1
    assert ends[False] > 20


def test_costs_and_their_penalty_lower_the_reward(tape: Tape) -> None:
    def total(**given: Any) -> float:
        env = vec_env(tape, **given)
        env.reset()
        return sum(float(env.step(step)[1].sum()) for step in actions(9, 200, 16))

    assert total(cost_penalty=2.0) < total(cost_penalty=0.0)
    free = TERMS._replace(commission_fraction=0.0, slippage_fraction=0.0)
    assert total(cost_penalty=0.0) < total(cost_penalty=0.0, terms=free)


def test_an_account_that_does_nothing_earns_nothing(tape: Tape) -> None:
    env = vec_env(tape)
    env.reset()
    for action in (0.0, 0.04, -1.0, np.nan):
        for _ in range(30):
            _, rewards, _, _ = env.step(np.full((16, 1), action, dtype=np.float32))
            assert (rewards == 0.0).all()
            assert (env.state()["money"][:, 1] == 0.0).all()


def test_what_cannot_be_played_is_refused(tape: Tape) -> None:
    fitted = fit_on(tape, SESSIONS)
    with pytest.raises(BadData, match="no question falls into"):
        fit_on(tape, range(10))
    with pytest.raises(BadData, match="no episode can begin"):
        vec_env(tape, sessions=range(10))
    with pytest.raises(ConfigError, match="bars of 300 s"):
        vec_env(tape, normalisation=replace(fitted, bar_interval_s=300))


def test_accounts_have_nothing_of_their_own_to_reach_into(tape: Tape) -> None:
    env = vec_env(tape)
    assert env.get_attr("render_mode", indices=[1, 2]) == [None, None]
    assert env.env_is_wrapped(object) == [False] * 16
    with pytest.raises(AttributeError):
        env.set_attr("ended", 1)
    with pytest.raises(AttributeError):
        env.env_method("anything")
    env.close()
