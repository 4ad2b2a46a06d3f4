"""Objective parts. `build() -> Objective` (see `runner/objectives/objective.py`): how rows become examples, and examples a loss."""

import ast
import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads

TRL = Need("trl", "prepares the data and computes the loss", minimum="1.16")
OTHER_START = ("pissa", "olora", "loftq", "prompt-tuning", "p-tuning", "prefix-tuning", "fourierft", "vb-lora", "c3a")
"""Adapters that change what the model says before they have learnt anything, or change its base."""


def _made(module: str, name: str, *arguments: Any, **named: Any) -> Callable[[], Any]:
    """Return a builder that imports the objective when it is called, in the training process."""

    def build() -> Any:
        return getattr(importlib.import_module(f"recipeforge.runner.objectives.{module}"), name)(*arguments, **named)

    return build


ROWS = {
    **dict.fromkeys(("sft", "pretrain"), ("text", "chat", "instruct")),
    **dict.fromkeys(("dpo", "ipo", "robust-dpo", "orpo", "cpo", "simpo", "reward"), ("preference",)),
    "kto": ("unpaired-preference", "preference"),
    **dict.fromkeys(("grpo", "dr-grpo"), ("prompts", "preference", "unpaired-preference")),
    "classification": ("classification",),
}
"""Objective → formats of the rows that it learns from."""


def rows_objections(objective: str, given: str) -> Iterable[Objection]:
    """Yield the objection of an objective to rows of a format."""
    if given not in ROWS[objective]:
        can = " or ".join(f"`format: {name}`" for name in ROWS[objective])
        yield Objection("data.format", f"it does not learn from `format: {given}`", f"it takes {can}")


def _rows_fit(wishes: Wishes) -> Iterable[Objection]:
    given = wishes.values.get("data.format")
    return rows_objections(wishes.parts["objective"][0], str(given)) if given is not None else ()


def _prompt_exists(wishes: Wishes) -> Iterable[Objection]:
    yield from _rows_fit(wishes)
    if wishes.values.get("objective.completion_only") and wishes.values.get("data.format") == "text":
        yield Objection(
            "objective.completion_only",
            "plain text rows have no prompt to skip",
            "use `data.format: chat` or `instruct`, or drop `completion_only`",
        )


def _one_row_a_sequence(wishes: Wishes) -> Iterable[Objection]:
    if wishes.values.get("data.packing"):
        yield Objection("data.packing", "its rows are not packed", "turn `packing` off")
    for part in wishes.parts.get("regularization", ()):
        yield Objection(part, f"`{part}` is for losses of next tokens", f"drop `{part}`")


def _reference(wishes: Wishes) -> Iterable[Objection]:
    """With an adapter, the reference is the model with the adapter switched off: that has to be the model that training began with."""
    technique = wishes.parts["technique"][0]
    if technique in OTHER_START:
        yield Objection(
            technique,
            "switched off, it is not the model that training began with, and that is what the loss is held against",
            "use `technique: lora`, `dora` or `full`",
        )
    if "technique.bias" in wishes.given and wishes.values["technique.bias"] != "none":
        yield Objection("technique.bias", "biases that train stay on when the adapter is switched off", "write `bias: none`")
    if wishes.values.get("technique.train_embeddings"):
        yield Objection("technique.train_embeddings", "TRL scores tokens by the head itself, past its adapter", "leave it off")


def _several_rows(wishes: Wishes) -> Iterable[Objection]:
    if int(wishes.values.get("batch.micro", 1)) < 2:
        yield Objection("batch.micro", "it pairs each prompt with the answer to another one of its batch", "write `micro: 2` or more")


def _all(*checks: Callable[[Wishes], Iterable[Objection]]) -> Callable[[Wishes], Iterable[Objection]]:
    return lambda wishes: (objection for check in checks for objection in check(wishes))


def _sentence(values: Values) -> str:
    over = "the answers' tokens" if values.get("objective.completion_only") else "all tokens"
    return f"next-token cross-entropy over {over}, averaged over the tokens of a whole optimizer step"


def _preference(
    component: str,
    sentence: str,
    trainer: str,
    *knobs: str,
    settings: Mapping[str, Any] | None = None,
    reference: bool = False,
    checks: tuple[Callable[[Wishes], Iterable[Objection]], ...] = (),
    singly: bool = False,
    head: bool = False,
) -> Part:
    """Return the part of an objective over judged answers, which TRL computes."""

    def build() -> Any:
        trl = importlib.import_module("recipeforge.runner.objectives.trl_trainers")
        spelled = trl.Spelled(trainer, settings or {}, {k: f"objective.{k}" for k in knobs}, reference)
        return _made("preference", "Preference", spelled, singly=singly, head=head)()

    def does(values: Values) -> str:
        told = [f"{knob.replace('_', ' ')} {values[f'objective.{knob}']}" for knob in knobs if f"objective.{knob}" in values]
        return f"{sentence}{', ' if told else ''}{', '.join(told)}; by TRL's {trainer.rpartition('.')[2]}"

    only = {"precompute_reference": (False,), "sync_reference": (False,)} if reference else {}
    objections = _all(_rows_fit, _one_row_a_sequence, *((_reference,) if reference else ()), *checks)
    traits = frozenset({"reference"} if reference else set[str]())
    return Part(component, "objective", build, does, reads("objective", *knobs, **only), (TRL,), traits, objections)


