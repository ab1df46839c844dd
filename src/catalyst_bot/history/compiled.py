"""The plain functions of a module, compiled: the same code for a history as for one decision.

Only research needs numba, so nothing else imports it.
"""

from __future__ import annotations

import inspect
import sys
from functools import cache
from hashlib import sha256
from types import FunctionType, ModuleType
from typing import Any

from catalyst_bot.domain.errors import ConfigError

# Functions are put into their callers, because handing over many arrays costs more than most of
# them do; a division by zero gives infinity, as in arrays, so that loops need not look for it.
_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "forceinline": True,
    "error_model": "numpy",
}
BORROWS = "BORROWS"  # a module that says so only looks at its arrays: no reference is counted
_NO_EXTRA = "computing over a history needs numba: run `make setup-research`"


@cache
def compiled(module: ModuleType) -> dict[str, Any]:
    """Return the names of a module with its functions compiled, each seeing the compiled others.

    Functions that it imports from other modules of ours are compiled as well. No fast math, no
    fused operations: results have the bits of the plain functions. Machine code is kept beside the
    module. Raises `ConfigError` when numba is not installed.
    """
    try:
        from numba import njit  # noqa: PLC0415  # an extra that only research has
    except ImportError as error:
        raise ConfigError(_NO_EXTRA) from error
    names, version = dict(vars(module)), _version(module)
    options = _OPTIONS | ({"_nrt": False} if names.get(BORROWS) else {})
    for name, function in vars(module).items():
        if not isinstance(function, FunctionType):
            continue
        if function.__module__ == module.__name__:
            copy = FunctionType(function.__code__, names, name, function.__defaults__)
            copy.__qualname__ = f"{name}_{version}"
            names[name] = njit(**options)(copy)
        elif function.__module__.startswith("catalyst_bot."):
            names[name] = compiled(sys.modules[function.__module__])[function.__name__]
    return names


@cache
def _version(module: ModuleType) -> str:
    """A hash of the options, the module's text and numbers, and of all whose functions it imports.

    It is part of the name under which machine code is kept: numba itself would go on using code
    with an imported function or number in it after that changed.
    """
    imported = {
        value.__module__
        for value in vars(module).values()
        if isinstance(value, FunctionType) and value.__module__.startswith("catalyst_bot.")
    } - {module.__name__}
    theirs = (_version(sys.modules[name]) for name in sorted(imported))
    numbers = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, int | float | tuple)
    }
    texts = "\0".join((repr((_OPTIONS, numbers)), inspect.getsource(module), *theirs))
    return sha256(texts.encode()).hexdigest()[:12]
