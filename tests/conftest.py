"""What every test can rely on: reproducible examples, real data or a clear skip, no network."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests import postgres

ROOT = Path(__file__).parents[1]

LONGEST = {  # half a minute and more
    "test_kill_runs.py",
    "test_named_steps.py",
    "test_restored_journal.py",
    "test_same_trades.py",
    "test_ten_trades.py",
}
LONG = {"crash", "e2e"}  # folders
YOUNG_OBJECTS = 50_000  # made before it is looked whether they are garbage

# Journals wait for the disk at every commit. No test survives its machine, so in memory they show
# the same and wait for nothing. Workers and processes that tests start find it by the variable.
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 * 2**30  # tests write some 100 MB; a container may have 64 MB there
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
):
    # A short name: the path of a socket may have 107 characters only.
    OURS = tempfile.mkdtemp(prefix="tests-", dir=MEMORY)
    Path(OURS).chmod(0o755)  # PostgreSQL may be another user's
    os.environ["TMPDIR"] = tempfile.tempdir = OURS
else:
    OURS = ""

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.register_profile(  # for who asks only whether a test fails
    "unshrunk", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate)
)
settings.register_profile("wide", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that the workers have short tests to share in the end."""
    items.sort(key=lambda item: (item.path.name not in LONGEST, item.path.parent.name not in LONG))


def pytest_collection_finish() -> None:
    """Set aside what all the modules made, which every full look for garbage would pass over, and
    look for garbage less often: at the rate of Python it is a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def pytest_sessionfinish(exitstatus: int) -> None:
    """Give the memory back, unless there is something to look at."""
    if OURS and exitstatus == pytest.ExitCode.OK:
        atexit.register(shutil.rmtree, OURS, ignore_errors=True)  # after all who still write there


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings beside the clone, or a skip where there is none."""
    folder = Path(os.environ.get("CATALYST_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no real data here: set CATALYST_SHARED_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL of this test run, or a skip where none is installed."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Fail any test that looks up a name or connects beyond this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, method, _local_only(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", _local_names_only(socket.getaddrinfo))
        yield


def _local_only(call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *args: Any) -> Any:
        if self.family != socket.AF_UNIX and not _is_local(args[-1][0]):
            pytest.fail(f"a test tried to reach {args[-1]!r}; tests stay on this machine")
        return call(self, *args)

    return guarded


def _local_names_only(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: str | bytes | None, *args: Any, **options: Any) -> Any:
        if not _is_local(host):
            pytest.fail(f"a test tried to look up {host!r}; tests stay on this machine")
        return lookup(host, *args, **options)

    return guarded


def _is_local(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        address = ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
