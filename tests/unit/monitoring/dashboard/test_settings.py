"""Unsafe ways to serve the page are refused with the remedy."""

from __future__ import annotations

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings, host_name


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bot.example.com", ""])
def test_a_bind_beyond_this_machine_needs_a_proxy(host: str) -> None:
    with pytest.raises(ConfigError, match="behind_proxy"):
        DashboardSettings(host=host)
    assert DashboardSettings(host=host, behind_proxy=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_nothing(host: str) -> None:
    assert DashboardSettings(host=host).host == host


@pytest.mark.parametrize("host", ["*", "*.example.com", "bot.example.com:8787"])
def test_allowed_hosts_are_plain_names(host: str) -> None:
    with pytest.raises(ConfigError, match="allowed_hosts"):
        DashboardSettings(allowed_hosts=(host,))


def test_a_short_password_is_refused_without_being_repeated() -> None:
    with pytest.raises(ConfigError, match="6 characters") as caught:
        DashboardSettings(token="hunter")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "name"),
    [("[::1]:8787", "[::1]"), ("Bot.Example.com:1", "bot.example.com"), ("[::1", "[::1]")],
)
def test_the_port_of_a_host_header_does_not_matter(header: str, name: str) -> None:
    assert host_name(header) == name
