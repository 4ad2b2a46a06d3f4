"""A step of `recipeforge run` beside a loop written by hand and beside transformers' Trainer; and the way to the first step.

    python benchmarks/step_time.py [--rounds 7] [--steps 12] [--starts 3] [--threads 1]

The three take turns in one process, each on the same weights and rows, and what is compared are the ratios within a round: whatever else
the machine does hits all three. A step counts from the end of one to the end of the next, logging included; told are wall-clock time (the
least of a turn) and processor time (the median), which other processes on the same cores disturb less. Start-up: from the start of the
command to its first step, against the ejected script of the same recipe, which imports torch, transformers and peft and loads the same
model. Needs the train extra.
"""

import argparse
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ |= {"OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"}  # as a run has it; or the network would be measured, too

SIZES = {"short": (64, 2, 2, 64), "long": (256, 4, 4, 160)}
"""Width, layers, rows and tokens a row; on one core some 10 and some 150 ms a step."""
VOCABULARY = 512


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="0: only the start-up")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    for name, size in SIZES.items() if asked.rounds else ():
        _steps(name, size, asked.rounds, asked.steps * (5 if name == "short" else 1), asked.threads)
    if asked.starts:
        _starts(asked.starts)


def _steps(name: str, size: tuple[int, int, int, int], rounds: int, steps: int, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    runners = _contenders(size)
    taken: dict[str, list[tuple[float, float]]] = {who: [] for who in runners}
    order = list(runners)
    for turn in range(rounds + 1):
        for who in (*order[turn % 3 :], *order[: turn % 3]):
            pairs = list(itertools.pairwise(runners[who](steps + 2)))[1:]  # the first makes the optimizer's states
            walls, works = [b[0] - a[0] for a, b in pairs], [b[1] - a[1] for a, b in pairs]
            if turn:  # and the first round warms everything up
                taken[who].append((min(walls), statistics.median(works)))
    for kind, what in enumerate(("wall-clock", "processor")):
        print(f"{name}, {what} time: {1000 * statistics.median(t[kind] for t in taken['by hand']):.1f} ms a step by hand")
        for who in ("by hand", "Trainer"):
            both = [(a[kind], b[kind]) for a, b in zip(taken["recipeforge"], taken[who], strict=True)]
            ratios, apart = sorted(a / b for a, b in both), sorted(1000 * (a - b) for a, b in both)
            told = f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
            print(
                f"  recipeforge over {who:<8} {told}, {statistics.median(apart):+.2f} ms ({apart[0]:+.2f} to {apart[-1]:+.2f})", flush=True
            )


Moment = tuple[float, float]
"""On the wall's clock, and of this process's work."""


def _now() -> Moment:
    return time.perf_counter(), time.process_time()


def _contenders(size: tuple[int, int, int, int]) -> dict[str, Callable[[int], Iterator[Moment]]]:
    """Return for each a function that does steps and yields the moments when they end."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from recipeforge.runner.batches import IGNORED, Line, Tokens

    width, layers, rows, length = size
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    draw = random.Random(0)
    texts = [[draw.randrange(1, VOCABULARY) for _ in range(length)] for _ in range(rows * 64)]
    lines = [Line((Tokens(tuple(ids), (IGNORED, *ids[1:])),)) for ids in texts]

    def afresh() -> Any:
        model.load_state_dict(start)
        model.zero_grad(set_to_none=True)
        model.train()
        return model

    return {
        "recipeforge": lambda steps: _ours(afresh(), lines, rows, steps),
        "by hand": lambda steps: _by_hand(afresh(), texts, rows, steps),
        "Trainer": lambda steps: _trainer(afresh(), texts, rows, steps),
    }


def _ours(model: Any, lines: list[Any], micro: int, steps: int) -> Iterator[Moment]:
    """The loop of a run, with what it reports after each step."""
    import torch

    from recipeforge.runner.channel import Channel
    from recipeforge.runner.loop import Bench, Pace, Schedule, Stop, optimizer_steps
    from recipeforge.runner.train import Training

    class Reporting(Training):
        """As much of a run as tells about its steps."""

        def __init__(self, channel: Channel) -> None:
            from recipeforge.runner.state import Progress

            self.channel, self.progress, self.every = channel, Progress(), 1

        @property
        def plan(self) -> Any:
            return self

        @plan.setter
        def plan(self, _: Any) -> None:
            pass

        @property
        def values(self) -> dict[str, int]:
            return {"train.log_every": 1}

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    bench = Bench(torch.device("cpu"), 0, False, None)
    pace = Pace()
    with Path(os.devnull).open("w") as nowhere:
        reporting = Reporting(Channel(nowhere))
        for done in optimizer_steps(model, bench, lines, (optimizer,), (schedule,), Schedule(micro, 1, steps, 0, 1.0), Stop()):
            reporting._report(done, pace.step(done.tokens))
            pace.go_on()
            yield _now()


def _by_hand(model: Any, texts: list[list[int]], micro: int, steps: int) -> Iterator[Moment]:
    """What one writes in an afternoon."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    order = torch.randperm(len(texts)).tolist()
    with Path(os.devnull).open("w") as nowhere:
        for step in range(steps):
            at = step * micro % (len(texts) - micro)
            ids = torch.tensor([texts[i] for i in order[at : at + micro]])
            logits = model(input_ids=ids, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            print(f"step {step} loss {loss.item():.4f}", file=nowhere)
            yield _now()


def _trainer(model: Any, texts: list[list[int]], micro: int, steps: int) -> Iterator[Moment]:
    """transformers' own."""
    import transformers
    from transformers import Trainer, TrainerCallback, TrainingArguments

    transformers.logging.set_verbosity_error()
    ends: list[Moment] = []

    class Ends(TrainerCallback):
        """Notes when steps end."""

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            ends.append(_now())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
            json.dumps(logs)

    rows = [{"input_ids": ids, "labels": ids, "attention_mask": [1] * len(ids)} for ids in texts]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=micro,
            max_steps=steps,
            learning_rate=1e-3,
            lr_scheduler_type="constant",
            optim="adamw_torch",
            max_grad_norm=1.0,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[Ends()])  # pyright: ignore[reportArgumentType]
        trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
        trainer.train()
    yield from ends


def _starts(times: int) -> None:
    """From the start of the command to the first step, in turns with the script that `eject` writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _recipe(folder)
        subprocess.run(
            [sys.executable, "-m", "recipeforge", "eject", "r.yaml", "-o", "train.py"], cwd=folder, check=True, stderr=subprocess.DEVNULL
        )
        apart: list[float] = []
        script, command = [sys.executable, "train.py"], [sys.executable, "-m", "recipeforge", "run", "r.yaml"]
        for turn in range(times + 1):
            pair = {who: _to_first_step(how, folder) for who, how in (("script", script), ("run", command))}
            if turn:
                apart.append(pair["run"] - pair["script"])
                print(f"  {pair['script']:.2f} s to the first step of the script, {pair['run']:.2f} s of the command")
        print(f"start-up beyond the script's: {statistics.median(apart):+.2f} s ({min(apart):+.2f} to {max(apart):+.2f})")


def _to_first_step(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    took = next((time.perf_counter() - began for line in process.stdout if re.search(r"step +1/", line)), float("nan"))
    process.communicate()
    return took


def _recipe(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(["</s>", *symbols])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>").save_pretrained(folder / "model")
    config = LlamaConfig(vocab_size=257, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    (folder / "rows.jsonl").write_text("".join(json.dumps({"text": f"row number {i}"}) + "\n" for i in range(200)))
    (folder / "r.yaml").write_text(
        "recipeforge: 1\nmodel: ./model\ntechnique: {use: lora, rank: 4}\noptimizer: {use: adamw, learning_rate: 1.0e-3}\n"
        "data: {source: rows.jsonl, format: text, sequence_length: 64}\ntrain: {steps: 3}\nhardware: {gpu: cpu}\n"
    )


if __name__ == "__main__":
    main()
