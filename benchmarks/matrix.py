"""Is the verdict the truth? Recipes over all implemented parts, valid and invalid, each forced through a smoke run on a tiny model.

    python benchmarks/matrix.py [--valid 110] [--invalid 60] [--seed 1] [--out matrix.json]

Agreement: a valid recipe trains two steps, is saved and loads again as what it was, and pre-flight has nothing against it. An invalid one
fails when it is forced past pre-flight, or does what its rule says (`matrix_truths.py` looks). One with a setting that a rule warns
is ignored, or mixes rows, is refused by pre-flight, which passes over nothing in silence: "warned".
Each run is a fork of one process that has imported torch, transformers and peft. Needs the train extra and a system with fork.
"""

import argparse
import collections
import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from matrix_recipes import Case, Verdict, cases
from matrix_truths import REFUSED, does_what_it_says

from recipeforge.api.checking import read_loadout
from recipeforge.api.running import judged_here
from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.runner.packages import Need
from recipeforge.runner.plan import Plan, make_plan
from recipeforge.runner.preflight import problems
from recipeforge.solver.as_written import as_written, makes_fail

LIMIT_S = 150
_OWN = ("RunError: data.packing", "the process ended with 0")
"""Endings by a check of our own, the engine's or this file's."""
WORDS = ["red", "green", "blue", "one", "two", "three", "four", "five", "cat", "dog", "tree", "house"]
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    case: Case
    trained: bool
    said: str
    """Why it failed."""
    objections: tuple[str, ...]
    """What pre-flight would have said."""
    heard: tuple[tuple[str, Any], ...]
    """Losses and summary."""
    seconds: float

    @property
    def agrees(self) -> str:
        """How it agrees with its verdict; empty where it does not."""
        verdict = self.case.verdict
        if verdict.errors:
            told = does_what_it_says(verdict.errors, dict(self.heard))
            # Where one of the engine's own checks ended it, it was not the rule's conflict that did.
            failed = not self.trained and not self.said.startswith(_OWN)
            return "failed" if failed else "did what the rule says" if told else ""
        if verdict.ignored:
            return "refused, as a rule warns" if self.objections else ""
        return "trained" if self.trained and not self.objections else ""


def judge_for(folder: Path) -> Callable[[str], Verdict]:
    """Return what judges recipes that lie in a folder."""
    catalog = load()
    named = {f"packages.{name}": Need(name, "").installed for name in catalog.packages}
    installed = {name: version for name, version in named.items() if version is not None}

    def judge(text: str) -> Verdict:
        loadout, _ = read_loadout(parse(text, str(folder / "recipe.yaml")), catalog, installed, fixes=False)
        if loadout is None:
            raise SystemExit(f"not readable:\n{text}")
        broken = sorted(as_written(catalog, loadout).broken)
        errors = tuple(code for code in broken if makes_fail(catalog, code))
        ignored = tuple(c for c in broken if c not in errors and c in catalog.rules and (catalog.rules[c].unread or c in REFUSED))
        return Verdict(errors, ignored)

    return judge


def tiny_model(folder: Path) -> None:
    """Write a random two-layer Llama over bytes, with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(["</s>", *symbols])}, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="</s>", pad_token="</s>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    LlamaForCausalLM(LlamaConfig(vocab_size=257, **sizes)).save_pretrained(folder)


def data(folder: Path) -> None:
    """Write sixty short rows in each format."""
    draw = random.Random(1)
    said = [(" ".join(draw.choices(WORDS, k=draw.randint(2, 4))), " ".join(draw.choices(WORDS, k=draw.randint(2, 5)))) for _ in range(60)]
    rows = {
        "text": [{"text": f"{a} {b}"} for a, b in said],
        "chat": [{"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]} for a, b in said],
        "instruct": [{"prompt": a, "completion": b} for a, b in said],
        "preference": [{"prompt": a, "chosen": f" {b}", "rejected": " no"} for a, b in said],
        "unpaired-preference": [{"prompt": a, "completion": f" {b}", "label": len(b) % 2 == 0} for a, b in said],
        "prompts": [{"prompt": a} for a, _ in said],
        "classification": [{"text": a, "label": a.split()[0]} for a, _ in said],
    }
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


class _Heard:
    """A channel that keeps what the table needs."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []

    def say(self, kind: str, **fields: Any) -> None:
        """Take a message."""
        if kind == "summary":
            self.kept.append((fields["name"], fields["value"]))
        elif kind == "metric" and fields["name"] == "learning_rate":
            self.kept.append((f"rate {fields['step']}", fields["value"]))
        elif kind == "check" and not fields["good"]:
            self.kept.append((f"check {fields['name']}", fields["text"]))


