"""Many jobs at once: on the cores of this machine, or on a Ray cluster by the same call.

A job is a plain function of a plain value, so it gives the same result here and there. On a cluster
every node needs this program with its extras, and files of a job must lie on a path all nodes see.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from catalyst_bot.domain.errors import ConfigError, SourceUnreachable

Item = TypeVar("Item")
Result = TypeVar("Result")
Done = Callable[[int, Any], None]  # how many are done, and what the last of them gave

_CONNECT_S, _ANSWER_S = 3.0, 30.0
_CLIENT = "ray://"  # a driver that is no node of the cluster
_NO_EXTRA = "training needs the learning libraries: run `make setup-ml`"
_NO_RAY = "a cluster needs Ray: run `make setup-ray`"


def mapped(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int = 1,
    cluster: str | None = None,
    done: Done | None = None,
) -> list[Result]:
    """Return the result of each item, in their order; the first error of any ends it.

    With `cluster` (`HOST:PORT`, or `ray://HOST:PORT` from outside) the jobs run on all its cores,
    else in `workers` processes of this machine. `done` is told of each result when it is here.
    Raises `SourceUnreachable` when the cluster does not answer, `ConfigError` without the extra.
    """
    if cluster is not None:
        with _joined(cluster):
            results = _on_cluster(function, items)
        for count, result in enumerate(results, start=1):
            _tell(done, count, result)
        return results
    if workers == 1 or len(items) <= 1:
        results = []
        for item in items:
            results.append(function(item))
            _tell(done, len(results), results[-1])
        return results
    Parallel, delayed = _joblib()  # noqa: N806  # the names of its classes
    found = dict[int, Result]()
    jobs = (delayed(_numbered)(function, place, item) for place, item in enumerate(items))
    for place, result in Parallel(n_jobs=workers, return_as="generator_unordered")(jobs):
        found[place] = result
        _tell(done, len(found), result)
    return [found[place] for place in range(len(items))]


def _numbered(function: Callable[[Item], Result], place: int, item: Item) -> tuple[int, Result]:
    return place, function(item)


def _tell(done: Done | None, count: int, result: object) -> None:
    if done is not None:
        done(count, result)


def _joblib() -> tuple[Any, Any]:
    try:
        from joblib import Parallel, delayed  # noqa: PLC0415  # an extra that only learning has
    except ImportError as error:
        raise ConfigError(f"{_NO_EXTRA} ({error})") from error
    return Parallel, delayed


def _on_cluster(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    from joblib import parallel_config  # noqa: PLC0415
    from ray.util.joblib import register_ray  # noqa: PLC0415

    Parallel, delayed = _joblib()  # noqa: N806
    register_ray()  # type: ignore[no-untyped-call]
    # A core a worker: Ray's own pool asks for none, and may put all its workers on one node.
    with parallel_config(backend="ray", n_jobs=-1, ray_remote_args={"num_cpus": 1}):
        results: list[Result] = Parallel()(delayed(function)(item) for item in items)
    return results


@contextmanager
def _joined(address: str) -> Iterator[None]:
    """Be the driver of a cluster; Ray itself would wait minutes for one that is not there."""
    try:
        import ray  # noqa: PLC0415  # an extra of its own
    except ImportError as error:
        raise ConfigError(f"{_NO_RAY} ({error})") from error
    _must_answer(address)
    try:
        ray.init(address=address, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SourceUnreachable(f"--cluster {address}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _must_answer(address: str) -> None:
    """Raise `SourceUnreachable` within seconds unless a cluster answers at an address."""
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"--cluster {address}: HOST:PORT or {_CLIENT}HOST:PORT is needed")
    why = "start one with `ray start --head`, or leave the flag out to train on this machine"
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise SourceUnreachable(
            f"--cluster {address}: cannot be reached ({error}); {why}"
        ) from error
    if address.startswith(_CLIENT):
        return
    asked = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(asked, check=True, capture_output=True, timeout=_ANSWER_S)  # noqa: S603
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise SourceUnreachable(f"--cluster {address}: no Ray cluster answers; {why}") from error
