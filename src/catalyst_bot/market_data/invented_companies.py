"""The companies of the generated market: invented names, none of them listed anywhere.

Real names would make a generated headline look like news; these cannot be mistaken for any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sector(StrEnum):
    """What a company does; decides which news it can have."""

    BIOTECH = "biotech"
    DEVICES = "devices"
    SOFTWARE = "software"
    CHIPS = "chips"
    AEROSPACE = "aerospace"
    RESOURCES = "resources"
    CONSUMER = "consumer"
    INDUSTRY = "industry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An invented company; `bar_usd` is the money that changes hands in an average bar."""

    symbol: str
    name: str
    sector: Sector
    price: float
    bar_usd: float

    @property
    def short_name(self) -> str:
        """First word of the name, as headlines use it."""
        return self.name.split()[0]


def _companies(sector: Sector, *rows: tuple[str, str, float, float]) -> tuple[Company, ...]:
    return tuple(
        Company(symbol=symbol, name=name, sector=sector, price=price, bar_usd=bar_usd)
        for symbol, name, price, bar_usd in rows
    )


BENCHMARK = Company(
    symbol="MKT",
    name="Generated Market Fund",
    sector=Sector.INDUSTRY,
    price=520.0,
    bar_usd=60_000_000.0,
)

COMPANIES: tuple[Company, ...] = (
    *_companies(
        Sector.BIOTECH,
        ("AXQL", "Axquila Genetics", 3.4, 400_000.0),
        ("HLYO", "Helyora Bio", 7.9, 700_000.0),
        ("KELZ", "Kelzo Biosciences", 14.2, 900_000.0),
        ("MYRX", "Myrexa Therapeutics", 22.5, 1_500_000.0),
        ("NOVQ", "Novaquil Pharma", 5.6, 500_000.0),
        ("ORBZ", "Orbizyme Labs", 9.3, 600_000.0),
        ("PLYV", "Pelyva Therapeutics", 41.0, 2_500_000.0),
        ("TRVX", "Travixa Pharma", 12.1, 800_000.0),
        ("VRDX", "Veridax Bio", 31.7, 1_800_000.0),
        ("ZYLR", "Zylera Therapeutics", 64.3, 4_000_000.0),
    ),
    *_companies(
        Sector.DEVICES,
        ("CRDZ", "Cardizon Devices", 48.8, 2_200_000.0),
        ("NRVX", "Nervexa Medical", 17.4, 900_000.0),
        ("OPTZ", "Optizen Imaging", 26.9, 1_300_000.0),
    ),
    *_companies(
        Sector.SOFTWARE,
        ("CYBZ", "Cyberzon Security", 118.0, 9_000_000.0),
        ("DATZ", "Dataziel Systems", 36.2, 2_600_000.0),
        ("KYVO", "Kyvora Robotics", 11.8, 1_600_000.0),
        ("LMNQ", "Luminquist Software", 205.0, 14_000_000.0),
        ("NMBQ", "Nimboqua Cloud", 73.5, 6_000_000.0),
        ("QNTZ", "Quantizor Systems", 19.6, 3_000_000.0),
    ),
    *_companies(
        Sector.CHIPS,
        ("CHPZ", "Chipzenith Devices", 156.0, 12_000_000.0),
        ("SILQ", "Siliquent Semiconductor", 398.0, 25_000_000.0),
        ("WVFX", "Wavefexa Photonics", 28.3, 2_000_000.0),
    ),
    *_companies(
        Sector.AEROSPACE,
        ("ARVQ", "Arvique Aerospace", 92.0, 5_500_000.0),
        ("ORYX", "Oryxal Space", 8.7, 1_100_000.0),
        ("SKYZ", "Skyzenith Defense", 54.1, 3_200_000.0),
    ),
    *_companies(
        Sector.RESOURCES,
        ("GLDZ", "Goldzenna Mining", 6.4, 700_000.0),
        ("LITZ", "Lithzora Metals", 4.8, 600_000.0),
        ("PTQZ", "Petraquil Energy", 38.5, 2_400_000.0),
        ("SOLQ", "Solquen Power", 15.7, 1_200_000.0),
    ),
    *_companies(
        Sector.CONSUMER,
        ("BRWZ", "Brewzara Foods", 61.2, 3_500_000.0),
        ("SHPQ", "Shopquilla Stores", 44.6, 3_000_000.0),
        ("TRVQ", "Travequo Holidays", 24.4, 1_400_000.0),
        ("WERZ", "Werzalo Apparel", 33.0, 1_700_000.0),
    ),
    *_companies(
        Sector.INDUSTRY,
        ("BNKZ", "Bankzora Financial", 87.0, 7_000_000.0),
        ("FRTZ", "Fretzora Logistics", 52.7, 2_800_000.0),
        ("STLQ", "Steelquora Works", 29.9, 1_900_000.0),
    ),
)

UNLISTED = Company(  # in the news, but without a price: what a feed of the whole market brings
    symbol="ZZQX",
    name="Zizquex Holdings",
    sector=Sector.SOFTWARE,
    price=10.0,
    bar_usd=500_000.0,
)

_FIRST_CIK = 9_900_001  # above every number the SEC has given


def cik_of(company: Company) -> int:
    """Return the invented SEC number of a listed company."""
    return _FIRST_CIK + COMPANIES.index(company)
