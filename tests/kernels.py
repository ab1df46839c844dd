"""A kernel module as plain Python and compiled: tests of kernels run with both."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.compiled import compiled


def plain_and_compiled(module: ModuleType) -> pytest.MarkDecorator:
    """Give a test the functions of a module as `kernel`, once plain and once compiled."""
    plain = pytest.param(SimpleNamespace(**vars(module)), id="plain")
    try:
        fast = pytest.param(SimpleNamespace(**compiled(module)), id="compiled")
    except ConfigError as error:
        fast = pytest.param(None, id="compiled", marks=pytest.mark.skip(reason=str(error)))
    return pytest.mark.parametrize("kernel", [plain, fast])
