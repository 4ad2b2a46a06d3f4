from pathlib import Path

import pytest

from recipeforge.runner import packages, preflight
from recipeforge.runner.devices import Gpu
from recipeforge.runner.parts import PARTS
from recipeforge.runner.preflight import problems


def told(made) -> dict[str, str]:
    return {d.slug: d.message + " " + d.help for d in problems(made.plan, made.loadout)}


def test_a_sound_recipe_has_none(make, recipe) -> None:
    assert make(recipe()).slugs() == []


def test_all_problems_are_told_at_once_and_in_their_places(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "visible_gpu", lambda: None)
    text = recipe(
        technique="{use: adalora, rank: 4}",
        train="{keep_best: true}",
        data="{source: gone.jsonl, format: text}",
        hardware="{gpu: t4, count: 2}",
        model="./nowhere",
        regularization="z-loss",
    )
    made = make(text)
    found = problems(made.plan, made.loadout)
    slugs = [d.slug for d in found]
    assert sorted(slugs) == sorted(
        ["part-not-implemented"] * 2 + ["value-not-honoured", "several-devices", "model-missing", "no-length", "data-unreadable", "no-gpu"]
    )
    lines = text.splitlines()
    for d in found:
        guilty = {"model-missing": "model", "data-unreadable": "data", "no-gpu": "hardware"}.get(d.slug)
        if guilty:
            assert lines[d.primary.span.start.line].startswith(guilty)
    assert all(d.severity == "error" for d in found)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"technique": "{use: lora, block_size: 4}"}, "reads `technique.block_size`"),
        ({"optimizer": "{use: adamw, momentum: 0.9}"}, "reads `optimizer.momentum`"),
        ({"budget": "{cost_usd: 5}"}, "reads `budget.cost_usd`"),
        ({"data": "{source: rows.jsonl, format: text, streaming: true}"}, "cannot do `data.streaming: true`"),
        ({"data": "{source: rows.jsonl, format: stepwise}"}, "cannot do `data.format: stepwise`"),
        ({"data": "{source: rows.jsonl, format: preference}"}, "sft: it does not learn from `format: preference`"),
        ({"objective": "dpo"}, "dpo: it does not learn from `format: text`"),
        ({"objective": "dpo", "technique": "pissa"}, "switched off, it is not the model that training began with"),
        ({"objective": "{use: dpo, precompute_reference: true}"}, "cannot do `objective.precompute_reference: true`"),
        ({"objective": "dpo", "regularization": "neftune"}, "`neftune` is for losses of next tokens"),
        ({"scheduler": "{use: wsd}"}, "how long it decays"),
        ({"scheduler": "{use: wsd, stable_steps: 1, decay_steps: 1}"}, "its phases take 2 steps and the run 6"),
        ({"scheduler": "cosine-min-lr"}, "no floor is given"),
        ({"technique": "qlora"}, "needs a base stored in 4 bits"),
        ({"technique": "full", "quantization": "bnb-4bit"}, "quantized weights cannot train"),
        ({"technique": "full", "optimizer": "muon"}, "Muon takes only hidden matrices"),
        ({"objective": "{use: sft, completion_only: true}"}, "plain text rows have no prompt"),
        ({"eval": "{strategy: steps}"}, "does not say how many"),
        ({"data": "{source: rows.jsonl, format: text}", "eval": "{strategy: epoch}"}, "no rows are held out"),
        ({"data": ""}, "does not say `data.source` and `data.format`"),
        ({"train": ""}, "how long to train"),
        ({"data": "{source: rows.jsonl, format: text, limit: 1, validation: 0.5}"}, "1 rows of data, and at least 2"),
        ({"train": "{steps: 1, output: /proc/here}"}, "no file can be made in /proc"),
    ],
)
def test_nothing_that_a_recipe_asks_for_is_silently_ignored(make, recipe, line: dict[str, str], message: str) -> None:
    assert any(message in text for text in told(make(recipe(**line))).values()), told(make(recipe(**line)))


