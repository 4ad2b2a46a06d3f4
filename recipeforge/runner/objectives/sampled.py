"""Answers that the model samples itself, scored by a function: GRPO and Dr. GRPO."""

import importlib.util
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from recipeforge.runner.batches import Line, Tokenised, groups
from recipeforge.runner.loading import formats_of
from recipeforge.runner.loop import Schedule
from recipeforge.runner.objectives.examples import Means
from recipeforge.runner.objectives.objective import Data, split
from recipeforge.runner.objectives.preference import seen
from recipeforge.runner.objectives.trl_trainers import Spelled, reference_for, trainer_for
from recipeforge.runner.plan import Plan
from recipeforge.runner.rows import DataError, Row
from recipeforge.runner.state import Draws
from recipeforge.schemas.errors import RunError

LENGTH = "length"
"""The reward that needs no file: the share of the longest answer that an answer takes."""


@dataclass(frozen=True)
class Samples:
    """A micro-batch of sampled answers with what they earned, as the trainer left it."""

    inputs: dict[str, Any]

    def __len__(self) -> int:
        return int(self.inputs["prompt_mask"].sum() + self.inputs["completion_mask"].sum())


class Sampled:
    """A trainer of TRL over prompts."""

    def __init__(self, spelled: Spelled) -> None:
        self._spelled = spelled

    def read(self, plan: Plan, rows: Sequence[Row], tokenizer: Any, few: int | None) -> tuple[Data, Tokenised]:
        """Leave out prompts that leave no room for an answer, and hold some of the others out."""
        room = int(plan.values["data.sequence_length"]) - int(plan.values["objective.completion_length"])
        sequences = seen(_prompts(rows), plan, tokenizer)
        fits = [row for row in rows if _tokens(row, plan, tokenizer) <= room]
        if not fits:
            raise DataError(f"no prompt has at most {room} tokens, which is what `completion_length` leaves of `sequence_length`")
        kept, held_out = split(fits, plan, few)
        shown = [Line((tokens,)) for tokens in seen(_prompts(held_out or kept[: int(plan.values["batch.micro"])]), plan, tokenizer).rows]
        said = f"{len(kept)} prompts to train on, {len(held_out)} held out, {len(rows) - len(fits)} too long and left out"
        return Data(list(kept), list(held_out), shown, said=said), sequences

    def measured(self, plan: Plan, model: Any, tokenizer: Any, data: Data, device: torch.device) -> tuple["Rewarded", Data]:
        """Return the loss of answers that are sampled when it is asked for.

        Raises:
            DataError: there are fewer prompts than a step takes.
        """
        v = plan.values
        generations, longest = int(v["objective.generations"]), int(v["objective.completion_length"])
        each = int(v["batch.micro"]) * int(v["batch.accumulate"]) // generations
        if len(data.train) < each:
            raise DataError(f"{len(data.train)} prompts, and a step samples answers to {each}; lower `batch.accumulate`")
        options = self._spelled.options(v) | {
            "num_generations": generations,
            "num_generations_eval": 1,
            "max_completion_length": longest,
            "beta": 0.0,  # else the trainer would load or copy a reference of its own making
        }
        reward = reward_named(str(v["objective.reward"]), Path(plan.folder), longest)
        rows = [[row.record for row in part] for part in (data.train, data.held_out)]
        trainer = trainer_for(self._spelled, plan, model, tokenizer, device, rows[0], rows[1], options, reward_funcs=[reward])
        beta = float(v["objective.beta"])
        if beta:
            trainer.beta = beta
            trainer.ref_model = reference_for(plan, device)
            if trainer.ref_model is not None:
                from trl.trainer.utils import add_fused_lm_head

                add_fused_lm_head(trainer.ref_model, temperature=trainer.temperature)
        return Rewarded(trainer, device, formats_of(plan).autocast, plan.seed, each, generations), replace(data)


def _tokens(row: Row, plan: Plan, tokenizer: Any) -> int:
    return seen(_prompts([row]), plan, tokenizer).longest


def _prompts(rows: Sequence[Row]) -> list[Row]:
    return [Row(record={"prompt": row.record["prompt"]}) for row in rows]


def reward_named(written: str, folder: Path, longest: int) -> Callable[..., list[float]]:
    """Return what scores answers: `length`, or `FILE.py:FUNCTION`, which is called as TRL calls rewards.

    Raises:
        RunError: the file does not run, or has no such function.
    """
    if written == LENGTH:
        return lambda completion_ids, **_: [len(ids) / longest for ids in completion_ids]
    file, _, name = written.rpartition(":")
    path = folder / file
    spec = importlib.util.spec_from_file_location(f"reward_of_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RunError(f"objective.reward: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)
    except Exception as error:
        raise RunError(f"objective.reward: {path} cannot be used: {type(error).__name__}: {error}") from error


class Rewarded:
    """The loss of answers that the model samples as it is at the beginning of each step."""

    def __init__(self, trainer: Any, device: torch.device, autocast: str | None, seed: int, prompts: int, generations: int) -> None:
        self._trainer, self._device, self._autocast, self._seed = trainer, device, autocast, seed
        self._prompts, self._generations = prompts, generations
        self._parts = 1
        self._means = Means()

    def weigh(self, lines: Sequence[Any]) -> int:
        """Micro-batches of answers count the same; so do held-out prompts."""
        return 1 if _are_samples(lines) else len(lines)

    def noticed(self) -> dict[str, float]:
        """Return the mean reward."""
        return self._means.taken()

    def casting(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        return torch.autocast(self._device.type, dtype=getattr(torch, self._autocast)) if self._autocast else nullcontext()

    def micro_batches(self, lines: Sequence[Row], plan: Schedule, skip: int) -> Iterator[tuple[list[Samples], bool]]:
        """Yield answers to as many prompts as a step takes, sampled when its first micro-batch is asked for."""
        self._parts = self._trainer.current_gradient_accumulation_steps = plan.accumulate
        each = len(lines) // self._prompts  # a last group that is not full is left out
        for step in itertools.count(skip // plan.accumulate):
            epoch, index = divmod(step, each)
            group = next(itertools.islice(groups(lines, self._prompts, plan.seed, epoch), index, None))
            asked = [dict(row.record) for row in group for _ in range(self._generations)]
            for part in range(plan.accumulate):
                self._trainer._step = part
                with self.casting():
                    inputs = self._trainer._prepare_inputs(asked)
                if not part:
                    self._see("train", len(asked))
                yield [Samples(inputs)], index == each - 1 and part == plan.accumulate - 1

    def loss_sum(self, model: Any, lines: Sequence[Any]) -> torch.Tensor:
        """Return the loss of sampled answers; of held-out prompts, what one answer to each earned, below zero.

        Those are sampled by the same random numbers each time.
        """
        if _are_samples(lines):
            with self.casting():
                return self._trainer.compute_loss(model, lines[0].inputs) * self._parts
        with self._same_draws(), self.casting():
            self._trainer._prepare_inputs([dict(row.record) for row in lines])
        return torch.tensor(-self._see("eval", len(lines)) * len(lines))

    def _see(self, mode: str, weight: int) -> float:
        reward = float(self._trainer._metrics[mode]["reward"][-1])
        self._means.add("reward", reward, weight)
        self._trainer._metrics[mode].clear()
        return reward

    @contextmanager
    def _same_draws(self) -> Iterator[None]:
        before = Draws.now()
        torch.manual_seed(self._seed)
        try:
            yield
        finally:
            before.again()


def _are_samples(lines: Sequence[Any]) -> bool:
    return bool(lines) and isinstance(lines[0], Samples)