def force(case: Case, folder: Path) -> dict[str, Any]:
    """Run two steps of a recipe, whatever is said against it. In a process of its own."""
    import transformers

    from recipeforge.runner import train
    from recipeforge.runner.loop import Stop

    transformers.logging.disable_progress_bar()
    report = judged_here(parse(case.text, str(folder / "recipe.yaml")))
    assert report.loadout is not None
    assert (report.verdict.kind == "valid") == (not case.verdict.errors), "the full check has another verdict"
    plan = make_plan(load(), report.loadout, case.text)
    against = [f"{d.slug}: {d.message}" for d in problems(plan, report.loadout)]
    heard, said = _Heard(), ""
    built = train.optimization

    def watched(plan: Plan, model: Any, steps: int) -> Any:
        optimizers, schedulers = built(plan, model, steps)
        heard.kept.append(("layers in 4 bits", sum(type(m).__name__ == "Linear4bit" for m in model.modules())))
        heard.kept.append(("rates", sorted({float(group["lr"]) for o in optimizers for group in o.param_groups if "lr" in group})))
        return optimizers, schedulers

    train.optimization = watched  # in this fork alone
    with tempfile.TemporaryDirectory(prefix="matrix-") as output:
        try:
            train.Training(plan, Path(output), heard, Stop(), smoke=True).go()  # type: ignore[arg-type]
        except Exception as error:  # whatever it is, it failed
            said = f"{type(error).__name__}: {str(error).strip()[:300]}"
    return {"trained": not said, "said": said, "objections": against, "heard": heard.kept}


def forked(case: Case, folder: Path) -> Outcome:
    """Force a case in a fork of this process."""
    started = time.monotonic()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        signal.alarm(LIMIT_S)
        try:
            with os.fdopen(write, "w") as told:
                told.write(json.dumps(force(case, folder)))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    lost = {"trained": False, "said": f"the process ended with {status}", "objections": [], "heard": []}
    answer = json.loads(text) if text else lost
    heard = tuple((name, value) for name, value in answer["heard"])
    return Outcome(case, answer["trained"], answer["said"], tuple(answer["objections"]), heard, time.monotonic() - started)


def main() -> None:
    """Generate, force, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--valid", type=int, default=110)
    parser.add_argument("--invalid", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="matrix-") as name:
        folder = Path(name)
        data(folder)
        (folder / "model").mkdir()
        # What forks must not share is torch's threads: the model is written by a process of its own.
        if not os.fork():
            tiny_model(folder / "model")
            os._exit(0)
        os.wait()
        chosen = list(cases("./model", judge_for(folder), asked.valid, asked.invalid, asked.seed))
        print(f"{len(chosen)} recipes, {sum(c.verdict.kind == 'valid' for c in chosen)} of them valid", file=sys.stderr)
        outcomes = run(chosen, folder)
    print(table(outcomes))
    if asked.out:
        told = [dataclasses.asdict(o) | {"agrees": o.agrees} for o in outcomes]
        asked.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    sys.exit(0 if all(o.agrees for o in outcomes) else 1)


def run(chosen: list[Case], folder: Path) -> list[Outcome]:
    """Force every case, one at a time."""
    for module in ("torch", "transformers", "peft", "recipeforge.runner.train"):
        __import__(module)
    outcomes: list[Outcome] = []
    for number, case in enumerate(chosen, start=1):
        outcomes.append(forked(case, folder))
        last = outcomes[-1]
        told = last.agrees or "DISAGREES: " + _why(last)
        print(f"{number:4} {case.verdict.kind} {', '.join(case.verdict.codes)}: {told} ({last.seconds:.1f} s)", file=sys.stderr, flush=True)
    return outcomes


def _why(outcome: Outcome) -> str:
    return outcome.said or "; ".join(outcome.objections) or "trained"


def table(outcomes: list[Outcome]) -> str:
    """Return counts and every disagreement."""
    out: list[str] = []
    for kind in ("valid", "warned", "invalid"):
        some = [o for o in outcomes if o.case.verdict.kind == kind]
        counts = collections.Counter(o.agrees or "disagree" for o in some)
        out.append(f"{kind}: {len(some)}; " + ", ".join(f"{n} {what}" for what, n in counts.most_common()))
        if kind == "invalid":
            caught = sum(bool(o.objections) for o in some)
            out.append(f"  {len({o.case.verdict.errors for o in some})} sets of rules; pre-flight alone would refuse {caught}")
    agree = sum(bool(o.agrees) for o in outcomes)
    out.append(f"agreement: {agree} of {len(outcomes)} = {agree / max(1, len(outcomes)):.1%}")
    out += [f"\n{o.case.verdict.kind} {', '.join(o.case.verdict.codes)}: {_why(o)}\n{o.case.text}" for o in outcomes if not o.agrees]
    return "\n".join(out)


if __name__ == "__main__":
    main()
