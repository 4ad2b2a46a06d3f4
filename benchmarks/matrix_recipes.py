"""Recipes over everything that the local engine implements: pairwise, first ones that the rules allow, then neighbours that they forbid."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.objective import OTHER_START, rows_objections
from recipeforge.runner.parts.registry import Part
from recipeforge.runner.records import KINDS

Choice = Mapping[str, str]
"""Axis → value, in the words of a recipe."""

SPELLED = {
    "muon": "{use: muon, learning_rate: 1.0e-3, auxiliary: adamw}",
    "galore": "{use: galore, target_modules: all-linear}",
    "apollo": "{use: apollo, target_modules: all-linear}",
    "apollo-mini": "{use: apollo-mini, target_modules: attention}",
    "prodigy": "{use: prodigy, learning_rate: 1.0}",
    "dadapt-adam": "{use: dadapt-adam, learning_rate: 1.0}",
    "cosine-min-lr": "{use: cosine-min-lr, min_lr_ratio: 0.1, warmup_ratio: 0.1}",
    "cosine-restarts": "{use: cosine-restarts, cycles: 2}",
    "wsd": "{use: wsd, decay_steps: 2}",
    "exponential": "{use: exponential, gamma: 0.9}",
    "step": "{use: step, gamma: 0.5, step_size: 1}",
    "linear": "{use: linear, warmup_steps: 1}",
    "embedding-lr": "{use: embedding-lr, embedding_rate: 1.0e-4}",
    "boft": "{use: boft, block_size: 4}",
    "c3a": "{use: c3a, block_size: 32}",
    "robust-dpo": "{use: robust-dpo, label_smoothing: 0.1}",
    "grpo": "{use: grpo, generations: 2, completion_length: 8, reward: length}",
    "dr-grpo": "{use: dr-grpo, generations: 2, completion_length: 8, reward: length}",
}
"""Components that need more than their name."""
ROWS = ("RF5210", "RF5211", "RF5212", "RF5213")
"""Rules about rows that an objective cannot learn from."""
LISTS = ("memory", "regularization", "lr_groups")


def here(slot: str) -> list[str]:
    """Return the parts of a slot whose packages are installed and that tests train, as a recipe writes them."""
    return [SPELLED.get(p.component, p.component) for p in PARTS.of_slot(slot) if _can(p)]


def _can(part: Part) -> bool:
    return not part.untested and all(n.installed is not None and not n.too_old for n in part.needs)


def _objective(choice: Choice) -> Part | None:
    return PARTS.get(choice["objective"].removeprefix("{use: ").partition(",")[0] or "sft")


def beyond(choice: Choice) -> bool:
    """Return whether the engine says in its documentation that it does not do this, whatever the rules say."""
    if choice["technique"] == "freeze" and "embedding-lr" in choice["lr_groups"]:
        return True  # other programs may train embeddings beside the last layers
    objective = _objective(choice)
    if objective is None or "next-token" in objective.traits:
        return False
    other_start = any(choice["technique"].removeprefix("{use: ").startswith(name) for name in OTHER_START)
    return choice["packing"] == "true" or bool(choice["regularization"]) or ("reference" in objective.traits and other_start)


def takes_its_rows(choice: Choice) -> bool:
    """Return whether the objective learns from rows of this format here; what the rules say of formats is about frameworks."""
    objective = _objective(choice)
    return objective is None or not list(rows_objections(objective.component, choice["format"]))


def axes() -> dict[str, list[str]]:
    """Return axis → values; the empty value leaves the line out."""
    found = {slot: here(slot) for slot in ("technique", "optimizer", "scheduler", "precision", "attention")}
    found |= {slot: ["", *here(slot)] for slot in ("quantization", "averaging")}
    found |= {slot: ["", *(f"[{c}]" for c in here(slot))] for slot in LISTS}
    found["memory"].append("[{use: gradient-checkpointing, use_reentrant: true}]")
    found["objective"] = [
        "",
        "{use: sft, completion_only: true}",
        "pretrain",
        *(o for o in here("objective") if o not in ("sft", "pretrain")),
    ]
    found["format"] = ["text", "chat", "instruct", *KINDS]
    found["packing"] = ["false", "true"]
    found["batch"] = ["{micro: 2}", "{micro: 2, accumulate: 2}"]
    found["eval"] = ["", "{strategy: steps, every: 1}", "{strategy: epoch}"]
    found["validation"] = ["0.1", "0.0"]
    return found


def written(choice: Choice, model: str) -> str:
    """Return a recipe's text."""
    data = f"source: {choice['format']}.jsonl, format: {choice['format']}, sequence_length: 96, packing: {choice['packing']}"
    lines = ["recipeforge: 1", f"model: {model}", f"data: {{{data}, validation: {choice['validation']}}}"]
    lines += [f"{axis}: {value}" for axis, value in choice.items() if value and axis not in ("format", "packing", "validation")]
    return "\n".join([*lines, "train: {steps: 8}", "hardware: {gpu: cpu}", "seed: 5", ""])


