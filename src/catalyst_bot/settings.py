"""Typed configuration: `catalyst.toml`, environment, command line; anything unknown is refused.

Precedence: command line > environment (`CATALYST_RISK__MAX_POSITION_FRACTION`) > file > defaults.
The numbers of the core are declared once, in `domain/limits.py`, with range, unit and source; this
module only checks them. Secrets come from the environment or secret files, never from the file.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from catalyst_bot.domain.enums import Mode, Severity
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import (
    CostRules,
    ExecutionRules,
    RiskLimits,
    ScannerRules,
    SignalRules,
    SizingRules,
    StopRules,
)
from catalyst_bot.settings_sources import from_environment, from_file

DASHBOARD_TOKEN = "CATALYST_DASHBOARD_TOKEN"  # noqa: S105  # the name of the variable
ALERT_URL = "CATALYST_ALERT_URL_"  # with the name of the channel in capitals
PING_URL = "CATALYST_PING_URL"
STORAGE_PASSWORD = "CATALYST_STORAGE_PASSWORD"  # noqa: S105  # the name of the variable
LLM_API_KEY = "CATALYST_LLM_API_KEY"
DAILY_BARS = "daily bars"
DAILY = {
    "stops.atr_multiple": 2.0,  # CONVENTIONS; the default is for bars of five minutes
    "detection.min_horizon_s": 28 * 86_400.0,  # in days prices do not even earn what a trade costs
}
"""What decides otherwise on daily bars, where neither file nor environment nor command says."""

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

RulesT = TypeVar("RulesT")


def _refuse_unfit(rules: type) -> Callable[[Any], Any]:
    names = {item.name for item in dataclasses.fields(rules)}
    numbers = {item.name for item in dataclasses.fields(rules) if "low" in item.metadata}

    def check(given: Any) -> Any:
        values = given if isinstance(given, Mapping) else {}
        unknown = sorted(set(values) - names)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}; known keys: {', '.join(sorted(names))}")
        for name in sorted(numbers & set(values)):
            if isinstance(values[name], bool):  # pydantic would read it as 1 or 0
                raise ValueError(f"{name} = {str(values[name]).lower()} is no number")
        return given

    return check


def _within_bounds(rules: RulesT) -> RulesT:
    """Hold every number against the range it was declared with; NaN is in no range."""
    for item in dataclasses.fields(rules):  # type: ignore[arg-type]  # always a rules dataclass
        value, bounds = getattr(rules, item.name), item.metadata
        if "low" in bounds and not (bounds["low"] <= value <= bounds["high"]):
            raise ValueError(
                f"{item.name} = {value} is outside {bounds['low']} to {bounds['high']} "
                f"({bounds['unit']}; {bounds['source']})"
            )
    return rules


class RunSection(BaseModel):
    """How the bot runs."""

    model_config = _STRICT
    mode: Mode = Field(Mode.PAPER, description="backtest | paper-trading | live")
    data_dir: Path = Field(Path("data"), description="journals, catalog, halt latch")
    starting_cash_usd: Decimal = Field(
        Decimal(100_000), gt=0, le=Decimal(10) ** 12, description="usd; of the embedded account"
    )
    benchmark: str = Field("SPY", min_length=1, description="symbol the market is measured by")
    model: str = Field("rule", description="the policy: rule, a model directory or a name")
    generated_seed: int | None = Field(
        None, ge=0, description="seed of the generated market; none = recorded or live data"
    )


class BrokerSection(BaseModel):
    """Where orders go."""

    model_config = _STRICT
    kind: Literal["embedded", "alpaca"] = Field(
        "embedded", description="the venue in this process, or an Alpaca account"
    )
    fill_profile: Literal["ours", "alpaca"] = Field(
        "ours", description="how the venue in this process fills"
    )


class AlpacaSection(BaseModel):
    """The Alpaca account of broker.kind = alpaca; keys come from the environment only."""

    model_config = _STRICT
    base_url: str = Field(
        "https://paper-api.alpaca.markets", description="the paper service or this machine"
    )
    data_url: str = Field(
        "", description="prices and news; empty = Alpaca's, or base_url on this machine"
    )
    account: str = Field("", description="number of the account that is meant; empty = any paper")
    allow_live: bool = Field(
        default=False,
        description="real money: also needs run.mode = live and CATALYST_LIVE_ACCOUNT",
    )
    feed: Literal["iex", "sip"] = Field("iex", description="iex is free, sip needs a subscription")
    poll_s: float = Field(
        2.0, ge=0.05, le=60, description="s; between looks at our orders while the stream is down"
    )
    calm_poll_s: float = Field(
        15.0, ge=0.05, le=600, description="s; between looks at our orders while the stream is up"
    )
    stream_silence_s: float = Field(
        60.0, ge=5, le=600, description="s; prices silent for so long in the session: reconnect"
    )
    requests_per_min: int = Field(
        200,
        ge=60,
        le=10_000,
        description="requests a minute to each host; 20 of them only for cancels",
    )


def _without_credentials(url: str) -> str:
    """An address that is recorded in the journal must not hold a key."""
    try:
        parts = urlsplit(url)
        has_secret = bool(parts.username or parts.password or parts.query)
    except ValueError as error:
        raise ValueError("is no address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no http or https address")
    if has_secret:
        raise ValueError(f"holds a key: give it in {LLM_API_KEY} or its _FILE")
    return url.rstrip("/")


class DetectionSection(BaseModel):
    """How headlines are read."""

    model_config = _STRICT
    tickers_file: Path | None = Field(
        None, description="SEC company_tickers (json or ndjson) for filings without a symbol"
    )
    changes: int | None = Field(
        None, ge=0, description="version of reviewed changes; none = the newest, 0 = as shipped"
    )
    sentiment_model: Path | None = Field(
        None, description="folder of a text model made by `detect train`; empty = the shipped one"
    )
    encoder: str = Field(
        "", description="sentence encoder, a second reader: `installed`, or a folder; empty = off"
    )
    finbert_dir: Path | None = Field(
        None, description="folder with model.onnx, tokenizer.json and config.json; empty = off"
    )
    min_horizon_s: float = Field(
        0.0,
        ge=0,
        le=7_776_000,
        description="s; news to trade counts for at least so long: on daily bars days are short",
    )
    alert_min_score: float = Field(
        0.5, ge=0, le=1, description="news to trade raises an alert from this score on"
    )


class LlmSection(BaseModel):
    """A language model as a second reader; it can only label a catalyst or lower it."""

    model_config = _STRICT
    enabled: bool = Field(default=False, description="ask it about good news before it is traded")
    base_url: Annotated[str, AfterValidator(_without_credentials)] = Field(
        "https://api.openai.com/v1", description="any address that speaks OpenAI's protocol"
    )
    model: str = Field("", description="name of the model there; needed when enabled")
    knowledge_cutoff: date | None = Field(
        None, description="day up to which the model has read the world; needed when enabled"
    )
    allow_contaminated: bool = Field(
        default=False,
        description="ask about recorded days that the model may know; its answers are marked",
    )
    timeout_s: float = Field(2.0, ge=0.1, le=2.0, description="s; then the rules go on alone")
    daily_cap_usd: Decimal = Field(
        Decimal(1),
        ge=0,
        le=Decimal(1000),
        description="usd a day (UTC); then the rules go on alone",
    )
    usd_per_million_input: Decimal = Field(
        Decimal("0.15"), ge=0, le=Decimal(1000), description="usd per million tokens read"
    )
    usd_per_million_output: Decimal = Field(
        Decimal("0.60"), ge=0, le=Decimal(1000), description="usd per million tokens written"
    )

    @model_validator(mode="after")
    def _says_which_model(self) -> LlmSection:
        missing = [name for name in ("model", "knowledge_cutoff") if not getattr(self, name)]
        if self.enabled and missing:
            raise ValueError(f"enabled = true needs {' and '.join(missing)}")
        return self


class FeedsSection(BaseModel):
    """Live news sources; without an Alpaca account none is on by default."""

    model_config = _STRICT
    sources: tuple[str, ...] = Field(
        (), description="names of the source table; NAME=ADDRESS asks elsewhere"
    )
    symbols: tuple[str, ...] = Field(
        (), description="whom the sources that are asked by company are asked about"
    )
    edgar_url: str = Field("", description="the same as the source edgar=ADDRESS")
    edgar_contact: str = Field("", description="contact e-mail the SEC asks for")
    rss_urls: tuple[str, ...] = Field((), description="RSS or Atom addresses: rss=ADDRESS")
    json_lines_urls: tuple[str, ...] = Field(
        (), description="JSON lines, written like recorded news: json-lines=ADDRESS"
    )
    alpaca_news: bool = Field(
        default=True, description="Alpaca's news, with broker.kind = alpaca only"
    )
    poll_s: float = Field(
        60.0,
        ge=1,
        le=3600,
        description="s; between polls in the session; x 1.5 before and after it, x 3 when closed",
    )

    @property
    def asked(self) -> tuple[str, ...]:
        """Every source that is asked for, as NAME or NAME=ADDRESS."""
        return (
            *self.sources,
            *((f"edgar={self.edgar_url}",) if self.edgar_url else ()),
            *(f"rss={url}" for url in self.rss_urls),
            *(f"json-lines={url}" for url in self.json_lines_urls),
        )


class DownloadsSection(BaseModel):
    """What `data download` fetches; keys come from the environment only."""

    model_config = _STRICT
    symbols: tuple[str, ...] = Field((), description="whose recordings, when no flag names any")
    csv: str = Field(
        "",
        description="where a symbol's CSV is: https://HOST/{symbol}.csv or FOLDER/{symbol}.csv; "
        "also {lower}, {start}, {end}, {start:%Y%m%d}, and {key} for CATALYST_CSV_KEY",
    )
    csv_adjustment: str = Field(
        "adjustment unknown", description="what its vendor does to prices, in words for the card"
    )
    csv_terms: str = Field(
        "terms unknown", description="what its vendor allows, in words for the card"
    )
    edgar: str = Field(
        "", description="address of another EDGAR with {cik} in it; empty = the SEC's own"
    )


ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$")]


class AlertsSection(BaseModel):
    """Telling people, in live runs; the address of channel `ops` is CATALYST_ALERT_URL_OPS."""

    model_config = _STRICT
    channels: tuple[ChannelName, ...] = Field(
        (), description="names of channels; addresses come from the environment only"
    )
    min_severity: Severity = Field(Severity.WARNING, description="info | warning | critical")
    catalysts: bool = Field(
        default=True, description="alerts on catalysts too, not only what the bot has to say"
    )
    charts: bool = Field(default=True, description="attach a chart where the service takes files")
    spacing_s: float = Field(1.0, ge=0, le=60, description="s; between two messages on a channel")
    max_waiting: int = Field(
        200, ge=1, le=10_000, description="messages; above it the quietest are given up"
    )
    max_age_s: float = Field(
        86_400.0, ge=60, le=604_800, description="s; what waited longer is given up"
    )
    alarm_after: int = Field(
        3, ge=1, le=100, description="failed tries in a row until other channels are told"
    )
    escalate_after_s: float = Field(
        900.0,
        ge=0,
        le=86_400,
        description="s; what is critical and not answered is told again; 0 = no",
    )
    escalate_times: int = Field(3, ge=0, le=20, description="how often it is told again at most")
    escalate_to: tuple[ChannelName, ...] = Field(
        (), description="channels that hear only what nobody answered, one more each time"
    )
    ping_every_s: float = Field(
        60.0,
        ge=1,
        le=3_600,
        description="s; between pings of CATALYST_PING_URL, while the bot lives",
    )


class DashboardSection(BaseModel):
    """The page."""

    model_config = _STRICT
    enabled: bool = Field(default=True, description="serve the dashboard while running")
    host: str = Field("127.0.0.1", description="other addresses need behind_proxy = true")
    port: int = Field(8787, ge=0, le=65_535, description="0 = any free port")
    behind_proxy: bool = Field(default=False, description="a TLS proxy stands in front")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="names browsers may use besides this machine's own"
    )


def _without_password(url: str) -> str:
    """Refuse what would put a password into the journal, without repeating it."""
    try:
        has_password = urlsplit(url).password is not None
    except ValueError as error:
        raise ValueError("is no database URL") from error
    if has_password or "password=" in url:
        raise ValueError(f"holds a password: give it in {STORAGE_PASSWORD} or its _FILE")
    if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("is neither sqlite:///FILE nor postgresql+psycopg://USER@HOST/DATABASE")
    return url


class StorageSection(BaseModel):
    """Where journals lie; the password comes from the environment only."""

    model_config = _STRICT
    url: Annotated[str, AfterValidator(_without_password)] = Field(
        "",
        description="postgresql+psycopg://USER@HOST/DATABASE; empty = a file a run in data_dir",
    )


class Settings(BaseModel):
    """Everything that can be configured, section by section."""

    model_config = _STRICT
    run: RunSection = RunSection()
    broker: BrokerSection = BrokerSection()
    alpaca: AlpacaSection = AlpacaSection()
    feeds: FeedsSection = FeedsSection()
    downloads: DownloadsSection = DownloadsSection()
    detection: DetectionSection = DetectionSection()
    scanner: Annotated[
        ScannerRules, BeforeValidator(_refuse_unfit(ScannerRules)), AfterValidator(_within_bounds)
    ] = ScannerRules()
    llm: LlmSection = LlmSection()
    signals: Annotated[
        SignalRules, BeforeValidator(_refuse_unfit(SignalRules)), AfterValidator(_within_bounds)
    ] = SignalRules()
    risk: Annotated[
        RiskLimits, BeforeValidator(_refuse_unfit(RiskLimits)), AfterValidator(_within_bounds)
    ] = RiskLimits()
    sizing: Annotated[
        SizingRules, BeforeValidator(_refuse_unfit(SizingRules)), AfterValidator(_within_bounds)
    ] = SizingRules()
    stops: Annotated[
        StopRules, BeforeValidator(_refuse_unfit(StopRules)), AfterValidator(_within_bounds)
    ] = StopRules()
    execution: Annotated[
        ExecutionRules,
        BeforeValidator(_refuse_unfit(ExecutionRules)),
        AfterValidator(_within_bounds),
    ] = ExecutionRules()
    costs: Annotated[
        CostRules, BeforeValidator(_refuse_unfit(CostRules)), AfterValidator(_within_bounds)
    ] = CostRules()
    storage: StorageSection = StorageSection()
    alerts: AlertsSection = AlertsSection()
    dashboard: DashboardSection = DashboardSection()


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The effective settings and where each value came from (`section.key` -> origin)."""

    settings: Settings
    origins: Mapping[str, str]

    def as_json(self) -> str:
        """Canonical JSON of every effective value; holds no secrets, since none may be in it."""
        return self.settings.model_dump_json()

    def deciding_json(self) -> str:
        """The part that decides what a replay does: no page, no account, no place, no
        channel, no download.
        """
        return self.settings.model_dump_json(
            exclude={
                **dict.fromkeys(("dashboard", "alerts", "alpaca", "storage", "downloads"), True),
                "run": {"data_dir"},
            }
        )

    def rows(self) -> list[tuple[str, str, str]]:
        """Rows (key, value, origin) of every setting."""
        return [
            (f"{section}.{name}", str(value), self.origins[f"{section}.{name}"])
            for section, values in self.settings.model_dump(mode="json").items()
            for name, value in values.items()
        ]