def test_an_output_with_something_in_it_is_never_written_over(make, recipe, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    text = recipe(train=f"{{steps: 1, output: {tmp_path / 'out'}}}")
    assert make(text).slugs() == []
    (tmp_path / "out" / "precious").touch()
    assert make(text).slugs() == ["output-taken"]


def test_missing_and_old_packages_come_with_the_command(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.1", "transformers": "9", "peft": None}
    monkeypatch.setattr(packages.Need, "installed", property(lambda need: versions.get(need.name)))
    found = told(make(recipe()))
    assert 'Run `pip install "peft>=0.20"`' in found["package-missing"]
    assert "`torch` 2.1 is installed" in found["package-too-old"]


@pytest.mark.parametrize(
    ("named", "installed", "wanted"),
    [(None, "2.6", False), ("2.6", "2.6.1+cpu", False), ("2.6", "2.7", True), ("2.6.1", "2.6", True), ("main", "2.6", True)],
)
def test_a_version_that_the_recipe_names(named: str | None, installed: str, wanted: bool) -> None:
    assert preflight.differs(named, installed) == wanted


def test_a_recipe_for_other_versions_is_refused(make, recipe) -> None:
    made = make(recipe(packages='{torch: "1.13"}'))
    assert made.slugs() == ["package-differs"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):
    """Put a GPU, and the torch that can use it, into this machine."""

    def put(torch: str = "2.13.0+cu130", **known: float | None) -> None:
        gpu = Gpu(**{"name": "some GPU", "memory_gib": 14.7, "free_gib": 14.2, "capability": 7.5, **known})  # type: ignore[arg-type]
        monkeypatch.setattr(preflight, "visible_gpu", lambda: gpu)
        real = packages.Need.installed.fget
        monkeypatch.setattr(packages.Need, "installed", property(lambda need: torch if need.name == "torch" else real(need)))

    return put


def test_a_gpu_smaller_than_the_recipes_is_refused(make, recipe, here) -> None:
    here()
    assert make(recipe(hardware="{gpu: t4}")).slugs() == []
    assert make(recipe(hardware="{gpu: a100-80gb}")).slugs() == ["smaller-gpu", "older-gpu"]


def test_a_gpu_of_an_older_kind_is_refused_though_it_is_as_large(make, recipe, here) -> None:
    here(name="Quadro RTX 8000", memory_gib=48.0)
    found = told(make(recipe(hardware="{gpu: a6000}")))
    assert list(found) == ["older-gpu"]
    assert "capability 8.6 and this machine's GPU, Quadro RTX 8000, 7.5" in found["older-gpu"]


def test_what_the_driver_does_not_say_is_no_objection(make, recipe, here) -> None:
    here(memory_gib=None, free_gib=None, capability=None)
    made = make(recipe(hardware="{gpu: h200}"))
    assert [d.slug for d in problems(made.plan, made.loadout, 2**40)] == []


def test_a_torch_for_cpus_only_is_told_before_anything_is_loaded(make, recipe, here) -> None:
    here(torch="2.13.0+cpu")
    found = told(make(recipe(hardware="{gpu: t4}")))
    assert list(found) == ["torch-without-cuda"]
    assert make(recipe(hardware="")).slugs() == []  # no GPU is asked for: it trains on the CPU


@pytest.mark.parametrize(("resting_gib", "wanted"), [(2, []), (4, ["gpu-in-use"]), (30, [])])
@pytest.mark.parametrize("hardware", ["{gpu: t4}", ""])
def test_a_gpu_that_others_fill_is_refused(make, recipe, here, hardware: str, resting_gib: int, wanted: list[str]) -> None:
    here(free_gib=3.0)
    made = make(recipe(hardware=hardware))
    found = problems(made.plan, made.loadout, resting_gib * 2**30)  # 30 GiB fit on no T4: that is the estimate's own finding
    assert [d.slug for d in found] == wanted
    assert all("take 4.0 GiB, and 3.0 of 14.7 GiB are free" in d.message for d in found)


def test_every_part_is_a_component_and_reads_knobs_that_exist() -> None:
    from recipeforge.catalog.load import load
    from recipeforge.runner.parts.groups import HONOURED

    catalog = load()
    assert len(list(PARTS)) > 25
    for part in PARTS:
        assert catalog.components[part.component].slot == part.slot
        for knob in part.reads:
            assert knob in catalog.knobs, (part.component, knob)
            assert not catalog.knobs[knob].components or part.component in catalog.knobs[knob].components, (part.component, knob)
    assert set(HONOURED) <= set(catalog.knobs)


def test_every_default_is_implemented() -> None:
    from recipeforge.catalog.load import load

    for slot in load().slots.values():
        assert slot.default is None or PARTS.get(slot.default), slot.id
