"""Packs load as written; whatever is wrong with one is said with file, line and item."""

import subprocess
import sys

import pytest

from recipeforge.catalog.compile import compile_packs, content_hash
from recipeforge.catalog.load import SHIPPED_PACKS, forget, load
from recipeforge.schemas.change import Change
from recipeforge.schemas.condition import All, AnyOf, Compare, Holds, Not
from recipeforge.schemas.errors import CatalogError

HEAD = "- code: RF1001\n  slug: a-b\n  severity: error\n  message: m\n  why: w.\n"


def message_of(pack):
    with pytest.raises(CatalogError) as caught:
        compile_packs([pack])
    return str(caught.value)


def test_a_pack_of_words_has_its_slots_knobs_and_components(words):
    assert list(words.slots)[:3] == ["technique", "objective", "quantization"]
    assert words.knobs["batch.micro"].choices == (1, 2, 4, 8, 16, 32)
    assert words.components["bnb-4bit"].slot == "quantization"
    assert [c.id for c in words.members("precision")][:5] == ["fp32", "bf16", "fp16", "pure-bf16", "fp8"]
    assert not words.rules and not words.claims and not words.gpus


def test_a_rule_becomes_its_pattern_with_tier_and_changes(cited_pack):
    catalog = compile_packs([cited_pack])
    rule = catalog.rules["RF1001"]
    four_bit = tuple(c.id for c in catalog.members("quantization") if "4-bit" in c.tags)
    assert four_bit[:6] == ("bnb-4bit", "gptq", "awq", "hqq", "torchao-int4", "mxfp4")
    assert rule.violated_when == All((Holds("technique", ("qlora",)), Not(Holds("quantization", four_bit))))
    assert rule.tier == "T2" and rule.effective_severity == "error"
    assert rule.fixes[0].changes == (Change("add", slot="quantization", component="bnb-4bit"),)
    assert rule.example is not None and rule.example.companions == ()


def test_forbid_stands_with_or_without_when(pack, write):
    write(
        "rules/x.yaml",
        HEAD
        + "  when: {technique: lora}\n  forbid: {batch.micro: [1, 2]}\n"
        + HEAD.replace("1001", "1002").replace("a-b", "c")
        + "  forbid: {technique: full}\n",
    )
    rules = compile_packs([pack]).rules
    either = AnyOf((Compare("batch.micro", "eq", 1), Compare("batch.micro", "eq", 2)))
    assert rules["RF1001"].violated_when == All((Holds("technique", ("lora",)), either))
    assert rules["RF1002"].violated_when == Holds("technique", ("full",))


def test_a_budget_rule_has_limits_and_no_condition(pack, write):
    write("rules/x.yaml", HEAD.replace("1001", "8001") + "  budget: memory\n  limits: [budget.memory_gib, gpu.memory_gib]\n")
    rule = compile_packs([pack]).rules["RF8001"]
    assert (rule.budget, rule.budget_limits, rule.violated_when) == ("memory", ("budget.memory_gib", "gpu.memory_gib"), None)


def test_a_rule_about_the_file_needs_no_evidence_to_be_an_error(pack, write):
    write("rules/file.yaml", HEAD.replace("1001", "0002"))
    rule = compile_packs([pack]).rules["RF0002"]
    assert rule.violated_when is None and rule.effective_severity == "error"


