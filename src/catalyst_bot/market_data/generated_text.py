"""What the generated market's news says: press-wire templates by kind of event.

All of it was written for this file; `str.format` fills in invented names and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.market_data.invented_companies import Sector

_MEDICAL = frozenset({Sector.BIOTECH, Sector.DEVICES})
_TECHNICAL = frozenset({Sector.SOFTWARE, Sector.CHIPS, Sector.AEROSPACE})
_EVERYONE = frozenset(Sector)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalystKind:
    """A kind of event: its mean effect as a log return, who can have it, and how it is told.

    `frequency` is relative to the other kinds; `titles` are the company's own words, `rewrites`
    those of a newsdesk a little later.
    """

    category: str
    effect: float
    frequency: float = 1.0
    sectors: frozenset[Sector]
    titles: tuple[str, ...]
    rewrites: tuple[str, ...]
    body: str


CATALYSTS: tuple[CatalystKind, ...] = (
    CatalystKind(
        category="fda_approval",
        effect=0.08,
        sectors=frozenset({Sector.BIOTECH}),
        titles=(
            "{company} Receives FDA Approval for {product} for the Treatment of {condition}",
            "FDA Approves {company}'s {product} in {condition}",
        ),
        rewrites=("FDA approves {short}'s {product}", "{short} wins FDA approval for {product}"),
        body="the U.S. Food and Drug Administration has approved {product} for {condition}. "
        "The company expects the first patients to be treated next month.",
    ),
    CatalystKind(
        category="fda_approval",
        effect=0.06,
        sectors=frozenset({Sector.DEVICES}),
        titles=(
            "{company} Receives FDA 510(k) Clearance for Its {product} System",
            "{company} Announces FDA Clearance of {product}",
        ),
        rewrites=("FDA clears {short}'s {product} system",),
        body="the U.S. Food and Drug Administration has cleared its {product} system. "
        "The company expects the first deliveries next month.",
    ),
    CatalystKind(
        category="trial_success",
        effect=0.09,
        sectors=frozenset({Sector.BIOTECH}),
        titles=(
            "{company}'s {product} Meets Primary Endpoint in Phase 3 Trial in {condition}",
            "{company} Announces Positive Topline Results from Phase 2 Study of {product}",
        ),
        rewrites=("{short}'s {product} hits main goal in late-stage {condition} study",),
        body="its trial of {product} in {condition} met the primary endpoint with statistical "
        "significance (p<0.001) and was well tolerated.",
    ),
    CatalystKind(
        category="trial_failure",
        effect=-0.13,
        frequency=0.4,
        sectors=frozenset({Sector.BIOTECH}),
        titles=(
            "{company} Says {product} Did Not Meet Primary Endpoint in Phase 3 Trial",
            "{company} Discontinues {product} Program After Trial Failure",
        ),
        rewrites=("{short} drug {product} fails late-stage study",),
        body="its Phase 3 trial of {product} in {condition} failed to meet the primary endpoint. "
        "The company will discontinue the program.",
    ),
    CatalystKind(
        category="contract_award",
        effect=0.055,
        sectors=_TECHNICAL,
        titles=(
            "{company} Awarded ${usd} Million Contract by {agency}",
            "{company} Wins ${usd} Million {agency} Contract",
            "{agency} Selects {company} for ${usd} Million Program",
        ),
        rewrites=("{short} lands ${usd} million contract with {agency}",),
        body="{agency} has awarded it a contract worth ${usd} million over three years.",
    ),
    CatalystKind(
        category="partnership",
        effect=0.045,
        frequency=0.6,
        sectors=_EVERYONE,
        titles=(
            "{company} and {partner} Announce Strategic Partnership",
            "{company} Signs Exclusive Multi-Year Collaboration Agreement with {partner}",
        ),
        rewrites=("{short} teams up with {partner} in multi-year deal",),
        body="it has entered into a strategic partnership with {partner}, "
        "including an upfront payment of ${usd} million.",
    ),
    CatalystKind(
        category="earnings_beat",
        effect=0.06,
        sectors=_EVERYONE - {Sector.BIOTECH},
        titles=(
            "{company} Reports Record Fourth Quarter Revenue, Beats Estimates",
            "{company} Posts Fourth Quarter Earnings Above Expectations; Revenue Up {percent}%",
        ),
        rewrites=("{short} Q4 earnings beat estimates, revenue up {percent}%",),
        body="fourth quarter revenue grew {percent}% to a record ${usd} million; "
        "earnings per share exceeded the consensus estimate.",
    ),
    CatalystKind(
        category="earnings_miss",
        effect=-0.06,
        frequency=0.3,
        sectors=_EVERYONE - {Sector.BIOTECH},
        titles=(
            "{company} Reports Fourth Quarter Results Below Expectations",
            "{company} Misses Fourth Quarter Estimates as Revenue Falls {percent}%",
        ),
        rewrites=("{short} Q4 earnings miss estimates",),
        body="fourth quarter revenue fell {percent}%; earnings per share missed the consensus "
        "estimate.",
    ),
    CatalystKind(
        category="guidance_raise",
        effect=0.055,
        sectors=_EVERYONE - {Sector.BIOTECH},
        titles=(
            "{company} Raises Full-Year 2025 Guidance",
            "{company} Raises 2025 Revenue Outlook on Strong Demand",
        ),
        rewrites=("{short} lifts 2025 forecast",),
        body="it has raised its full-year 2025 revenue guidance by {percent}%, citing strong "
        "demand.",
    ),
    CatalystKind(
        category="guidance_cut",
        effect=-0.07,
        frequency=0.3,
        sectors=_EVERYONE - {Sector.BIOTECH},
        titles=(
            "{company} Lowers Full-Year 2025 Guidance",
            "{company} Cuts 2025 Outlook Citing Weak Demand",
        ),
        rewrites=("{short} slashes 2025 forecast",),
        body="it has lowered its full-year 2025 revenue guidance by {percent}%, citing weak "
        "demand.",
    ),
    CatalystKind(
        category="merger",
        effect=0.10,
        frequency=0.25,
        sectors=_EVERYONE,
        titles=(
            "{company} to Be Acquired by {partner} in All-Cash Transaction",
            "{company} Enters Definitive Merger Agreement with {partner}",
        ),
        rewrites=("{partner} agrees to buy {short}",),
        body="it has entered into a definitive agreement to be acquired by {partner} in an "
        "all-cash transaction at a premium of {percent}%.",
    ),
    CatalystKind(
        category="discovery",
        effect=0.06,
        sectors=frozenset({Sector.RESOURCES}),
        titles=(
            "{company} Announces Major Discovery at Its {place} Project",
            "{company} Reports High-Grade Drill Results at {place}",
        ),
        rewrites=("{short} reports major discovery at {place}",),
        body="drilling at its {place} project has confirmed a major discovery, well above the "
        "grade of its resource estimate.",
    ),
    CatalystKind(
        category="offering",
        effect=-0.09,
        frequency=0.3,
        sectors=_MEDICAL | {Sector.RESOURCES},
        titles=(
            "{company} Announces Proposed Public Offering of Common Stock",
            "{company} Announces Pricing of ${usd} Million Public Offering of Common Stock",
        ),
        rewrites=("{short} to sell stock in public offering",),
        body="it has commenced an underwritten public offering of its common stock. All of the "
        "shares are being offered by the company.",
    ),
    CatalystKind(
        category="investigation",
        effect=-0.08,
        frequency=0.15,
        sectors=_EVERYONE,
        titles=(
            "{company} Discloses SEC Investigation into Its Accounting",
            "{company} Receives Subpoena from the Department of Justice",
        ),
        rewrites=("{short} faces federal accounting investigation",),
        body="it has received a subpoena in a federal investigation of its accounting practices "
        "and is cooperating.",
    ),
)
OPINIONS = (
    "Why {company} Stock Is Moving Today",
    "Is {company} Stock a Buy Now?",
    "3 Stocks to Watch This Week: {short} and Two More",
    "{short} Shares: What Investors Need to Know",
    "Here's What Traders Are Saying About {company}",
    "SHAREHOLDER ALERT: Law Firm Reminds Investors in {company} ({symbol}) of Deadline",
)
ROUTINE = (
    "{company} to Present at Upcoming Investor Conference",
    "{company} to Host Annual Meeting of Stockholders",
    "{company} Names New Vice President of Human Resources",
    "{company} Declares Regular Quarterly Dividend",
    "{company} Publishes Annual Sustainability Report",
)
FILINGS = ("4", "10-K", "SCHEDULE 13G/A", "144", "DEF 14A")
CONDITIONS = ("Chronic Migraine", "Severe Asthma", "Ulcerative Colitis", "Lupus", "Heart Failure")
AGENCIES = ("U.S. Air Force", "NASA", "Department of Energy", "U.S. Navy", "U.S. Army")
PARTNERS = ("Orlanquist Group", "Fennimoor Industries", "Calvessano", "Kestrelmoor Holdings")
PLACES = ("Silver Ridge", "Lago Blanco", "Copperwood", "Mount Ardent")
CITIES = ("BOSTON", "SAN DIEGO", "AUSTIN", "DENVER", "NEW YORK", "SEATTLE")