def from_json(text: str) -> Settings:
    """Read settings back from `as_json` (a journal keeps them for its replay)."""
    return Settings.model_validate_json(text)


def load(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    is_daily: bool = False,
) -> LoadedSettings:
    """Merge defaults, file, environment and `overrides` (`section.key` -> value).

    With `is_daily` what nobody set is as daily bars need it (`DAILY`). Raises `ConfigError` with
    one line per problem, naming origin, key and reason.
    """
    layers = [
        {key: (DAILY_BARS, value) for key, value in DAILY.items()} if is_daily else {},
        from_file(file),
        from_environment(os.environ if environ is None else environ),
        {key: ("command line", value) for key, value in (overrides or {}).items()},
    ]
    merged: dict[str, tuple[str, Any]] = {}
    for layer in layers:
        merged.update(layer)
    tree: dict[str, dict[str, Any]] = {}
    for key, (_, value) in merged.items():
        section, _, name = key.partition(".")
        tree.setdefault(section, {})[name] = value
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, merged)) from error
    return LoadedSettings(settings, _origins(settings, merged))


def _origins(settings: Settings, merged: Mapping[str, tuple[str, Any]]) -> dict[str, str]:
    """Origin of every value; what no layer named is a default."""
    return {
        f"{section}.{name}": merged[f"{section}.{name}"][0]
        if f"{section}.{name}" in merged
        else "default"
        for section, values in settings.model_dump().items()
        for name in values
    }


def _explain(error: ValidationError, merged: Mapping[str, tuple[str, Any]]) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        named = f"{key}.{reason.split(' ')[0]}"
        origin = next(
            (o for k, (o, _) in merged.items() if k in {key, named} or key.startswith(f"{k}.")),
            next((o for k, (o, _) in merged.items() if k.startswith(key)), "defaults"),
        )
        if problem["type"] == "extra_forbidden":
            reason = "unknown key; `catalyst-bot config show` lists every key"
        lines.append(f"{origin}: {key}: {reason}")
    return "\n".join(lines)