@dataclass(frozen=True)
class Verdict:
    """Codes of broken rules."""

    errors: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Warnings that a setting is read by nothing."""

    @property
    def kind(self) -> str:
        """In a word."""
        return "invalid" if self.errors else "warned" if self.ignored else "valid"

    @property
    def codes(self) -> tuple[str, ...]:
        """Those that matter most."""
        return self.errors or self.ignored


@dataclass(frozen=True)
class Case:
    """One recipe of the matrix."""

    text: str
    choice: Choice
    verdict: Verdict


Judge = Callable[[str], Verdict]


def _pairs(choice: Choice) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return set(itertools.combinations(sorted(choice.items()), 2))


def cases(model: str, judge: Judge, valid: int, invalid: int, seed: int) -> Iterator[Case]:
    """Yield valid recipes, each chosen for the pairs that no earlier one has, then invalid ones, a step or two away from valid ones."""
    draw, known, covered = random.Random(seed), axes(), set()
    chosen: list[Choice] = []
    while len(chosen) < valid:
        best = max((_candidate(known, covered, draw) for _ in range(6)), key=lambda c: len(_pairs(c) - covered))
        settled = _settled(
            best,
            known,
            lambda choice: takes_its_rows(choice) and not beyond(choice) and judge(written(choice, model)).kind == "valid",
            draw,
        )
        if settled is None:
            continue
        covered |= _pairs(settled)
        chosen.append(settled)
        yield Case(written(settled, model), settled, Verdict())
    seen: dict[tuple[str, ...], int] = {}
    found = tried = 0
    while found < invalid and tried < 40 * invalid:
        tried += 1
        choice = dict(draw.choice(chosen))
        for axis in draw.sample(list(known), draw.choice((1, 1, 2))):
            choice[axis] = draw.choice(known[axis])
        text = written(choice, model)
        if beyond(choice):
            continue
        verdict = judge(text)
        if not takes_its_rows(choice) and not set(verdict.errors) & set(ROWS):
            continue  # it would fail, but not as the rules say
        # A few of each kind, not hundreds of the commonest.
        if verdict.codes and seen.get(verdict.codes, 0) < 4:
            seen[verdict.codes] = seen.get(verdict.codes, 0) + 1
            found += 1
            yield Case(text, choice, verdict)


def _candidate(known: Mapping[str, list[str]], covered: set, draw: random.Random) -> Choice:
    choice: dict[str, str] = {}
    for axis in draw.sample(list(known), len(known)):
        new = {v: sum(tuple(sorted([(axis, v), other])) not in covered for other in choice.items()) for v in known[axis]}
        most = max(new.values(), default=0)
        choice[axis] = draw.choice([v for v, n in new.items() if n == most])
    return choice


def _settled(choice: Choice, known: Mapping[str, list[str]], fits: Callable[[Choice], bool], draw: random.Random) -> Choice | None:
    """Draw axes anew, one after the other, until the rules allow the recipe."""
    current = dict(choice)
    for _ in range(60):
        if fits(current):
            return current
        axis = draw.choice(list(known))
        current[axis] = draw.choice(known[axis])
    return None
