"""The linter finds each kind of fault, and nothing in a sound pack."""

import dataclasses

import pytest

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.lint import lint
from recipeforge.catalog.load import SHIPPED_PACKS
from recipeforge.schemas.change import Change
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.condition import Compare, Holds, IsSet, Predicate
from recipeforge.schemas.rule import FixTemplate


@pytest.fixture
def sound(cited_pack):
    return compile_packs([cited_pack])


def changed(catalog, group, key, **fields):
    """Return the catalog with one item changed."""
    items = dict(getattr(catalog, group))
    items[key] = dataclasses.replace(items[key], **fields)
    return dataclasses.replace(catalog, **{group: items})


def test_a_sound_pack_has_no_finding(sound, cited_pack):
    assert lint(sound, [cited_pack]) == []


@pytest.mark.parametrize(
    ("group", "key", "fields", "says"),
    [
        ("slots", "optimizer", {"default": "adamv"}, "slot optimizer: its default 'adamv' is no component of it"),
        ("slots", "optimizer", {"id": "optimiser"}, "slot optimiser: no component fills it"),
        ("slots", "optimizer", {"description": "No stop"}, "slot optimizer: description does not end with a full stop"),
        ("knobs", "technique.rank", {"components": ("lorra",)}, "knob technique.rank: 'lorra' is no component of technique"),
        ("knobs", "technique.rank", {"default": 0}, "knob technique.rank: 0 is below the minimum 1"),
        ("knobs", "technique.rank", {"choices": (1, 2.5)}, "knob technique.rank: 2.5 is not a whole number"),
        ("knobs", "technique.rank", {"path": "tecnique.rank"}, "knob tecnique.rank: 'tecnique' is neither a slot nor one of"),
        ("knobs", "technique.bias", {"values": ()}, "an enum has `values`"),
        ("components", "lora", {"slot": "tecnique"}, "component lora: there is no slot 'tecnique'"),
        ("components", "lora", {"url": "http://x"}, "does not start with https://"),
        ("components", "lora", {"aliases": ("DoRA",)}, "the name 'dora' already means 'lora'"),
        ("components", "lora", {"effects_source": ""}, "effects without effects_source"),
        ("components", "lora", {"description": "x"}, "component lora: description does not end with a full stop"),
        ("rules", "RF1001", {"code": "RF1000"}, "RF1000: no family has this number"),
        ("rules", "RF1001", {"budget": "memory"}, "a budget rule belongs to the RF8 family"),
        ("rules", "RF1001", {"violated_when": None}, "RF1001: nothing violates it"),
        ("rules", "RF1001", {"evidence": ()}, "RF1001: no evidence"),
        ("rules", "RF1001", {"evidence": ("EV-0001", "EV-9999")}, "RF1001: evidence EV-9999 is no claim"),
        ("rules", "RF1001", {"why": " "}, "RF1001: `why` is empty"),
        ("rules", "RF1001", {"example": None}, "RF1001: no example"),
        ("rules", "RF1001", {"message": "on {gpu.titel}"}, "message: '{gpu.titel}' is no slot, knob or fact"),
        ("rules", "RF1001", {"message": "needs {estimate_gib}"}, "message: '{estimate_gib}' is no slot, knob or fact"),
        ("rules", "RF1001", {"message": "on {gpu.title"}, "a brace without its partner"),
        ("rules", "RF1001", {"scope": {"No Package": ""}}, "scope 'No Package' is neither a framework nor a package name"),
        ("rules", "RF1001", {"budget_limits": ("gpu.ram",)}, "limit 'gpu.ram' is no knob or fact"),
        ("rules", "RF1001", {"violated_when": Holds("technique", ("adamw",))}, "'adamw' is no component of technique"),
        ("rules", "RF1001", {"violated_when": Compare("technique.bias", "eq", "som")}, "technique.bias never is 'som'"),
        ("rules", "RF1001", {"violated_when": Compare("gpu.ram", "eq", 1)}, "'gpu.ram' is no knob or fact"),
        ("rules", "RF1001", {"violated_when": IsSet("gpu.id")}, "'gpu.id' is no knob"),
        ("rules", "RF1001", {"violated_when": Predicate("nope")}, "there is no predicate 'nope'"),
        (
            "rules",
            "RF1001",
            {"fixes": (FixTemplate("t", (Change("add", slot="optimizer", component="lora"),), "safe"),)},
            "a fix names 'lora'",
        ),
        (
            "rules",
            "RF1001",
            {"fixes": (FixTemplate("t", (Change("set", knob="x.y", value=1),), "safe"),)},
            "a fix names 'x.y', which is no knob",
        ),
        ("claims", "EV-0001", {"id": "EV-1"}, "EV-1: a claim's id is EV- and four digits"),
        ("claims", "EV-0001", {"quote": "x" * 301}, "the quote has 301 characters, at most 300"),
        ("claims", "EV-0001", {"url": "http://x"}, "EV-0001: url 'http://x' does not start with https://"),
        ("claims", "EV-0001", {"retrieved": "21.11.2026"}, "retrieved '21.11.2026' is no date"),
        ("claims", "EV-0001", {"quote": "QLoRA freezes a 4-bit Base"}, "does not contain the quote"),
        ("claims", "EV-0001", {"excerpt_sha256": "0"}, "its hash differs"),
    ],
)
def test_one_fault_is_found(group, key, fields, says, sound, cited_pack):
    findings = lint(changed(sound, group, key, **fields), [cited_pack])
    assert any(says in finding for finding in findings), findings


