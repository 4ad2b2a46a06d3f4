"""The training loop: forward, backward, clip, step, schedule, and held-out loss. Runs in the training process."""

import itertools
import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.nn import functional

from recipeforge.runner import steering
from recipeforge.runner.batches import IGNORED, Line, collate, groups
from recipeforge.runner.endings import not_finite
from recipeforge.runner.engines.ranks import ALONE, Ranks
from recipeforge.runner.state import Draws
from recipeforge.schemas.errors import RunError

_ROUNDING, _SEEN = 1e-5, 0.3
"""How far logits of a packed row may move with its neighbour's words: so far, or by this share of what they move in one row."""
_REMEMBERED = 20
"""Losses of the last steps, which say how a run got where there are no numbers."""


class Stop:
    """Whether someone asked the run to end early, and who."""

    def __init__(self) -> None:
        self.reason = ""

    def __bool__(self) -> bool:
        return bool(self.reason)


class Measure(Protocol):
    """What a loss is of: lines become batches, and batches a number to make small."""

    def weigh(self, lines: Sequence[Any]) -> int:
        """Return how much these lines count beside others: the loss is a mean over it."""
        ...

    def loss_sum(self, model: Any, lines: Sequence[Any]) -> torch.Tensor:
        """Return the loss of these lines times what they count."""
        ...

    def micro_batches(self, lines: Sequence[Any], plan: "Schedule", skip: int) -> "Iterator[tuple[list[Any], bool]]":
        """Yield micro-batches for ever, but for the first `skip`; each with whether it ends an epoch."""
        ...

    def noticed(self) -> dict[str, float]:
        """Return means of what else was seen since this was last asked, by name."""
        ...


