"""One run of a cohort: a pretrained encoder and a fresh two-way head learn whether a sentence praises. Runs in a worker process."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from recipeforge.runner import steering
from recipeforge.runner.cohort.entrants import ENTRANTS
from recipeforge.runner.cohort.needs import encoder_folder, sentences
from recipeforge.runner.cohort.setting import Job, Setting
from recipeforge.runner.parts import PARTS
from recipeforge.schemas.errors import RunError

_SPLIT_SEED = 20_250
_POOL_BATCHES = 16
"""Batches whose sentences are sorted by length together, so that little is padded."""
_EVALUATION_BATCH = 64
_CLIP = 1.0


@dataclass(frozen=True)
class Example:
    """A sentence as the encoder sees it."""

    ids: tuple[int, ...]
    label: int


class Classifier(torch.nn.Module):
    """Mean of the last hidden states, then one linear layer."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return two logits a sentence."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        return self.head((hidden * weight).sum(1) / weight.sum(1))


class Encoder:
    """Data and pretrained weights, loaded once; `run` starts from them every time."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        folder = str(encoder_folder())
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self._pad = int(tokenizer.pad_token_id)
        texts = sentences()
        needed = setting.validation + setting.tuning + setting.steps * setting.batch
        if needed > len(texts):
            raise RunError(f"the cohort takes {needed} sentences and there are {len(texts)}; give fewer `--steps`")
        random.Random(_SPLIT_SEED).shuffle(texts)
        encoded = tokenizer([text for text, _ in texts], truncation=True, max_length=setting.tokens)["input_ids"]
        examples = [Example(tuple(ids), int(label)) for ids, (_, label) in zip(encoded, texts, strict=True)]
        self.validation = examples[: setting.validation]
        self.tuning = examples[setting.validation : setting.validation + setting.tuning]
        self.watched = self.tuning[: setting.watched]
        self.pool = examples[setting.validation + setting.tuning :]
        self.model = Classifier(folder)
        self._start = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}

    def run(self, job: Job) -> dict[str, Any]:
        """Train and measure; return the numbers.

        Raises:
            RunError: the loss is no finite number.
        """
        began, entrant, setting = time.monotonic(), ENTRANTS[job.entrant], self.setting
        batches = list(self._batches(job.seed))
        self._begin(job.seed)
        values = entrant.values(setting, job.rate)
        optimizers = PARTS[entrant.optimizer].build(self.model, values)
        schedulers = [PARTS[entrant.scheduler].build(optimizer, values, setting.steps) for optimizer in optimizers]
        losses, rates = [], []
        for step, batch in enumerate(batches, start=1):
            rates.append(optimizers[0].param_groups[0]["lr"])
            losses.append(self._step(batch, optimizers, schedulers, f"{job.name}, step {step}"))
            steering.after_step(schedulers, losses[-1], ends_epoch=False)
            if entrant.follows_held_out and step % setting.watch_every == 0 and step < setting.steps:
                with steering.at_rest(optimizers):
                    steering.after_held_out(schedulers, self._measure(self.watched)[0])
        steering.settle(optimizers)
        loss, accuracy = self._measure(self.tuning if job.phase == "tune" else self.validation)
        return {
            "loss": round(loss, 6),
            "accuracy": round(accuracy, 6),
            "train_loss": [round(x, 4) for x in losses],
            "rates": [float(f"{x:.4g}") for x in rates],
            "steps": len(losses),
            "seconds": round(time.monotonic() - began, 1),
        }

    # -- the same for every scheduler of a seed ---------------------------------------------------------------

    def _batches(self, seed: int) -> Iterator[list[Example]]:
        """Yield a seed's batches: its own draw of sentences, in its own order."""
        draw, setting = random.Random(seed), self.setting
        chosen = draw.sample(self.pool, setting.steps * setting.batch)
        batches: list[list[Example]] = []
        span = setting.batch * _POOL_BATCHES
        for start in range(0, len(chosen), span):
            near = sorted(chosen[start : start + span], key=lambda example: len(example.ids))
            batches += [near[i : i + setting.batch] for i in range(0, len(near), setting.batch)]
        draw.shuffle(batches)
        yield from batches

    def _begin(self, seed: int) -> None:
        """Restore the pretrained weights, draw the head, and set what dropout will draw."""
        self.model.load_state_dict(self._start)
        draw = torch.Generator().manual_seed(seed)
        torch.nn.init.normal_(self.model.head.weight, std=0.02, generator=draw)
        torch.nn.init.zeros_(self.model.head.bias)
        self.model.zero_grad(set_to_none=True)
        torch.manual_seed(seed)

    # -- one step, one measurement ----------------------------------------------------------------------------

    def _step(self, batch: Sequence[Example], optimizers: Sequence[Any], schedulers: Sequence[Any], where: str) -> float:
        self.model.train()
        loss = functional.cross_entropy(*self._judged(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        if not math.isfinite(value := loss.item()):
            raise RunError(f"{where}: the loss became {value}")
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        return value

    def _judged(self, batch: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits in fp32 and labels."""
        width = max(len(example.ids) for example in batch)
        ids = torch.tensor([[*e.ids, *[self._pad] * (width - len(e.ids))] for e in batch])
        mask = torch.tensor([[1] * len(e.ids) + [0] * (width - len(e.ids)) for e in batch])
        with _casting():
            logits = self.model(ids, mask)
        return logits.float(), torch.tensor([e.label for e in batch])

    def _measure(self, examples: Sequence[Example]) -> tuple[float, float]:
        """Return mean loss, nats, and accuracy; dropout off."""
        self.model.eval()
        total = right = 0.0
        near = sorted(examples, key=lambda example: len(example.ids))
        with torch.no_grad():
            for start in range(0, len(near), _EVALUATION_BATCH):
                logits, labels = self._judged(near[start : start + _EVALUATION_BATCH])
                total += functional.cross_entropy(logits, labels, reduction="sum").item()
                right += (logits.argmax(-1) == labels).sum().item()
        return total / len(examples), right / len(examples)


def _casting() -> AbstractContextManager[Any]:
    return torch.autocast("cpu", dtype=torch.bfloat16)
