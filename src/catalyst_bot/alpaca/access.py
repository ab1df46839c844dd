"""Where Alpaca is and who we are there.

Keys come from the environment or from secret files and go nowhere but into request headers: never
into settings, journal, logs or error texts. Only the paper service and this machine are accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings import secret

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_HOST = "api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
KEY_NAMES = ("ALPACA_API_KEY", "APCA_API_KEY_ID")
SECRET_NAMES = ("ALPACA_SECRET", "APCA_API_SECRET_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A place and the keys for it; the keys do not show in `repr`."""

    base_url: str
    data_url: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        return {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret}


def access_of(*, base_url: str, data_url: str, environ: Mapping[str, str]) -> Access:
    """Return the access that settings and environment give.

    Raises `ConfigError` for an address that is not the paper service, and for missing keys.
    """
    return Access(
        base_url=_checked_url("alpaca.base_url", base_url, allowed=PAPER_URL),
        data_url=_checked_url("alpaca.data_url", data_url, allowed=DATA_URL),
        key_id=_key(KEY_NAMES, environ),
        secret=_key(SECRET_NAMES, environ),
    )


def _checked_url(key: str, url: str, *, allowed: str) -> str:
    """Keys are sent there, so only the one known host and this machine will do."""
    plain = url.rstrip("/")
    parts = urlsplit(plain)
    if plain == allowed or (parts.scheme in {"http", "https"} and _is_loopback(parts.hostname)):
        return plain
    if parts.hostname == LIVE_HOST:
        raise ConfigError(
            f"{key} = {url!r}: live trading is refused in this version; use {allowed}"
        )
    raise ConfigError(f"{key} = {url!r}: only {allowed} or an address of this machine is accepted")


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _key(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Return the first that is set: the variable itself, or the file that `<name>_FILE` names."""
    for name in names:
        value = (secret(name, environ) or "").strip()
        if value and not (value.isascii() and value.isprintable()):
            raise ConfigError(f"environment {name}: holds characters that no key has")
        if value:
            return value
    raise ConfigError(
        f"Alpaca needs {names[0]} in the environment (or {names[1]}, or a file named by "
        f"{names[0]}_FILE): make paper keys on alpaca.markets and export them"
    )
