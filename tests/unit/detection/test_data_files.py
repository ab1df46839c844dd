from __future__ import annotations

import re
from itertools import product

import pytest

from catalyst_bot.detection.filings import parse_filings
from catalyst_bot.detection.noise import parse_noise
from catalyst_bot.detection.reading import SCAN_CATEGORY
from catalyst_bot.detection.roles import AS_READ, NOBODY, parse_roles
from catalyst_bot.detection.rules import RULE_FILES, make_rules
from catalyst_bot.detection.sentiment import parse_lexicon
from catalyst_bot.detection.sources import parse_sources
from catalyst_bot.detection.stories import RETRACTED
from catalyst_bot.detection.taxonomy import parse_taxonomy
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.features.scanner import KINDS
from tests.detection_rules import rules, texts

MINIMAL = """
[[category]]
name = "beat"
polarity = 1
action = "trade"
weight = 0.5
precision = 0.8
horizon_s = 3600
half_life_s = 1800
phrases = ["beats"]
"""

ROLES = """
[words]
apart = "as"
joining = "and"
pronouns = "it"
[[role]]
of = ["beat"]
phrases = ["beats"]
before = "as_read"
after = "nobody"
"""


def test_there_are_enough_signed_categories_for_every_action():
    categories = rules().classifier.taxonomy.categories.values()
    signed = [category for category in categories if category.polarity]
    assert len(signed) >= 25
    assert {category.polarity for category in categories} == {-1, 0, 1}
    assert {category.action for category in categories} == set(CategoryAction)
    for category in categories:
        assert category.action is CategoryAction.TRADE or category.polarity <= 0


def test_every_category_is_told_by_words_by_a_filing_or_by_prices():
    shipped = rules()
    told = {p.name for p in shipped.classifier.taxonomy.telling}
    filed = {
        r.category.name for r in (*shipped.filings.items.values(), *shipped.filings.forms.values())
    }
    scanned = {f"{SCAN_CATEGORY}{kind}" for pair in KINDS.values() for kind in pair}
    parts = {part for row in shipped.roles.rows for part in (row.before, row.after)}
    named = told | filed | scanned | parts - {AS_READ, NOBODY}
    assert named | {RETRACTED} == set(shipped.classifier.taxonomy.categories)


def test_every_phrase_finds_itself():
    for index in (rules().classifier.title_index,):
        for phrase in index.phrases:
            choices = [sorted(slot)[:2] or ["zz"] for slot in phrase.slots]
            text = list(next(product(*choices)))
            assert any(found is phrase for found, _, _ in index.find(text)), phrase


def test_the_classifier_id_follows_the_texts():
    changed = dict(texts())
    changed["noise.toml"] += "\n# another\n"
    other = make_rules(changed, symbols_by_cik={}, registered_names={})
    same = make_rules(texts(), symbols_by_cik={}, registered_names={})
    assert same.classifier_id == rules().classifier_id != other.classifier_id


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"lexicon\.toml"):
        make_rules(
            {name: texts()[name] for name in RULE_FILES if name != "lexicon.toml"},
            symbols_by_cik={},
            registered_names={},
        )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("polarity = 1", "polarity = 2"), "categories.toml: category 1: polarity: is 2"),
        (("polarity = 1", "polarity = 0.5"), "polarity: must be 1, 0 or -1"),
        (("polarity = 1", "polarity = true"), "polarity: must be a number"),
        (('"trade"', '"buy"'), "action: 'buy' is not one of trade, avoid, close"),
        (("precision = 0.8", "precision = 1.0"), "precision: is 1.0; must be from 0.01 to 0.99"),
        (("weight = 0.5", "weigth = 0.5"), "weigth: unknown key"),
        (('name = "beat"', 'name = ""'), "name: must be a text"),
        (('["beats"]', '"beats"'), "phrases: must be a list of texts"),
        (('["beats"]', '["top-line"]'), "phrases: 'top-line' must be one plain"),
        (('["beats"]', '["<x> up"]'), "phrases: <x> is not in [words]"),
        (("[[category]]", "words = 1\n[[category]]"), "words: must be a table"),
        (("[[category]]", "[category]"), "category: must hold at least one"),
        (("polarity = 1", "polarity ="), "is not valid TOML"),
    ],
)
def test_a_mistake_in_the_categories_is_named(change: tuple[str, str], complaint: str):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        parse_taxonomy(MINIMAL.replace(*change))


def test_a_category_defined_twice_is_refused():
    with pytest.raises(ConfigError, match="'beat' is defined twice"):
        parse_taxonomy(MINIMAL + MINIMAL)


def test_mistakes_in_the_other_files_are_named():
    taxonomy = parse_taxonomy(MINIMAL)
    with pytest.raises(ConfigError, match=r"filings\.toml: items: 2\.02: category: .* is not a"):
        parse_filings('[items]\n"2.02" = { category = "x", precision = 0.9 }', taxonomy)
    with pytest.raises(ConfigError, match=r"noise\.toml: noise: opinion: '\.\. x' must begin"):
        parse_noise('[noise]\nopinion = [".. x"]\n[voids]\nx = "not"')
    with pytest.raises(ConfigError, match=r"sources\.toml: tier: unknown: credibility"):
        parse_sources("[generic]\nwords = 'a'")
    with pytest.raises(ConfigError, match=r"roles\.toml: role 1: of: 'x' is not a category"):
        parse_roles(ROLES.replace('["beat"]', '["x"]'), taxonomy)
    with pytest.raises(ConfigError, match=r"roles\.toml: role 1: after: 'x' is not a category"):
        parse_roles(ROLES.replace('"nobody"', '"x"'), taxonomy)
    with pytest.raises(ConfigError, match=r"roles\.toml: role: must hold at least one"):
        parse_roles("[shared]", taxonomy)
    with pytest.raises(ConfigError, match="'good' is in two lists"):
        parse_lexicon('[words.a]\nweight = 1\nlist = "good"\n[words.b]\nweight = 2\nlist = "good"')
