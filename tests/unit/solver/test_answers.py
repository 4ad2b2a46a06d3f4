"""The solver's answers on the shipped catalog, as a user meets them."""

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.change import Change
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Status
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.complete import complete
from recipeforge.solver.diagnose import diagnose
from recipeforge.solver.memory import GIB
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.repair import repairs
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses

CATALOG = load()


def loadout(text: str) -> Loadout:
    found = read(parse("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\n" + text, "x.yaml"), CATALOG).loadout
    assert found is not None
    return found


def status(text: str, component: str) -> Status:
    return next(s for s in statuses(CATALOG, loadout(text)) if s.component == component)


def finding(text: str, slug: str) -> Diagnostic:
    recipe = loadout(text)
    return next(d for d in diagnose(CATALOG, recipe, resolve(CATALOG, recipe)) if d.slug == slug)


def test_the_seed_s_first_motion_pick_qlora():
    text = "technique: qlora\n"
    assert resolve(CATALOG, loadout(text)).kind == "incomplete"
    full = status(text, "full")
    assert (full.kind, full.blockers) == ("swap", ("qlora",))
    bnb = status(text, "bnb-4bit")
    assert bnb.kind == "available"
    assert bnb.wanted


def test_the_seed_s_second_motion_add_bnb_4bit():
    fix = finding("technique: qlora\n", "qlora-without-4bit-base").fixes[0]
    assert (fix.title, fix.safety, fix.changes) == ("Add bnb 4-bit", "safe", (Change("add", slot="quantization", component="bnb-4bit"),))
    assert resolve(CATALOG, loadout("technique: qlora\nquantization: bnb-4bit\nprecision: bf16\n")).kind == "valid"


def test_an_8_bit_base_under_qlora_is_blocked_by_both_rules():
    blocked = status("technique: qlora\n", "bnb-8bit")
    assert blocked.kind == "blocked"
    assert "RF1001" in blocked.rules
    assert blocked.blockers == ("qlora",)


def test_a_joint_conflict_names_what_no_addition_reconciles():
    verdict = resolve(CATALOG, loadout("technique: qlora\nquantization: bnb-8bit\nprecision: bf16\n"))
    assert verdict.kind == "conflicting"
    (conflict,) = verdict.conflicts
    assert set(conflict.picks) == {"qlora", "bnb-8bit"}
    assert conflict.minimal
    told = finding("technique: qlora\nquantization: bnb-8bit\nprecision: bf16\n", "qlora-without-4bit-base")
    assert any("no addition can reconcile" in note for note in told.notes)
    assert any("QLoRA" in label.text for label in told.related)


def test_two_techniques_are_told_once_by_the_rule_that_knows_the_pair():
    recipe = loadout("technique: [qlora, full]\nquantization: bnb-4bit\nprecision: bf16\n")
    slugs = [d.slug for d in diagnose(CATALOG, recipe, resolve(CATALOG, recipe))]
    assert "qlora-with-full-fine-tuning" in slugs
    assert "too-many-in-slot" not in slugs


def test_two_schedulers_are_one_too_many():
    found = finding("technique: lora\nscheduler: [cosine, linear]\n", "too-many-in-slot")
    assert found.message == "scheduler takes one component, not 2: cosine and linear"


def test_a_repair_cures_and_is_proved():
    recipe = loadout("technique: qlora\nattention: flash-attention-2\nprecision: bf16\nhardware: {gpu: t4}\n")
    first = repairs(CATALOG, recipe)[0]
    assert first.proved
    assert Change("add", slot="quantization", component="bnb-4bit") in first.changes
    assert Change("replace", slot="attention", component="sdpa", previous="flash-attention-2") in first.changes
    assert resolve(CATALOG, apply_changes(CATALOG, recipe, first.changes)).kind == "valid"


def test_a_valid_recipe_needs_no_repair():
    assert repairs(CATALOG, loadout("technique: lora\n")) == ()


def test_memory_is_repaired_with_the_numbers_beside_it():
    recipe = loadout("technique: lora\nprecision: bf16\nbatch: {micro: 32}\nbudget: {memory_gib: 4}\n")
    for repair in repairs(CATALOG, recipe):
        cured = estimate(CATALOG, apply_changes(CATALOG, recipe, repair.changes))
        assert cured is not None
        assert cured.total <= 4 * GIB * 1.05
        assert "GiB" in repair.context["memory"]


def test_least_memory_only_adds_and_leaves_knobs_alone():
    recipe = loadout("technique: lora\nprecision: bf16\nbatch: {micro: 8}\n")
    (best,) = complete(CATALOG, recipe, "memory").repairs
    assert {c.op for c in best.changes} == {"add"}
    assert all(c.knob is None for c in best.changes)
    after, before = estimate(CATALOG, apply_changes(CATALOG, recipe, best.changes)), estimate(CATALOG, recipe)
    assert after is not None
    assert before is not None
    assert after.total < before.total / 2
    assert resolve(CATALOG, apply_changes(CATALOG, recipe, best.changes)).kind == "valid"