def test_every_operation_of_a_fix_finds_its_slot(pack, write):
    changes = (
        "[{add: bnb-4bit}, {drop: liger}, {replace: {lora: dora}}, {set: {batch.micro: 2, budget.wall_clock: 2h}}, {unset: train.steps}]"
    )
    write("rules/x.yaml", HEAD + f"  forbid: {{technique: full}}\n  fixes: [{{title: t, safety: unsafe, changes: {changes}}}]\n")
    assert compile_packs([pack]).rules["RF1001"].fixes[0].changes == (
        Change("add", slot="quantization", component="bnb-4bit"),
        Change("drop", slot="kernels", component="liger"),
        Change("replace", slot="technique", component="dora", previous="lora"),
        Change("set", knob="batch.micro", value=2),
        Change("set", knob="budget.wall_clock", value=7200.0),
        Change("drop", knob="train.steps"),
    )


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        ("", "needs exactly one of `require`, `forbid` and `budget`, has none"),
        ("  forbid: {technique: full}\n  require: {technique: lora}\n", "has require and forbid"),
        ("  forbid: {technique: ful}\n", "forbid.technique: no component is called 'ful'; did you mean 'full'?"),
        (
            "  when: {technique: {tag: adaptor}}\n  forbid: {technique: full}\n",
            "when.technique: no tag is called 'adaptor'; did you mean 'adapter'?",
        ),
        ("  forbid: {technique: full}\n  evidnce: [EV-0001]\n", "no key is called 'evidnce'; did you mean 'evidence'?"),
        ("  forbid: {technique: full}\n  evidence: EV-0001\n", "evidence: Input should be a valid"),
        ("  forbid: {technique: full}\n  severity: error\n", "the key 'severity' is written twice"),
        ("  forbid: {technique: full}\n  scope: {peft: newest}\n", "scope.peft: 'newest' is no version specifier"),
        ("  forbid: {technique: full}\n  scope: {peft: not}\n", "scope.peft: `not` excludes a framework"),
        ("  forbid: {technique: full}\n  stage: alpha\n", "stage: Input should be 'preview'"),
        ("  forbid: {technique: full}\n  limits: [gpu.memory_gib]\n", "`limits` belongs to a rule with `budget`"),
        ("  budget: memory\n", "`budget` needs `limits`"),
        ("  budget: memry\n  limits: [gpu.memory_gib]\n", "did you mean 'memory'?"),
        ("  budget: memory\n  limits: [gpu.memory]\n", "limits: no knob or fact is called 'gpu.memory'"),
        ("  budget: memory\n  limits: [gpu.memory_gib]\n  when: {technique: full}\n", "a budget rule has `limits`, not `when`"),
        ("  forbid: {technique: full}\n  example: {bad: x}\n", "example.good: Field required"),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: sure, changes: [{add: lora}]}]\n",
            "fixes.0.safety: Input should be 'safe'",
        ),
        ("  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: []}]\n", "fixes[0]: changes: the list is empty"),
        ("  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{}]}]\n", "changes[0]: empty"),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{ad: lora}]}]\n",
            "no operation is called 'ad'; did you mean 'add'?",
        ),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{add: lorra}]}]\n",
            "no component is called 'lorra'; did you mean 'lora'?",
        ),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{replace: {lora: adamw}}]}]\n",
            "drop one and add the other",
        ),
        ("  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{replace: lora}]}]\n", "takes {old: new}"),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{set: {batch.mico: 1}}]}]\n",
            "no knob is called 'batch.mico'",
        ),
        (
            "  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{set: {batch.micro: 0}}]}]\n",
            "set.batch.micro: 0 is below the minimum 1",
        ),
        ("  forbid: {technique: full}\n  fixes: [{title: t, safety: safe, changes: [{unset: steps}]}]\n", "no knob is called 'steps'"),
    ],
)
def test_a_wrong_rule_is_named_with_file_and_line(tail, says, pack, write):
    path = write("rules/x.yaml", "# one comment line\n" + HEAD + tail)
    message = message_of(pack)
    assert message.startswith(f"{path}:")
    assert "written twice" in message or message.startswith(f"{path}:2: RF1001: ")
    assert says in message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("RF1001", "RF101", "a code is RF and four digits"),
        ("slug: a-b", "slug: A_b", "is not lower-case words joined by hyphens"),
        ("severity: error", "severity: fatal", "severity: Input should be 'error', 'warning' or 'info'"),
        ("  why: w.\n", "", "the key 'why' is missing"),
        ("message: m", "message: 4", "message: Input should be a valid string, not 4"),
        ("message: m", 'message: "a\\nb"', "one line, please"),
        ("RF1001", "RF0001", "a rule of the RF0 family is reported by the reader"),
    ],
)
def test_a_wrong_head_is_named(old, new, says, pack, write):
    write("rules/x.yaml", HEAD.replace(old, new) + "  forbid: {technique: full}\n")
    assert says in message_of(pack)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- id: [", ": not valid YAML: "),
        ("- id: x\n   bad: y\n", ":2: not valid YAML"),
        ("id: x\n", ":1: a pack file is a list; begin each item with `- `"),
        ("- lora\n", ":1: an item is a mapping of keys to values"),
        ("- {id: x, slot: optimizer, title: X}\n", "x: the key 'description' is missing"),
        ("- {id: x, titel: X, title: X, description: d., url: u}\n", "no key is called 'titel'; did you mean 'title'?"),
        ("- {id: x, title: X, description: d., url: u, tags: adam}\n", "tags: Input should be a valid"),
        ("- {id: x, title: X, description: d., url: u, effects: {a: [1]}}\n", "effects.a: Input should be a valid"),
        ("- {id: adamw, title: X, description: d., url: u}\n", "adamw: the id is taken, see "),
        ("- {id: x, title: yes, description: d., url: u}\n", ""),
    ],
)
def test_a_wrong_component_file_is_named(text, says, pack, write):
    path = write("components/zzz.yaml", text)
    if not says:  # YAML 1.2: `yes` is a word
        assert compile_packs([pack]).components["x"].title == "yes"
        return
    message = message_of(pack)
    assert message.startswith(str(path)) and says in message


def test_yaml_reads_numbers_and_dates_as_people_mean_them(pack, write):
    write(
        "components/zzz.yaml", "- {id: x, title: 2026-11-21, description: d., url: u, effects: {a: 1e-5, b: 0x10, c: .5, d: on, e: true}}\n"
    )
    component = compile_packs([pack]).components["x"]
    assert component.title == "2026-11-21"
    assert component.effects == {"a": 1e-5, "b": "0x10", "c": 0.5, "d": "on", "e": True}