def test_companions_are_slugs(sound, cited_pack):
    example = dataclasses.replace(sound.rules["RF1001"].example, companions=("nope",))
    assert lint(changed(sound, "rules", "RF1001", example=example), [cited_pack]) == ["RF1001: companion 'nope' is no rule's slug"]


def test_an_empty_half_of_an_example_is_found(sound, cited_pack):
    example = dataclasses.replace(sound.rules["RF1001"].example, good="\n")
    assert lint(changed(sound, "rules", "RF1001", example=example), [cited_pack]) == ["RF1001: the example needs a bad and a good recipe"]


def test_budget_messages_may_insert_both_numbers(sound, cited_pack):
    rule = dataclasses.replace(
        sound.rules["RF1001"],
        code="RF8001",
        slug="b",
        budget="memory",
        budget_limits=("gpu.memory_gib",),
        message="{estimate_gib} of {limit_gib}",
    )
    assert lint(dataclasses.replace(sound, rules={"RF1001": sound.rules["RF1001"], "RF8001": rule}), [cited_pack]) == []


def test_a_missing_excerpt_and_an_orphan_are_found(sound, cited_pack):
    (cited_pack / "excerpts" / "EV-0001.txt").rename(cited_pack / "excerpts" / "EV-0002.txt")
    assert lint(sound, [cited_pack]) == [
        "EV-0001: excerpts/EV-0001.txt is missing; make it with dev/cite.py",
        "excerpts/EV-0002.txt: no claim cites it",
    ]


def test_an_excerpt_that_is_no_text_is_found(sound, cited_pack):
    (cited_pack / "excerpts" / "EV-0001.txt").write_bytes(b"\xff")
    assert lint(sound, [cited_pack]) == ["EV-0001: excerpts/EV-0001.txt is not UTF-8"]


def test_a_claim_is_used_or_withdrawn(sound, cited_pack):
    unused = dataclasses.replace(sound.claims["EV-0001"], id="EV-0002")
    (cited_pack / "excerpts" / "EV-0002.txt").write_bytes((cited_pack / "excerpts" / "EV-0001.txt").read_bytes())

    def with_claim(claim: Claim):
        return lint(dataclasses.replace(sound, claims={**sound.claims, claim.id: claim}), [cited_pack])

    assert with_claim(unused) == ["EV-0002: no rule uses it"]
    assert with_claim(dataclasses.replace(unused, withdrawn="the page is gone")) == []


def test_two_rules_may_not_share_a_slug(sound, cited_pack):
    twin = dataclasses.replace(sound.rules["RF1001"], code="RF1002")
    both = dataclasses.replace(sound, rules={**sound.rules, "RF1002": twin})
    assert lint(both, [cited_pack]) == ["RF1002: the slug 'qlora-without-4bit-base' is taken by RF1001"]


def test_the_shipped_words_have_no_finding(words, words_dir):
    assert lint(words, [words_dir]) == []
    assert len(words.components) >= 100


def test_the_shipped_packs_have_no_finding():
    catalog = compile_packs(SHIPPED_PACKS)
    assert lint(catalog, SHIPPED_PACKS) == []
    assert len(catalog.rules) >= 80 and len(catalog.claims) >= 80
