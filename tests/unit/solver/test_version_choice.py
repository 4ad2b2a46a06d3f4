"""Which versions satisfy a recipe: what counts, what stays, what is said; mostly about releases made up here."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from recipeforge.catalog.load import load
from recipeforge.catalog.releases import load_releases
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.release import Release
from recipeforge.schemas.versions import Versions
from recipeforge.solver.engine import Undecided
from recipeforge.solver.packages import choose, versions_for
from recipeforge.solver.packages_demands import puzzle_of
from recipeforge.solver.packages_proof import refute
from recipeforge.solver.packages_words import range_words
from recipeforge.solver.packages_world import Values

PLAIN = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: full\nprecision: bf16\n"
LORA = PLAIN.replace("full", "lora")
PARALLEL = f"{LORA}distributed: tensor-parallel\nhardware: {{gpu: a100-80gb, count: 2}}\n"


def listed(package: str, *told: str | tuple[str, Iterable[str]], **more: object) -> tuple[Release, ...]:
    pairs = [(t, ()) if isinstance(t, str) else t for t in told]
    return tuple(Release(package, v, f"2026-0{i}-01", "2026-11-21", requires=tuple(r), **more) for i, (v, r) in enumerate(pairs, 1))  # pyright: ignore


STACK = {
    "torch": listed("torch", "2.5.0", "2.6.0", "2.7.0"),
    "transformers": listed("transformers", ("4.57.0", ["torch>=2.5"]), ("5.4.0", ["torch>=2.6"]), ("5.5.0", ["torch>=2.7"])),
    "accelerate": listed("accelerate", "1.0.0"),
    "peft": listed("peft", "0.18.0"),
}
WITH_PLANS = STACK | {"peft": listed("peft", "0.19.0")}
"""The same with the PEFT that checks its layers' tensor-parallel plans."""


def loadout_of(text: str) -> Loadout:
    found = read(parse(text, "recipe.yaml"), load(), {}).loadout
    assert found is not None
    return found


def asked(text: str, releases: dict[str, tuple[Release, ...]] = STACK) -> Versions:
    return versions_for(load(), releases, loadout_of(text))


def chosen(answer: Versions) -> dict[str, str]:
    return {c.package: c.version for c in answer.chosen}


def test_the_newest_of_all_that_a_recipe_needs() -> None:
    answer = asked(PLAIN)
    assert (answer.kind, answer.proved, answer.checked) == ("found", True, "2026-11-21")
    assert chosen(answer) == {"python": "3", "torch": "2.7.0", "transformers": "5.5.0", "accelerate": "1.0.0"}, "no PEFT without an adapter"
    assert chosen(asked(LORA))["peft"] == "0.18.0"


def test_given_versions_stay_and_the_others_follow() -> None:
    answer = asked(LORA + 'packages: {torch: "2.6"}\n')
    torch = next(c for c in answer.chosen if c.package == "torch")
    assert (torch.version, torch.given, torch.moved, torch.newest) == ("2.6", "2.6", False, "2.7.0"), "as the recipe spells it"
    transformers = next(c for c in answer.chosen if c.package == "transformers")
    assert transformers.version == "5.4.0"
    (bound,) = transformers.bounds
    assert (bound.text, bound.rule) == ("5.4.0 or older", "pkg:pypi/transformers@5.5.0")
    assert bound.because == "transformers 5.5.0 requires torch>=2.7, but torch 2.6.0 is chosen"
    assert bound.citation and bound.citation.quote == "Requires-Dist: torch>=2.7"


def test_what_an_older_release_would_require_is_no_bound() -> None:
    releases = STACK | {"peft": listed("peft", ("0.17.0", ["torch<2.6"]), ("0.18.0", []))}
    peft = next(c for c in asked(LORA, releases).chosen if c.package == "peft")
    assert (peft.version, peft.bounds) == ("0.18.0", ())


def test_a_rule_counts_and_is_cited() -> None:
    answer = asked(PARALLEL + 'packages: {torch: "2.6.0"}\n', WITH_PLANS)
    bounds = next(c for c in answer.chosen if c.package == "transformers").bounds
    assert [(b.text, b.rule) for b in bounds] == [("5.4.0 or newer", "RF7103"), ("5.4.0 or older", "pkg:pypi/transformers@5.5.0")]
    assert bounds[0].because == "LoRA on a tensor-parallel base needs transformers 5.4 or newer, not 4.57.0"
    assert bounds[0].citation and bounds[0].citation.id.startswith("EV-")