def test_an_extra_budget_bounds_the_answer():
    recipe = loadout("technique: lora\nprecision: bf16\nbatch: {micro: 32}\n")
    assert repairs(CATALOG, recipe) == ()
    within = complete(CATALOG, recipe, "changes", {"memory_gib": 4.0}).repairs
    assert within
    assert all(r.estimate is not None and r.estimate.total <= 4 * GIB * 1.05 for r in within)


def test_a_t3_claim_informs_and_never_blocks():
    recipe = loadout("technique: full\noptimizer: {use: lion-8bit, learning_rate: 3.0e-5}\nbatch: {micro: 64}\n")
    verdict = resolve(CATALOG, recipe)
    assert verdict.kind == "valid"
    told = finding("technique: full\noptimizer: {use: lion-8bit, learning_rate: 3.0e-5}\nbatch: {micro: 64}\n", "lion-in-8bit")
    assert told.severity == "info"
    assert told.citations[0].tier == "T3"


def test_an_owner_s_note_is_t1():
    told = finding("technique: full\noptimizer: adamw-8bit\nlr_groups: [per-layer-lr-rotation]\n", "adamw-8bit-with-per-layer-lr-rotation")
    assert told.severity == "error"
    assert told.citations[0].tier == "T1"
    assert told.citations[0].quote.startswith("adamw_8bit produces decay/no-decay param groups by default")


def test_unknown_facts_fire_nothing_and_are_named():
    verdict = resolve(CATALOG, loadout("technique: lora\nattention: flash-attention-2\nprecision: bf16\n"))
    assert verdict.kind == "valid"
    assert "gpu.capability" in verdict.unknown


def test_no_repair_moves_a_knob_that_nothing_equipped_reads():
    recipe = loadout("technique: lora\nprecision: bf16\nbatch: {micro: 32}\nbudget: {memory_gib: 12}\n")
    found = repairs(CATALOG, recipe, count=8)
    assert len(found) >= 5
    for repair in found:
        cured = apply_changes(CATALOG, recipe, repair.changes)
        for knob in (CATALOG.knobs[c.knob] for c in repair.changes if c.knob and CATALOG.knobs[c.knob].components):
            assert set(knob.components) & set(cured.components_in(knob.group)), repair.title


def test_what_trains_is_changed_last():
    text = "recipeforge: 1\nmodel: meta-llama/Llama-3.1-70B\ntechnique: full\nprecision: bf16\ndistributed: ddp\n"
    text += "data: {sequence_length: 4096}\nbatch: {micro: 4}\nhardware: {gpu: h100-80gb, count: 8}\n"
    recipe = read(parse(text, "x.yaml"), CATALOG).loadout
    assert recipe is not None
    first = repairs(CATALOG, recipe, limit_s=60)[0]
    assert first.safety == "safe"
    assert "fsdp1" in {c.component for c in first.changes}


def test_of_two_in_one_seat_the_usual_one_stays():
    recipe = loadout("technique: lora\nprecision: bf16\noptimizer: [sgd, adamw]\n")
    assert repairs(CATALOG, recipe)[0].changes == (Change("drop", slot="optimizer", component="sgd"),)


def test_what_only_the_holder_breaks_excuses_nobody_who_would_take_its_place():
    text = "technique: lora\nprecision: bf16\nattention: flash-attention-2\nhardware: {gpu: t4}\n"
    blocked = status(text, "flash-attention-3")
    assert (blocked.kind, blocked.rules) == ("blocked", ("RF4001",))
    assert (status(text, "sdpa").kind, status(text, "sdpa").blockers) == ("swap", ("flash-attention-2",))


def test_what_a_component_needs_leaves_out_what_others_need():
    text = "technique: qlora\nscheduler: cosine\ntrain: {save_every: 100, keep_best: true}\n"
    found = status(text, "cosine-min-lr")
    assert found.kind == "swap"
    assert [c.knob for c in found.needs] == ["scheduler.min_lr"]


def test_least_memory_keeps_to_the_checkpoint_that_is_named():
    recipe = loadout("technique: lora\nprecision: bf16\n")
    (best,) = complete(CATALOG, recipe, "memory").repairs
    tags = [tag for c in best.changes if c.component for tag in CATALOG.components[c.component].tags]
    assert best.changes
    assert "prequantized" not in tags


def test_a_chain_of_three_rules_is_named_and_nothing_else():
    blocked = status("technique: lora\nprecision: bf16\ndata: {format: text, streaming: true}\ntrain: {steps: 1000}\n", "reduce-on-plateau")
    assert blocked.kind == "blocked"
    assert blocked.blockers == ("data.streaming",)
    assert set(blocked.rules) == {"RF3051", "RF5208", "RF5221"}
