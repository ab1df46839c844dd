"""Where the dashboard listens and whom it answers; unsafe combinations are refused at start."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from catalyst_bot.domain.errors import ConfigError

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
MIN_TOKEN_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """Settings of the web server.

    `allowed_hosts` are names without port that browsers may use besides this machine's own.
    `token` is a password: with it the page asks before it shows anything, and again to resume.
    `behind_proxy` says that something in front ends TLS and decides who comes in.

    Raises:
        ConfigError: a bind beyond this machine without `behind_proxy`, a wildcard host, or a
            token short enough to guess.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    allowed_hosts: tuple[str, ...] = ()
    token: str | None = None
    behind_proxy: bool = False

    def __post_init__(self) -> None:
        if not self.behind_proxy and not is_loopback(self.host):
            raise ConfigError(
                f"dashboard.host = {self.host!r} would serve the page beyond this machine without "
                "TLS; keep 127.0.0.1 and use an SSH tunnel, or put a proxy in front and set "
                "dashboard.behind_proxy = true"
            )
        if any("*" in host or ":" in host for host in self.allowed_hosts):
            raise ConfigError(
                f"dashboard.allowed_hosts = {self.allowed_hosts!r} must be plain names without "
                "port or wildcard, such as 'bot.example.com'"
            )
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise ConfigError(
                f"dashboard.token has {len(self.token)} characters; use {MIN_TOKEN_LENGTH} or more"
            )

    def allows(self, host_header: str) -> bool:
        """Whether a request with this Host header is meant for us, whatever its port.

        A page of another site that points its own name at this machine (DNS rebinding) is told
        apart by exactly this.
        """
        name = host_name(host_header)
        return name in LOCAL_HOSTS or name in {host.lower() for host in self.allowed_hosts}


def is_loopback(host: str) -> bool:
    """Whether binding to `host` keeps the server on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host_header: str) -> str:
    """Return the name of a Host header in lower case, without port; IPv6 keeps its brackets."""
    text = host_header.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]