def test_where_there_are_none_the_least_change_is_shown() -> None:
    answer = asked(PARALLEL + 'packages: {torch: "2.5.0", peft: "0.19.0"}\n', WITH_PLANS)
    assert answer.kind == "none"
    assert [c.picks for c in answer.conflicts] == [("lora", "tensor-parallel", "packages.torch")]
    assert answer.conflicts[0].rules == ("RF7103",)
    assert answer.corrections == (("lora",), ("tensor-parallel",), ("packages.torch",))
    assert [(c.package, c.given, c.version) for c in answer.chosen if c.moved] == [("torch", "2.5.0", "2.7.0")]
    steps = answer.conflicts[0].steps
    assert [s.kind for s in steps] == ["given", "given", "given", "follows", "contradiction"]
    assert steps[3].text == "with LoRA (1) and tensor parallelism (2) transformers has to be 5.4.0 or newer"
    assert steps[4].text == "but with torch 2.5.0 (3) transformers has to be 4.57.0, and only 5.4.0 or newer (4) is left"
    assert (steps[4].rule, steps[4].why) == ("pkg:pypi/transformers@5.4.0", "requires torch>=2.6")
    assert steps[4].citation and steps[4].citation.quote == "Requires-Dist: torch>=2.6"
    assert steps[2].place and steps[2].place.span.start.line == 6


def test_cases_are_told_where_narrowing_is_not_enough() -> None:
    """Both transformers need some torch that the other package refuses, one version each."""
    releases = STACK | {
        "torch": listed("torch", "2.5.0", "2.6.0"),
        "transformers": listed("transformers", ("4.57.0", ["torch==2.5.0"]), ("5.4.0", ["torch==2.6.0"])),
        "accelerate": listed("accelerate", ("1.0.0", ["torch==2.5.0"]), ("1.1.0", ["torch==2.6.0"])),
        "peft": listed("peft", ("0.18.0", ["transformers==4.57.0"]), ("0.19.0", ["transformers==5.4.0"])),
        "trl": listed("trl", ("1.0.0", ["peft==0.18.0", "accelerate==1.1.0"]), ("1.1.0", ["peft==0.19.0", "accelerate==1.0.0"])),
    }
    answer = asked(LORA + "framework: trl\n", releases)
    assert answer.kind == "none"
    steps = answer.conflicts[0].steps
    assert steps[-1].text == "so neither is possible"
    assert {s.kind for s in steps} >= {"either", "supposed", "contradiction"}
    assert max(s.depth for s in steps) == 1
    assert all(number < s.number for s in steps for number in s.because)


def test_packages_that_do_not_matter_are_not_told_apart() -> None:
    """torch and accelerate fall into two kinds as well, and come first; the refutation is about the others."""
    releases = {
        "torch": listed("torch", "2.5.0", "2.6.0"),
        "accelerate": listed("accelerate", ("1.0.0", ["torch==2.5.0"]), ("1.1.0", ["torch==2.6.0"])),
        "datasets": listed("datasets", "1.0", "2.0"),
        "transformers": listed("transformers", ("4.57.0", ["datasets==1.0"]), ("5.4.0", ["datasets==2.0"])),
        "tokenizers": listed("tokenizers", ("1.0", ["datasets==1.0"]), ("2.0", ["datasets==2.0"])),
        "peft": listed("peft", ("0.18.0", ["transformers==4.57.0"]), ("0.19.0", ["transformers==5.4.0"])),
        "trl": listed("trl", ("1.0.0", ["peft==0.18.0", "tokenizers==2.0"]), ("1.1.0", ["peft==0.19.0", "tokenizers==1.0"])),
    }
    puzzle = puzzle_of(load(), releases, loadout_of(LORA + "framework: trl\n"))
    refutation = refute(puzzle, puzzle.demands)
    assert refutation and refutation.cases
    about = {package for demand in refutation.demands() for package in demand.packages}
    assert about == {"datasets", "transformers", "tokenizers", "peft", "trl"}
    assert not {"torch", "accelerate"} & {supposed.package for supposed, _ in refutation.cases}


def test_pythons_count_like_a_package() -> None:
    releases = STACK | {
        "torch": (
            *listed("torch", "2.5.0", built_for=("3.10", "3.11")),
            replace(STACK["torch"][2], built_for=("3.11", "3.12"), python=">=3.10"),
        )
    }
    assert chosen(asked(PLAIN, releases))["python"] == "3.12"
    given = asked(PLAIN + 'packages: {python: "3.10.4"}\n', releases)
    assert (chosen(given)["python"], chosen(given)["torch"]) == ("3.10.4", "2.5.0")
    none = asked(PLAIN + 'packages: {python: "3.9", transformers: "5.5.0"}\n', releases)
    assert none.kind == "none"
    assert none.conflicts[0].picks == ("packages.python",)
    assert none.conflicts[0].steps[-1].why.endswith("has files only for Python 3.11, 3.12")