def _reward(wishes: Wishes) -> Iterable[Objection]:
    written = wishes.values.get("objective.reward")
    if written is None:
        yield Objection("objective", "it does not say what scores an answer", "add `reward: length`, or `reward: FILE.py:FUNCTION`")
    elif written != "length" and (problem := _not_there(str(written), Path(wishes.folder))):
        yield Objection("objective.reward", problem, "name `length`, or `FILE.py:FUNCTION` beside the recipe")


def _not_there(written: str, folder: Path) -> str:
    """Return why there is no such function; nothing of the file is run."""
    file, _, name = written.rpartition(":")
    path = folder / file
    if not file.endswith(".py") or not path.is_file():
        return f"there is no Python file {path}" if file else f"`{written}` is no reward"
    try:
        there = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
    except (SyntaxError, ValueError, OSError) as error:
        return f"{path} cannot be read: {error}"
    return "" if name in there else f"{path} has no function `{name}`"


def _whole_groups(wishes: Wishes) -> Iterable[Objection]:
    v = wishes.values
    answers, each = int(v.get("batch.micro", 1)) * int(v.get("batch.accumulate", 1)), int(v["objective.generations"])
    if each < 2:
        yield Objection("objective.generations", "one answer to a prompt has none to be better than", "sample 2 or more")
    elif answers % each:
        message = f"a step takes {answers} answers, which are no whole groups of {each}"
        yield Objection("objective.generations", message, "make `micro` × `accumulate` a multiple of it")
    if "train.steps" not in v:
        yield Objection("train.epochs", "epochs over prompts are not counted here", "say how long in `train.steps`")
    if int(v["objective.completion_length"]) >= int(v["data.sequence_length"]):
        yield Objection("objective.completion_length", "it leaves no room for a prompt", "raise `data.sequence_length`")


def _kl(wishes: Wishes) -> Iterable[Objection]:
    if wishes.values.get("objective.beta"):
        yield from _reference(wishes)


def _sampled(component: str, sentence: str, settings: Mapping[str, Any]) -> Part:
    """Return the part of an objective over the model's own answers, which TRL samples and scores."""

    def build() -> Any:
        trl = importlib.import_module("recipeforge.runner.objectives.trl_trainers")
        spelled = trl.Spelled("trl.GRPOTrainer", settings, {"temperature": "objective.temperature"})
        return _made("sampled", "Sampled", spelled)()

    def does(v: Values) -> str:
        what = f"{v['objective.generations']} answers of up to {v['objective.completion_length']} tokens to a prompt"
        return f"{sentence}, {what}, scored by {v.get('objective.reward', '(nothing named)')}; by TRL's GRPOTrainer"

    knobs = reads(
        "objective", "beta", "generations", "temperature", "reward", "completion_length", iterations=(1,), sync_reference=(False,)
    )
    objections = _all(_rows_fit, _one_row_a_sequence, _reward, _whole_groups, _kl)
    return Part(component, "objective", build, does, knobs, (TRL,), frozenset({"reference"}), objections)


PARTS = (
    Part(
        "sft",
        "objective",
        build=_made("next_token", "NextToken"),
        does=_sentence,
        reads=reads("objective", "completion_only"),
        traits=frozenset({"next-token"}),
        objections=_prompt_exists,
    ),
    Part(
        "pretrain",
        "objective",
        build=_made("next_token", "NextToken"),
        does=lambda v: "next-token cross-entropy over all tokens, averaged over the tokens of a whole optimizer step",
        traits=frozenset({"next-token"}),
        objections=_rows_fit,
    ),
    _preference("dpo", "DPO", "trl.DPOTrainer", "beta", settings={"loss_type": ["sigmoid"]}, reference=True),
    _preference("ipo", "IPO", "trl.DPOTrainer", "beta", settings={"loss_type": ["ipo"]}, reference=True),
    _preference(
        "robust-dpo", "robust DPO", "trl.DPOTrainer", "beta", "label_smoothing", settings={"loss_type": ["robust"]}, reference=True
    ),
    _preference(
        "kto",
        "KTO",
        "trl.KTOTrainer",
        "beta",
        settings={"loss_type": "kto"},
        reference=True,
        checks=(_several_rows,),
        singly=True,
    ),
    _preference("orpo", "ORPO", "trl.experimental.orpo.ORPOTrainer", "beta"),
    _preference("cpo", "CPO", "trl.experimental.cpo.CPOTrainer", "beta", "label_smoothing", settings={"loss_type": "sigmoid"}),
    _preference("simpo", "SimPO", "trl.experimental.cpo.CPOTrainer", "beta", settings={"loss_type": "simpo", "cpo_alpha": 0.0}),
    _preference("reward", "a reward model: the chosen answer scores higher", "trl.RewardTrainer", head=True),
    Part(
        "classification",
        "objective",
        build=_made("classes", "Classification"),
        does=lambda v: "cross-entropy of each text's class, by a head of the model's own making",
        objections=_all(_rows_fit, _one_row_a_sequence),
    ),
    _sampled("grpo", "GRPO", {"loss_type": "grpo", "scale_rewards": "group"}),
    _sampled("dr-grpo", "Dr. GRPO", {"loss_type": "dr_grpo", "scale_rewards": "none"}),
)
