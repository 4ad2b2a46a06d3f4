"""Components that no recipe can hold."""

from dataclasses import replace

from recipeforge.catalog.load import load
from recipeforge.schemas.condition import All, Compare, Holds, Not
from recipeforge.solver.impossible import impossible


def rule(pattern, code):
    return replace(
        next(r for r in load().rules.values() if r.violated_when and r.severity == "error"), code=code, violated_when=pattern, scope={}
    )


def test_every_shipped_component_can_be_used() -> None:
    assert list(impossible(load())) == []


def test_two_rules_that_leave_a_component_no_way_are_named() -> None:
    catalog = load()
    lora, bf16 = Holds("technique", ("lora",)), Holds("precision", ("bf16",))
    rules = {"RF9901": rule(All((lora, bf16)), "RF9901"), "RF9902": rule(All((lora, Not(bf16))), "RF9902")}
    told = list(impossible(replace(catalog, rules={**catalog.rules, **rules}, hash="no way for lora")))
    assert told == [("lora", ("RF9901", "RF9902"))]


def test_a_gpu_that_can_is_enough() -> None:
    catalog = load()
    only = All((Holds("technique", ("lora",)), Compare("gpu.memory_gib", "lt", 100)))
    assert list(impossible(replace(catalog, rules={**catalog.rules, "RF9903": rule(only, "RF9903")}, hash="only large ones"))) == []
    none = All((Holds("technique", ("lora",)), Compare("gpu.id", "ne", "none of them")))
    (told,) = impossible(replace(catalog, rules={**catalog.rules, "RF9903": rule(none, "RF9903")}, hash="none"))
    assert told == ("lora", ("RF9903",))
