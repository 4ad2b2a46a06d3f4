"""The pages of the RF0xxx family and the code that reports it say the same."""

from recipeforge.catalog.load import load
from recipeforge.documents.findings import RULES
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.documents.synonyms import KEYS, Switch
from recipeforge.documents.vocabulary import vocabulary_of


def test_every_code_has_its_page_with_the_same_slug_and_severity() -> None:
    pages = {code: (rule.slug, rule.severity) for code, rule in load().rules.items() if code.startswith("RF0")}
    assert pages == RULES


def test_every_page_shows_what_its_code_reports() -> None:
    catalog = load()
    shown = 0
    for code in RULES:
        example = catalog.rules[code].example
        # RF0020 is the solver's to report.
        if example is None or code == "RF0020":
            continue
        for text, codes in ((example.bad, [code]), (example.good, [])):
            document = parse(text)
            found = apply_ignores(document, catalog, read(document, catalog).diagnostics)
            assert [d.code for d in found] == codes, (code, text)
        shown += 1
    assert shown == 21


def test_every_synonym_leads_somewhere_in_the_shipped_catalog() -> None:
    catalog = load()
    keys = vocabulary_of(catalog).keys
    for name, target in KEYS.items():
        if isinstance(target, Switch):
            assert catalog.components[target.component].slot == target.slot, name
        else:
            assert target in keys or target in catalog.knobs, name


def test_a_key_of_eval_written_under_evaluation_moves_there() -> None:
    text = "recipeforge: 1\nmodel: gpt2\ntechnique: lora\nevaluation: {use: early-stopping, every: 50, patience: 3}\n"
    found = read(parse(text), load()).diagnostics
    assert [d.primary.text for d in found if d.code == "RF0002"] == ["did you mean `eval.every`?"]