def test_an_unlisted_version_is_not_judged_and_that_is_said() -> None:
    answer = asked(LORA + 'packages: {torch: "2.6.1", made-up: "1.0"}\n')
    assert answer.unjudged == ("made-up", "pkg:pypi/torch@2.6.1")
    assert chosen(answer)["torch"] == "2.6.1"
    assert chosen(answer)["transformers"] == "5.4.0", "what others require of it still counts"


def test_a_release_that_nobody_knows_is_taken_last() -> None:
    unknown = replace(STACK["peft"][0], version="0.19.0", requires=None, date="2026-05-01")
    releases = STACK | {"peft": (*STACK["peft"], unknown)}
    assert chosen(asked(LORA, releases))["peft"] == "0.18.0"
    strict = releases | {"accelerate": listed("accelerate", ("1.0.0", ["peft>=0.19"]))}
    answer = asked(LORA, strict)
    assert (chosen(answer)["peft"], answer.unjudged) == ("0.19.0", ("pkg:pypi/peft@0.19.0",))


def test_frameworks_bring_their_own_packages() -> None:
    assert {c.package for c in asked(LORA + "framework: torchtune\n", load_releases()).chosen} >= {"torch", "torchtune"}
    own = chosen(asked("recipeforge: 1\ntechnique: lora\nobjective: dpo\nframework: torchtune\n", load_releases()))
    assert not {"transformers", "peft", "trl"} & set(own), "torchtune brings its own adapters and objectives"
    axolotl = asked(LORA + "framework: axolotl\n", load_releases())
    assert next(c for c in axolotl.chosen if c.package == "axolotl").needed_by == "axolotl"


def test_what_the_recipe_names_is_newest_first() -> None:
    """The newest PEFT takes only old releases of two packages that nothing but another package asks for."""
    releases = STACK | {
        "peft": listed("peft", ("0.18.0", []), ("0.19.0", ["triton==1.0", "numpy==1.0"])),
        "transformers": listed("transformers", ("5.5.0", ["triton", "numpy"])),
        "triton": listed("triton", "1.0", "2.0", "3.0"),
        "numpy": listed("numpy", "1.0", "2.0", "3.0"),
    }
    found = chosen(asked(LORA, releases))
    assert (found["peft"], found["triton"], found["numpy"]) == ("0.19.0", "1.0", "1.0")


def test_milder_rules_are_kept_where_that_is_possible() -> None:
    unsloth = listed("unsloth", "2026.8.1")
    text = LORA + 'kernels: [unsloth]\npackages: {unsloth: "2026.8.1"}\n'
    releases = STACK | {"unsloth": unsloth}
    assert (chosen(asked(text, releases))["transformers"], asked(text, releases).warnings) == ("5.5.0", ())
    later = releases | {"transformers": listed("transformers", "5.5.0", "5.6.0")}
    assert (chosen(asked(text, later))["transformers"], asked(text, later).warnings) == ("5.5.0", ())
    only = releases | {"transformers": listed("transformers", "5.6.0")}
    assert (chosen(asked(text, only))["transformers"], asked(text, only).warnings) == ("5.6.0", ("RF7108",))


def test_no_time_is_not_no_versions() -> None:
    puzzle = puzzle_of(load(), load_releases(), loadout_of(LORA + "kernels: [unsloth]\n"))
    with pytest.raises(Undecided):
        choose(puzzle, 1e-9)
    assert versions_for(load(), load_releases(), loadout_of(LORA), 1e-9).kind == "undecided"


def test_shipped_recipes_have_versions() -> None:
    """What the catalog itself calls good can be installed, by the facts that it ships."""
    releases, good = load_releases(), [r.example.good for r in load().rules.values() if r.example and "packages:" not in r.example.good]
    assert len(good) > 150
    for text in dict.fromkeys(good[::12]):
        assert versions_for(load(), releases, loadout_of(text)).kind == "found", text


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (0b11110, "any version"),
        (0b11111, "any version or not installed"),
        (0b00010, "1.0"),
        (0b00110, "1.1 or older"),
        (0b11000, "1.2 or newer"),
        (0b01100, "1.1 to 1.2"),
        (0b10010, "1.0 or 1.3"),
        (0b00001, "not installed"),
        (0, "none"),
    ],
)
def test_ranges_in_words(mask: int, words: str) -> None:
    versions = ("1.0", "1.1", "1.2", "1.3")
    assert range_words(Values("torch", versions, (None,) * 4), mask) == words
