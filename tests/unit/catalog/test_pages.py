"""Rule pages say what is forbidden in words, and show what others said without mangling it."""

import dataclasses

import pytest

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.conditions import parse_condition
from recipeforge.catalog.pages import Places, components_page, rule_page, rules_index
from recipeforge.catalog.words import change_words, clauses, pattern_of, scope_words
from recipeforge.render.component_page import component_page
from recipeforge.schemas.change import Change


@pytest.fixture
def catalog(cited_pack):
    return compile_packs([cited_pack])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"technique": "full"}, ["`technique` is `full`"]),
        ({"not": {"technique": "full"}}, ["`technique` is not `full`"]),
        ({"technique": ["lora", "dora"]}, ["`technique` is `lora` or `dora`"]),
        ({"not": {"technique": ["lora", "dora"]}}, ["`technique` is neither `lora` nor `dora`"]),
        ({"quantization": {"tag": "bnb"}}, ["`quantization` is one of the `bnb` ones (`bnb-4bit` or `bnb-8bit`)"]),
        ({"not": {"quantization": {"tag": "bnb"}}}, ["`quantization` is none of the `bnb` ones (`bnb-4bit` or `bnb-8bit`)"]),
        ({"export": {"any": True}}, ["`export` is given"]),
        ({"export": {"none": True}}, ["`export` is empty"]),
        ({"batch.micro": {"gt": 1, "le": 8}}, ["`batch.micro` is above 1", "`batch.micro` is at most 8"]),
        ({"not": {"batch.micro": {"gt": 1}}}, ["`batch.micro` is not above 1"]),
        ({"data.packing": True}, ["`data.packing` is true"]),
        ({"train.steps": {"set": False}}, ["`train.steps` is not set"]),
        ({"gpu.dtypes": {"lacks": "bf16"}}, ["`gpu.dtypes` does not have bf16"]),
        (
            {"technique": "full", "not": {"any": [{"batch.micro": 1}, {"batch.micro": 2}]}},
            ["`technique` is `full`", "`batch.micro` is not 1", "`batch.micro` is not 2"],
        ),
        ({"not": {"all": [{"batch.micro": 1}, {"technique": "full"}]}}, ["`batch.micro` is not 1 or `technique` is not `full`"]),
        (
            {"any": [{"technique": "full"}, {"all": [{"batch.micro": 1}, {"technique": "lora"}]}]},
            ["`technique` is `full` or (`batch.micro` is 1 and `technique` is `lora`)"],
        ),
        (
            {"predicate": "rank-beyond-hidden"},
            [
                "the adapter's rank exceeds the hidden size, "
                "so it is larger than the matrix that it adapts (`technique.rank`, `model.hidden`)"
            ],
        ),
    ],
)
def test_conditions_in_words(written, said, words, vocabulary):
    assert clauses(words, parse_condition(written, "here", vocabulary)) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("add", slot="quantization", component="bnb-4bit"), "add `quantization: bnb-4bit`"),
        (Change("drop", slot="kernels", component="liger"), "remove `liger` from `kernels`"),
        (Change("drop", knob="train.steps"), "remove `train.steps`"),
        (Change("replace", slot="technique", component="lora", previous="qlora"), "put `lora` in place of `qlora` (`technique`)"),
        (Change("set", knob="data.packing", value=False), "set `data.packing: false`"),
    ],
)
def test_changes_in_words(change, said):
    assert change_words(change) == said


def test_scopes_in_words(catalog):
    rule = dataclasses.replace(catalog.rules["RF1001"], scope={"axolotl": "", "peft": ">=0.10", "torchtune": "not"})
    assert scope_words(rule) == ["recipes that say `framework: axolotl`", "`peft` >=0.10", "not recipes that say `framework: torchtune`"]
    assert scope_words(catalog.rules["RF1001"]) == []


def test_a_page_has_every_section_in_order(catalog):
    page = rule_page(catalog, catalog.rules["RF1001"])
    headings = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["Forbids", "Why", "Bad", "Use instead", "Fix safety", "Scope", "Evidence", "Since", "Accept it anyway"]
    for text in (
        "**error**: QLoRA needs a 4-bit base, not ‹quantization›",
        "> QLoRA freezes a 4-bit base",
        "[example](https://example.org/qlora) (EV-0001, T2, docs, read 2026-11-21)",
        "- **Add bnb 4-bit** (safe): add `quantization: bnb-4bit`.",
        "# forge: ignore[RF1001]",
    ):
        assert text in page


def test_a_rule_of_one_unconfirmed_origin_says_so(catalog):
    rule = dataclasses.replace(catalog.rules["RF1001"], tier="T3")
    assert "**info (claimed as error, but only one unconfirmed origin says so)**" in rule_page(catalog, rule)
    assert "| info (T3) |" in rules_index(dataclasses.replace(catalog, rules={"RF1001": rule}))


def test_quotes_are_not_read_as_markdown(catalog):
    claim = catalog.claims["EV-0001"]

    def page(**fields):
        return rule_page(dataclasses.replace(catalog, claims={"EV-0001": dataclasses.replace(claim, **fields)}), catalog.rules["RF1001"])

    assert r"> \*all\* of \<b\> \| \[x\]" in page(quote="*all* of <b> | [x]")
    assert "> ````text\n> a ``` b\n> c\n> ````" in page(quote="a ``` b\nc", kind="source-code")
    assert "language zh, speaks for peft" in page(language="zh", speaks_for="peft")
    assert "Withdrawn: the page is gone" in page(withdrawn="the page is gone")


def test_rules_about_the_file_have_a_page_too(catalog):
    rule = dataclasses.replace(catalog.rules["RF1001"], code="RF0002", violated_when=None, evidence=(), fixes=(), tier="T1", example=None)
    page = rule_page(catalog, rule)
    assert "Found while the file is read" in page and "offers a correction" in page and "this project's own" in page


def test_index_and_components_list_everything(catalog):
    assert "| [RF1001](qlora-without-4bit-base.md) |" in rules_index(catalog)
    page = components_page(catalog)
    assert all(f"[`{id_}`](" in page for id_ in catalog.components)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (("budget.memory_gib",), "the estimated peak memory exceeds `budget.memory_gib`"),
        (
            ("budget.memory_gib", "gpu.memory_gib"),
            "the estimated peak memory exceeds the smallest known of `budget.memory_gib` and `gpu.memory_gib`",
        ),
    ],
)
def test_budgets_in_words(limits, said, catalog):
    rule = dataclasses.replace(catalog.rules["RF1001"], budget="memory", budget_limits=limits, violated_when=None)
    assert pattern_of(catalog, rule) == [said]


def test_names_are_links_only_where_their_pages_can_be_opened(catalog):
    rule, places = catalog.rules["RF1001"], Places(rules="", components="../components/")
    page, plain = rule_page(catalog, rule, places), rule_page(catalog, rule)
    assert "[`technique`](../components/index.md#technique) is [`qlora`](../components/qlora.md)" in page
    assert "`model.quantized`" not in plain and "](../" not in plain
    for section in ("## Why", "## Bad", "## Use instead", "## Evidence"):
        assert page.split(section)[1].split("\n## ")[0] == plain.split(section)[1].split("\n## ")[0]
    component = catalog.components["qlora"]
    assert "- [RF1001](../rules/qlora-without-4bit-base.md)" in component_page(catalog, component, Places("../rules/", ""))
    assert "- RF1001 `qlora-without-4bit-base`" in component_page(catalog, component)
    assert "| [`qlora`](qlora.md) |" in components_page(catalog, Places("../rules/", ""))
    assert f"| [`qlora`]({component.url}) |" in components_page(catalog)