def test_bytes_that_are_no_text_are_named(pack):
    (pack / "rules").mkdir()
    (pack / "rules" / "x.yaml").write_bytes(b"- code: \xff\n")
    assert "not UTF-8 at byte 8" in message_of(pack)


def test_a_folder_in_place_of_a_file_is_named(pack):
    (pack / "rules" / "x.yaml").mkdir(parents=True)
    assert "cannot be read" in message_of(pack)


def test_empty_files_and_missing_folders_are_fine(pack, write):
    write("rules/x.yaml", "# nothing yet\n")
    assert not compile_packs([pack]).rules


def test_every_problem_is_reported_at_once(pack, write):
    write("rules/x.yaml", HEAD + "  forbid: {technique: ful}\n" + HEAD.replace("1001", "1002") + "  forbid: {tecnique: full}\n")
    write("claims/y.yaml", "- {id: EV-0001}\n")
    message = message_of(pack)
    assert len({line.split(": ")[1] for line in message.splitlines()}) == 3


def test_codes_and_slugs_are_given_once(pack, write):
    write("rules/x.yaml", HEAD + "  forbid: {technique: full}\n")
    write("rules/y.yaml", HEAD + "  forbid: {technique: lora}\n")
    assert "RF1001: the code is taken, see " in message_of(pack)
    write("rules/y.yaml", HEAD.replace("1001", "1002") + "  forbid: {technique: lora}\n")
    assert "RF1002: the slug 'a-b' is taken by RF1001" in message_of(pack)


GPU = "- {{id: g, title: G, facts: {facts}, source: 'https://x', checked: 2026-11-21}}\n"


def test_fact_sheets_hold_typed_facts(pack, write):
    write("facts/gpus.yaml", GPU.format(facts="{capability: 8.9, dtypes: [fp32, bf16], memory_gib: 24}"))
    write("facts/packages.yaml", GPU.format(facts="{latest: '2.6'}"))
    catalog = compile_packs([pack])
    assert catalog.gpus["g"].facts == {"capability": 8.9, "dtypes": ("fp32", "bf16"), "memory_gib": 24}
    assert catalog.gpus["g"].checked == "2026-11-21"
    assert catalog.packages["g"].facts == {"latest": "2.6"}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("{capabilty: 8.9}", "facts.capabilty: no fact of a gpu is called so; did you mean 'capability'?"),
        ("{capability: high}", "facts.capability: 'high' is not a number"),
        ("{dtypes: fp32}", "facts.dtypes: a list is wanted"),
        ("{dtypes: [fp33]}", "facts.dtypes: 'fp33' is not one of fp32"),
        ("{memory_gib: ['24']}", "facts.memory_gib: one value is wanted"),
        ("{vendor: nvidea}", "did you mean 'nvidia'?"),
    ],
)
def test_a_wrong_fact_is_named(facts, says, pack, write):
    write("facts/gpus.yaml", GPU.format(facts=facts))
    assert says in message_of(pack)


def test_a_later_pack_adds_and_may_not_redefine(pack, tmp_path, write):
    extra = tmp_path / "extra"
    (extra / "components").mkdir(parents=True)
    file = extra / "components" / "optimizer.yaml"
    file.write_text("- {id: sm3, title: Sophia, description: d., url: u}\n")
    assert "sm3" in compile_packs([pack, extra]).components
    file.write_text("- {id: adamw, title: Mine, description: d., url: u}\n")
    with pytest.raises(CatalogError, match="adamw: the id is taken"):
        compile_packs([pack, extra])


def test_the_hash_follows_content_alone(pack, tmp_path, write):
    import os
    import shutil

    first = content_hash([pack])
    copy = tmp_path / "elsewhere"
    shutil.copytree(pack, copy)
    os.utime(copy / "slots.yaml", (1, 1))
    (copy / "knobs.yaml").write_bytes((pack / "knobs.yaml").read_bytes().replace(b"\n", b"\r\n"))
    assert content_hash([copy]) == first
    write("knobs.yaml", (pack / "knobs.yaml").read_text() + "# one more line\n")
    assert content_hash([pack]) != first


def test_a_process_loads_once_until_told_to_forget(pack, write):
    before = load([pack])
    write("rules/x.yaml", HEAD + "  forbid: {technique: full}\n")
    assert load([pack]) is before
    forget()
    assert list(load([pack]).rules) == ["RF1001"]


def test_a_warm_process_imports_neither_yaml_nor_pydantic(pack):
    code = (
        "import sys; from pathlib import Path; from recipeforge.catalog.load import load; "
        f"catalog = load([Path({str(pack)!r})]); "
        "print(len(catalog.components), *(m for m in ('yaml', 'pydantic', 'torch', 'rich', 'ortools', 'packaging') if m in sys.modules))"
    )
    cold, warm = (subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() for _ in range(2))
    assert "yaml" in cold and "pydantic" in cold
    assert warm == cold[:1]


def test_the_shipped_packs_are_named():
    assert SHIPPED_PACKS[0].name == "core" and (SHIPPED_PACKS[0] / "slots.yaml").is_file()
