"""What else decides an agent besides its job: this program, and the libraries beneath it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

# Raised when the same job would train another agent: checkpoints of before are refused.
PROGRAM = 2
_LIBRARIES = ("torch", "stable-baselines3", "gymnasium", "numpy", "numba")


def libraries() -> dict[str, str]:
    """Return the versions of what learning is done with, as far as it is installed."""
    found = dict[str, str]()
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # who only measures a model needs no torch
            continue
    return found
