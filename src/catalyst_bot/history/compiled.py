"""The plain functions of a module, compiled: the same code for a history as for one decision.

Only research needs numba, so nothing else imports it.
"""

from __future__ import annotations

from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from catalyst_bot.domain.errors import ConfigError

_NO_EXTRA = "computing features over a history needs numba: run `make setup-research`"


@cache
def compiled(module: ModuleType) -> dict[str, Any]:
    """Return the names of a module with its functions compiled, each seeing the compiled others.

    No fast math, no fused operations: results have the bits of the plain functions. Machine code is
    kept beside the module. Raises `ConfigError` when numba is not installed.
    """
    try:
        from numba import njit  # noqa: PLC0415  # an extra that only research has
    except ImportError as error:
        raise ConfigError(_NO_EXTRA) from error
    names = dict(vars(module))
    for name, function in vars(module).items():
        if isinstance(function, FunctionType) and function.__module__ == module.__name__:
            copy = FunctionType(function.__code__, names, name, function.__defaults__)
            names[name] = njit(cache=True, nogil=True)(copy)
    return names
