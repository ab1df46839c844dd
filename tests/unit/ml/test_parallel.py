from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.ml.training.parallel import mapped
from tests.unit.ml.jobs import refused, squared, where_it_ran


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_in_the_order_of_the_items_and_each_is_told(workers: int) -> None:
    told = list[tuple[int, int]]()
    found = mapped(
        squared, [3, 1, 2], workers=workers, done=lambda count, result: told.append((count, result))
    )
    assert found == [9, 1, 4]
    assert [count for count, _ in told] == [1, 2, 3]
    assert {result for _, result in told} == {9, 1, 4}


def test_several_workers_are_other_processes() -> None:
    found = mapped(where_it_ran, [0, 1], workers=2)
    assert os.getpid() not in {process for process, _ in found}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_job_is_ours(workers: int) -> None:
    with pytest.raises(BadData, match="no such history: 1"):
        mapped(refused, [0, 1], workers=workers)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray cluster of two nodes on this machine."""
    ray = pytest.importorskip("ray.cluster_utils", reason="needs Ray: make setup-ray")
    node = {"num_cpus": 1, "object_store_memory": 100_000_000}
    found = ray.Cluster(initialize_head=True, head_node_args=node)
    found.add_node(**node)
    found.wait_for_nodes()
    yield found.address
    found.shutdown()


def test_the_same_call_runs_on_both_nodes_of_a_cluster(cluster: str) -> None:
    # A process of its own: Ray speaks to this machine by the address others see, which the guard
    # of the tests does not let through.
    said = subprocess.run(
        [sys.executable, "-c", f"from tests.unit.ml import jobs; jobs.main({cluster!r})"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["squares"] == [0, 1, 4, 9, 16, 25]
    assert found["nodes"] == 2
    assert found["refused"] == "no such history: 1"


def test_a_cluster_that_is_not_there_is_refused_within_seconds() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(SourceUnreachable, match=r"cannot be reached .*ray start --head"):
            mapped(squared, [1], cluster=address)


def test_something_else_that_listens_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalyst_bot.ml.training.parallel._ANSWER_S", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(SourceUnreachable, match="no Ray cluster answers"):
            mapped(squared, [1], cluster=address)
    assert time.monotonic() - began < 60  # Ray itself gives up after two minutes


@pytest.mark.parametrize("address", ["somewhere", "host:", ":6379", "host:many", "auto"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        mapped(squared, [1], cluster=address)
