"""Where Alpaca is and who we are there.

Keys come from the environment or from secret files and go nowhere but to Alpaca: never into
settings, journal, logs or error texts. Only Alpaca's own hosts and this machine are accepted, and
the host that trades real money only after two people-made steps: a setting and an account number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings_sources import secret

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_URL = "https://api.alpaca.markets"
LIVE_HOST = "api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
DATA_STREAM_URL = "wss://stream.data.alpaca.markets"
KEY_NAMES = ("ALPACA_API_KEY", "APCA_API_KEY_ID")
SECRET_NAMES = ("ALPACA_SECRET", "APCA_API_SECRET_KEY")
LIVE_ACCOUNT = "CATALYST_LIVE_ACCOUNT"
_LIVE_KEY, _PAPER_KEY = "AK", "PK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A place and the keys for it; the keys do not show in `repr`.

    `live_account` is the number of the account that may lose real money, empty for paper.
    """

    base_url: str
    data_url: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)
    live_account: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        return {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret}

    @property
    def is_local(self) -> bool:
        """Orders go to an exchange on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname)

    @property
    def trading_stream_url(self) -> str:
        """Address of the account's events."""
        return f"{_as_socket(self.base_url)}/stream"

    @property
    def data_stream_url(self) -> str:
        """Address that the streams of prices and news begin with."""
        return DATA_STREAM_URL if self.data_url == DATA_URL else _as_socket(self.data_url)


def access_of(
    *,
    base_url: str,
    data_url: str = "",
    environ: Mapping[str, str],
    is_live: bool = False,
    allow_live: bool = False,
) -> Access:
    """Return the access that settings and environment give.

    An empty `data_url` is the data host that belongs to `base_url`. Raises `ConfigError` for an
    address that does not fit the mode, for missing keys and for keys of the other kind.
    """
    place = _trading_url(base_url, is_live=is_live)
    is_local = is_loopback(urlsplit(place).hostname)
    key_id = _key(KEY_NAMES, environ)
    _check_kind(key_id, is_live=is_live, is_local=is_local)
    return Access(
        base_url=place,
        data_url=_data_url(data_url) if data_url else (place if is_local else DATA_URL),
        key_id=key_id,
        secret=_key(SECRET_NAMES, environ),
        live_account=_opt_in(environ, allow_live=allow_live) if is_live else "",
    )


def stopping_access(*, base_url: str, environ: Mapping[str, str]) -> Access:
    """Return the access for cancelling and closing only, which needs no second step.

    The address alone says whether it is real money: a person who stops the bot must not look for
    the steps that starting it took. Raises `ConfigError`.
    """
    is_live = base_url.rstrip("/") == LIVE_URL
    place = _trading_url(base_url, is_live=is_live)
    return Access(
        base_url=place,
        data_url=DATA_URL,
        key_id=_key(KEY_NAMES, environ),
        secret=_key(SECRET_NAMES, environ),
    )


def _trading_url(url: str, *, is_live: bool) -> str:
    """Keys are sent there, so only the one host of the mode and this machine will do."""
    plain = url.rstrip("/")
    parts = urlsplit(plain)
    wanted = LIVE_URL if is_live else PAPER_URL
    if plain == wanted or _is_here(plain):
        return plain
    if parts.hostname == LIVE_HOST and not is_live:
        raise ConfigError(
            f"alpaca.base_url = {url!r} trades real money and run.mode does not say so: use "
            f"{PAPER_URL}, or run.mode = live (see docs/how-to/alpaca-paper.md)"
        )
    if is_live:
        raise ConfigError(
            f"alpaca.base_url = {url!r}: run.mode = live needs {LIVE_URL} or an address of this "
            "machine; for paper use run.mode = paper-trading"
        )
    raise ConfigError(
        f"alpaca.base_url = {url!r}: only {PAPER_URL} or an address of this machine is accepted"
    )


def _data_url(url: str) -> str:
    plain = url.rstrip("/")
    if plain == DATA_URL or _is_here(plain):
        return plain
    raise ConfigError(
        f"alpaca.data_url = {url!r}: only {DATA_URL} or an address of this machine is accepted"
    )


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and is_loopback(parts.hostname)


def is_loopback(host: str | None) -> bool:
    """True for a name or address of this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _as_socket(url: str) -> str:
    return url.replace("http", "ws", 1)


def _check_kind(key_id: str, *, is_live: bool, is_local: bool) -> None:
    """Keys say what they are for: refuse those of the other kind before they are sent."""
    if not is_live and key_id.startswith(_LIVE_KEY):
        raise ConfigError(
            f"the key in the environment begins with {_LIVE_KEY}: it is for real money, and "
            "run.mode is not live; export the keys of a paper account"
        )
    if is_live and not is_local and key_id.startswith(_PAPER_KEY):
        raise ConfigError(
            f"the key in the environment begins with {_PAPER_KEY}: it is for a paper account, and "
            "run.mode = live"
        )


def _opt_in(environ: Mapping[str, str], *, allow_live: bool) -> str:
    """Real money needs the setting and the account number; return the number."""
    if not allow_live:
        raise ConfigError(
            "run.mode = live trades real money: set alpaca.allow_live = true, and export "
            f"{LIVE_ACCOUNT} with the number of the account"
        )
    number = environ.get(LIVE_ACCOUNT, "").strip()
    if not number:
        raise ConfigError(
            f"run.mode = live trades real money: export {LIVE_ACCOUNT} with the number of the "
            "account (alpaca.allow_live is set already)"
        )
    return number


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