@dataclass(frozen=True)
class Bench:
    """The loss of next tokens, and what every forward pass needs besides the model."""

    device: torch.device
    pad: int
    packed: bool
    autocast: str | None
    smoothing: float = 0.0
    """The share of probability that is taken off each label while training."""

    def batch(self, lines: Sequence[Line]) -> dict[str, Any]:
        """Return lines as tensors on the device."""
        return collate(lines, self.pad, self.packed, self.device)

    def casting(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        return torch.autocast(self.device.type, dtype=getattr(torch, self.autocast)) if self.autocast else nullcontext()

    def weigh(self, lines: Sequence[Line]) -> int:
        """Return how many tokens of these lines the loss looks at."""
        return counted(lines)

    def micro_batches(self, lines: Sequence[Line], plan: "Schedule", skip: int) -> "Iterator[tuple[list[Line], bool]]":
        """Yield micro-batches in the order that seed and epoch decide."""
        return shuffled(lines, plan, skip)

    def noticed(self) -> dict[str, float]:
        """There is nothing but the loss."""
        return {}

    def loss_sum(self, model: Any, lines: Sequence[Line]) -> torch.Tensor:
        """Return the summed cross-entropy, nats, of every token that counts; with smoothed labels while training."""
        batch = self.batch(lines)
        labels = batch.pop("labels")[:, 1:]
        with self.casting():
            logits = model(**batch, use_cache=False).logits
        # Learned prompts have logits, too, before those of the rows.
        logits = logits[:, -1 - labels.shape[1] : -1]
        smoothing = self.smoothing if model.training else 0.0
        scores = logits.flatten(0, 1).float()
        return functional.cross_entropy(scores, labels.flatten(), ignore_index=IGNORED, reduction="sum", label_smoothing=smoothing)


def counted(lines: Sequence[Line]) -> int:
    """Return how many tokens of these lines the loss looks at."""
    return sum(label != IGNORED for line in lines for row in line.rows for label in row.labels)


def held_out_loss(model: Any, bench: Measure, lines: Sequence[Any], micro: int, ranks: Ranks = ALONE) -> float:
    """Return the mean loss over held-out lines, of next tokens in nats a token; dropout off. Several processes share the lines."""
    was_training = model.training
    model.eval()
    batches = [lines[i : i + micro] for i in range(0, len(lines), micro)]
    mine = ranks.dealt(batches)
    total = 0.0
    with torch.no_grad():
        # As many forward passes in each process, since a split model needs all of them: who has none left repeats one that does not count.
        for turn in range(math.ceil(len(batches) / ranks.size)):
            loss = bench.loss_sum(model, mine[turn] if turn < len(mine) else batches[0]).item()
            total += loss if turn < len(mine) else 0.0
    model.train(was_training)
    return ranks.total(total) / bench.weigh(lines)


def check_packing(model: Any, bench: Bench) -> None:
    """Prove that packed rows do not see one another in this model's code: one row's words must not move the next one's logits.

    Numbers of few bits may be rounded otherwise beside other rows: what counts is that they move far less than where the rows
    are told to be one.

    Raises:
        RunError: they do.
    """
    width, vocab = 6, model.get_input_embeddings().weight.shape[0]
    places = torch.arange(2 * width, device=bench.device)[None]
    was_training = model.training
    model.eval()

    def moved(positions: torch.Tensor) -> float:
        outputs = []
        for first in (1, 2):
            ids = torch.tensor([[*[first % vocab] * width, *[3 % vocab] * width]], device=bench.device)
            with torch.no_grad(), bench.casting():
                outputs.append(model(input_ids=ids, position_ids=positions, use_cache=False).logits[0, width:].float())
        return (outputs[0] - outputs[1]).abs().max().item()

    apart = moved(places % width)
    leaks = apart > _ROUNDING and apart > _SEEN * moved(places)
    model.train(was_training)
    if leaks:
        raise RunError("data.packing: this model's code lets packed rows see one another; turn packing off")


@dataclass(frozen=True)
class Done:
    """One finished optimizer step."""

    step: int
    loss: float
    rate: float
    tokens: int
    ends_epoch: bool
    noticed: Mapping[str, float] = field(default_factory=dict[str, float])
    """Whatever else the loss told of this step."""


@dataclass(frozen=True)
class Schedule:
    """How many steps there are and what each takes."""

    micro: int
    accumulate: int
    steps: int
    seed: int
    clip: float


def planned_steps(lines: int, micro: int, accumulate: int, steps: int | None, epochs: float | None) -> int:
    """Return the optimizer steps of a run; `steps` wins over `epochs`. `accumulate` counts the micro-batches of all processes."""
    if steps is not None:
        return steps
    return max(1, math.ceil(math.ceil(lines / micro) * (epochs or 0.0) / accumulate))


def optimizer_steps(
    model: Any,
    bench: Measure,
    lines: Sequence[Any],
    optimizers: Sequence[Any],
    schedulers: Sequence[Any],
    plan: Schedule,
    stop: Stop,
    start: int = 0,
    ranks: Ranks = ALONE,
) -> Iterator[Done]:
    """Train, yielding after every optimizer step. Ends early, between two micro-batches, when `stop` is set; several processes: two steps.

    Several processes deal the micro-batches of a step out among them, so that a step takes the rows that one process
    would take which accumulates as many.

    Goes on behind step `start`, with the rows that would have come then. Random numbers that a step drew which `stop` ended are
    given back, so that whoever goes on later draws them again.

    The gradient is that of the mean over all that the step looks at (of next tokens: over its tokens), however it falls into
    micro-batches.

    Raises:
        NotFiniteError: the loss or the gradient is not a finite number; the weights are those of the last good step.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    past: deque[float] = deque(maxlen=_REMEMBERED)
    each = plan.accumulate * ranks.size
    stream = bench.micro_batches(lines, plan, start * each)
    bench.noticed()
    net = ranks.net(model)
    net.train()
    for step in range(start + 1, plan.steps + 1):
        before = Draws.now()
        taken = list(itertools.islice(stream, each))
        whole = sum(bench.weigh(group) for group, _ in taken)
        loss = 0.0
        for number, (group, _) in enumerate(ranks.dealt(taken)):
            if ranks.stops(bool(stop), number):
                before.again()
                return
            with ranks.backward(net, number == plan.accumulate - 1):
                share = bench.loss_sum(net, group) / whole
                (share * ranks.size if ranks.size > 1 else share).backward()  # gradients of several processes are averaged
            loss += share.item()
        loss = ranks.total(loss)
        norm = _gathered(torch.nn.utils.clip_grad_norm_(trainable, plan.clip or math.inf))
        if not math.isfinite(loss) or not math.isfinite(norm.item()):
            raise not_finite(model, step, past, loss, norm.item(), float(optimizers[0].param_groups[0]["lr"]), plan.clip)
        past.append(loss)
        rate = float(optimizers[0].param_groups[0]["lr"])  # torchao keeps it in a tensor
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        ends_epoch = any(last for _, last in taken)
        steering.after_step(schedulers, loss, ends_epoch)
        yield Done(step, loss, rate, sum(len(line) for group, _ in taken for line in group), ends_epoch, bench.noticed())


def _gathered(norm: torch.Tensor) -> torch.Tensor:
    """Return the norm over all of the gradients, where they are split."""
    return norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # type: ignore[operator]


def shuffled(lines: Sequence[Any], plan: Schedule, skip: int = 0) -> Iterator[tuple[list[Any], bool]]:
    """Yield micro-batches for ever, but for the first `skip`; each with whether it ends an epoch."""
    each = math.ceil(len(lines) / plan.micro)
    for epoch in itertools.count(skip // each):
        batches = list(groups(lines, plan.micro, plan.seed, epoch))
        for index in range(skip % each, each):
            yield batches[index], index == each - 1
        skip = 0


class Clock:
    """Wall-clock seconds since it was made, and those `before`."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.monotonic() - before

    @property
    def seconds(self) -> float:
        """So far."""
        return time.monotonic() - self._start


class Pace:
    """How fast training itself goes: held-out measurements and checkpoints between steps do not count.

    Neither does the first step, where there are more: it loads kernels and makes the optimizer's states.
    """

    def __init__(self) -> None:
        self._steps = self._tokens = 0
        self._seconds = 0.0
        self._since = time.monotonic()

    def step(self, tokens: int) -> float:
        """Count a finished step and return tokens a second so far."""
        self._steps += 1
        if self._steps == 2:
            self._tokens, self._seconds = 0, 0.0
        self._tokens += tokens
        self._seconds += time.monotonic() - self._since
        self._since = time.monotonic()
        return self._tokens / max(self._seconds, 1e-9)

    def go_on(self) -> None:
        """The next step begins now."""
        self._since = time.monotonic()
