"""One run, from plan to saved and re-read result. Runs in the training process; only what it calls imports torch."""

import gc
import importlib
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import transformers

from recipeforge.runner import checkpoints, steering
from recipeforge.runner.channel import Channel
from recipeforge.runner.checkpoints import Why
from recipeforge.runner.engines.ranks import ALONE, Ranks
from recipeforge.runner.loading import Head, formats_of, is_adapter, load_base, load_config, load_tokenizer
from recipeforge.runner.look import Finding, look
from recipeforge.runner.loop import Bench, Clock, Done, Measure, Pace, Schedule, Stop, held_out_loss, optimizer_steps, planned_steps
from recipeforge.runner.memory_peak import PeakMeter
from recipeforge.runner.objectives.objective import Data
from recipeforge.runner.optimization import optimization
from recipeforge.runner.parts import PARTS
from recipeforge.runner.plan import Plan
from recipeforge.runner.postflight import Check, check_reloaded, of_files, of_losses, of_settings, size_of
from recipeforge.runner.rows import DataError, load_rows
from recipeforge.runner.save import Saver, save_result
from recipeforge.runner.state import Progress, State, align, marks_of, put_back, restore
from recipeforge.schemas.errors import RunError

GIB = 2**30
SMOKE_STEPS = 2
"""Enough for a second step on weights that the first one changed."""
_SMOKE_ROWS, _SMOKE_PACKED = 64, 8
"""Rows of a smoke test, besides those that its steps take, and how many more of them where they are packed."""
_APART = 10_007
"""How far the seeds of processes that train together lie apart, for what they draw while training."""
_REMEMBERED = 1000
"""Metrics that a checkpoint repeats: more than a pipe holds that nobody read."""


class Training:
    """The state of one run; `go` walks through it."""

    def __init__(
        self, plan: Plan, output: Path, channel: Channel, stop: Stop, *, resume: bool = False, smoke: bool = False, ranks: Ranks = ALONE
    ) -> None:
        self.plan, self.output, self.channel, self.stop = plan, output, channel, stop
        self._resume, self._smoke, self.ranks = resume, smoke, ranks
        self.progress = Progress()
        self._from: Path | None = None
        """The checkpoint that training goes on from."""
        self._state: State | None = None
        self.doing = "getting ready"
        """For messages."""
        self._run_clock = Clock()
        self._optimizers: tuple[Any, ...] = ()
        self._schedulers: tuple[Any, ...] = ()
        self.device = device_for(plan)
        self._objective = PARTS[plan.part_in("objective")].build()

    @property
    def steps(self) -> int:
        """Finished optimizer steps."""
        return self.progress.step

    @property
    def seconds(self) -> float:
        """Wall-clock time of training so far, from the first step; loading and post-flight are not in it."""
        return self.progress.seconds

    def go(self) -> bool:
        """Do what the plan says; return whether all of it was done, or `False` where `stop` ended it early.

        Raises:
            RunError: it cannot go on; the message says why.
        """
        plan = self.plan
        self.channel.say("hardware", names=hardware(self.device))
        if self._resume:
            self._pick_up()
        transformers.set_seed(plan.seed)
        self._stage("reading data")
        tokenizer = load_tokenizer(plan)
        data = self._data(tokenizer)
        if self._stopped():
            return False
        import_parts(plan)
        self.meter = PeakMeter(self.device)
        self._stage("loading the model")
        model = self._model(data)
        bench, data = self._objective.measured(plan, model, tokenizer, data, self.device)
        if self._stopped():
            return False
        self.meter.start()
        try:
            if not self.steps:
                self._measure(model, bench, data, 0, "before")
            finished = self._train(model, bench, data)
        finally:
            self._peak()  # of a run that went out of memory, too
        if not finished:
            return False
        loss = self._measure(model, bench, data, self.steps, "after")
        self._stage("saving and loading again")
        self._checks(of_settings(plan, model))
        proof = Proof.of(plan, tokenizer, bench, data, self.device)
        whole = self.ranks.gathered(model, everything=not is_adapter(plan))
        if loss is None or proof.lines is not data.held_out:
            loss = proof.loss(model, self.ranks)
        if self.ranks.rank:
            return True  # the first process has everything that it needs
        folder = save_result(model, tokenizer, plan, self.output, whole)
        self.channel.say("result", folder=str(folder))
        del model, bench  # before another one is loaded beside it
        gc.collect()
        self._post_flight(proof, folder, loss, data.head)
        checkpoints.thin_out(self.output, 0)  # the result is there and was checked
        return True

    def _stopped(self) -> bool:
        """Return whether someone asked for the end; all processes get the same answer."""
        return self.ranks.stops(bool(self.stop), 0)

    def look(self) -> None:
        """Only look at rows, tokenizer and configuration, and tell what stands in the way.

        Raises:
            RunError: something does.
        """
        self._stage("reading data")
        self._data(load_tokenizer(self.plan))

    # -- before ---------------------------------------------------------------------------------------------

    def _pick_up(self) -> None:
        """Find the newest whole checkpoint, and tell again what may have been lost on the way to the ledger.

        Raises:
            RunError: there are checkpoints and none of them is whole.
        """
        broken: list[str] = []
        good = checkpoints.newest_good(self.output, broken.append)
        for said in broken:
            self.channel.say("note", text=said)
        if good is None and broken:
            raise RunError(f"no checkpoint in {self.output} is whole ({broken[0]}); remove them, or run the recipe anew without --resume")
        self.channel.say("resume", step=good.step if good else 0, folder=str(good.folder) if good else "")
        if good is None:
            return
        self._state, self._from = State.load(good.folder), good.folder
        self.progress = self._state.progress
        self._run_clock = Clock(self.progress.since_start)
        for step, name, value in self.progress.metrics:
            self.channel.say("metric", step=step, name=name, value=value)
        for name, value in self.progress.summary.items():
            self.channel.say("summary", name=name, value=value)

    def _data(self, tokenizer: Any) -> Data:
        v = self.plan.values
        limit = int(v["data.limit"]) if "data.limit" in v else None
        rows = load_rows(str(v["data.source"]), str(v["data.format"]), Path(self.plan.folder), self.plan.seed, limit)
        packed = bool(v["data.packing"])
        if self._smoke:
            each = int(v["batch.micro"]) * int(v["batch.accumulate"]) * self.ranks.size * (_SMOKE_PACKED if packed else 1)
            rows = rows[: _SMOKE_ROWS + SMOKE_STEPS * each]
        data, done = self._objective.read(self.plan, rows, tokenizer, int(v["batch.micro"]) if self._smoke else None)
        found = list(look(self.plan, tokenizer, load_config(self.plan), done, data.train))
        for finding in found:
            self.channel.say("problem" if finding.stops else "note", text=finding.message, **_of(finding))
        if stopping := [finding.message for finding in found if finding.stops]:
            raise DataError("; ".join(stopping))
        self.channel.say("stage", text=data.said)
        return data

    def _model(self, data: Data) -> Any:
        plan = self.plan
        whole = self._from if self._state and self._state.weights is None else None
        model = load_base(plan, self.ranks.loading_device(self.device), whole, data.head)
        transformers.set_seed(plan.seed)  # loading may draw random numbers, and how many differs between kinds of files
        model = PARTS[plan.part_in("technique")].build(model, plan.values, formats_of(plan))
        for change in (*plan.parts.get("memory", ()), *plan.parts.get("regularization", ())):
            PARTS[change].build(model, plan.values)
        if self._state and self._state.weights is not None:
            put_back(model, self._state.weights)
        align(model)
        self._marks = marks_of(model, (*data.train, *data.held_out))
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self._sum_up("trainable_parameters", trainable)
        self.channel.say("stage", text=f"{trainable:,} parameters train")
        return self.ranks.spread(model, self.device)

    # -- during ---------------------------------------------------------------------------------------------

    def _train(self, model: Any, bench: Measure, data: Data) -> bool:
        """Return whether all steps were done."""
        plan, v = self.plan, self.plan.values
        micro, accumulate = int(v["batch.micro"]), int(v["batch.accumulate"])
        steps = int(v["train.steps"]) if "train.steps" in v else None
        total = planned_steps(len(data.train), micro, accumulate * self.ranks.size, steps, float(v.get("train.epochs", 0)))
        self.channel.say("total", steps=total)
        self._optimizers, self._schedulers = optimizers, schedulers = optimization(plan, model, total)
        saver, start = Saver(plan, self.output, self._marks, self.ranks), self.steps
        transformers.set_seed(plan.seed + self.ranks.rank * _APART)
        if self._state:
            self._go_on(optimizers, schedulers, self._marks)
        self._state = None
        clock, pace = Clock(self.seconds), Pace()
        self.doing = f"training, in step {start + 1}"
        last = min(total, SMOKE_STEPS) if self._smoke else total
        recipe = Schedule(micro, accumulate, last, plan.seed, float(v["train.gradient_clip"]))
        for done in optimizer_steps(model, bench, data.train, optimizers, schedulers, recipe, self.stop, start, self.ranks):
            self.progress.step, self.progress.seconds = done.step, clock.seconds
            self._report(done, pace.step(done.tokens))
            if done.step < last:
                self._during(model, bench, data, done)
            if not self._smoke and (why := self._due(saver, done.step, last)):
                self._checkpoint(saver, model, why)
            self._budgets(done.step == last)
            self.doing = f"training, in step {done.step + 1}"
            pace.go_on()
        if self.steps < last and self.steps != saver.written and not self._smoke:
            self._checkpoint(saver, model, "ended early")
        steering.settle(optimizers)
        self._optimizers = self._schedulers = ()  # their states need not stay beside the model that is loaded again
        return self.steps == last

    def _due(self, saver: Saver, step: int, last: int) -> Why | None:
        """Return why there should be a checkpoint; the clock of the first process counts."""
        answers: tuple[Why | None, ...] = (None, "asked", "now and then")
        return answers[self.ranks.first(answers.index(saver.due(step, last)))]

    def _go_on(self, optimizers: Any, schedulers: Any, marks: dict[str, str]) -> None:
        """Put optimizers, schedules and random numbers where the checkpoint has them.

        Raises:
            RunError: the data or the model is not what it was.
        """
        assert self._state is not None
        had = self._state.marks
        for mark, what in (("data", f"the rows of {self.plan.values['data.source']}"), ("base", f"the model {self.plan.model.written}")):
            if had[mark] != marks[mark]:
                raise RunError(f"{what} changed since the checkpoint {self._from}; put the old ones back, or run the recipe anew")
        for mark, what in (("threads", "threads compute"), ("torch", "is torch's version")):
            if had[mark] != marks[mark]:
                self.channel.say("note", text=f"{marks[mark]} {what} now, {had[mark]} before: numbers may round otherwise than in one go")
        restore(optimizers, schedulers, self._state, self.ranks)
        self._state.draws_of(self.ranks.rank).again()

    def _report(self, done: Done, speed: float) -> None:
        self._tell(done.step, "train_loss", done.loss)
        self._tell(done.step, "learning_rate", done.rate)
        for name, value in done.noticed.items():
            self._tell(done.step, f"train_{name}", value)
            self._sum_up(f"train_{name}_last", value)
        first = self.progress.summary.get("train_loss_first", done.loss)
        for name, value in (("train_loss_first", first), ("train_loss_last", done.loss), ("tokens_per_second", speed)):
            self._sum_up(name, value)
        if done.step % int(self.plan.values["train.log_every"]) == 0:
            self.channel.say("step", step=done.step, loss=done.loss, rate=done.rate, seconds=self.seconds)

    def _during(self, model: Any, bench: Measure, data: Data, done: Done) -> None:
        strategy = self.plan.values["eval.strategy"]
        every = 1 if self._smoke else int(self.plan.values.get("eval.every", 1))
        if (strategy == "epoch" and (done.ends_epoch or self._smoke)) or (strategy == "steps" and done.step % every == 0):
            loss = self._measure(model, bench, data, done.step, "during")
            if loss is not None:
                steering.after_held_out(self._schedulers, loss)

    def _budgets(self, last: bool) -> None:
        v = self.plan.values
        if "budget.memory_gib" in v and (peak := self.meter.read()[0]) > float(v["budget.memory_gib"]) * GIB:
            raise RunError(f"the run took {peak / GIB:.2f} GiB, more than its budget of {float(v['budget.memory_gib']):g} GiB")
        limit = v.get("budget.wall_clock")
        if limit is not None and not last and not self.stop and self._run_clock.seconds > float(limit):
            self.stop.reason = f"the wall-clock budget of {float(limit):g} s ran out"

    def _stage(self, doing: str) -> None:
        self.doing = doing
        self.channel.say("stage", text=doing)

    def _tell(self, step: int, name: str, value: float) -> None:
        """Tell one number of one step, and remember the last ones for a checkpoint."""
        self.progress.metrics = [*self.progress.metrics[-_REMEMBERED:], (step, name, value)]
        self.channel.say("metric", step=step, name=name, value=value)

    def _sum_up(self, name: str, value: float) -> None:
        self.progress.summary[name] = value
        self.channel.say("summary", name=name, value=value)

    def _checkpoint(self, saver: Saver, model: Any, why: Why) -> None:
        self.progress.since_start = self._run_clock.seconds
        self.doing = f"writing the checkpoint of step {self.steps}"
        folder = saver.write(model, self._optimizers, self._schedulers, self.progress, why)
        self.channel.say("checkpoint", folder=str(folder), step=self.steps)

    # -- after ----------------------------------------------------------------------------------------------

    def _measure(self, model: Any, bench: Measure, data: Data, step: int, when: str) -> float | None:
        if not data.held_out:
            return None
        self._stage("measuring held-out loss")
        with steering.at_rest(self._optimizers):
            bench.noticed()
            loss = held_out_loss(model, bench, data.held_out, int(self.plan.values["batch.micro"]), self.ranks)
        if loss != loss:
            raise RunError(f"the held-out loss is not a number after {step} steps")
        noticed = bench.noticed()
        for name, value in (noticed if "reward" in noticed else {"loss": loss, **noticed}).items():
            self._tell(step, f"heldout_{name}", value)
            self._sum_up(f"heldout_{name}_{when}", value)
        return loss

    def _peak(self) -> None:
        peak, how = self.meter.read()
        self.channel.say("peak", bytes=peak, how=how)
        if (reserved := self.meter.reserved()) is not None:
            self._sum_up("peak_reserved_bytes", reserved)

    def _post_flight(self, proof: "Proof", folder: Path, loss: float, head: Head | None) -> None:
        reloaded = check_reloaded(self.plan, folder, self.device, loss, proof.loss, head)
        self._sum_up("reload_difference", abs(reloaded - loss))
        self.channel.say("stage", text=f"the saved result loads again: loss {reloaded:.4f}, in memory {loss:.4f}")
        self._sum_up("result_bytes", size_of(folder))
        losses = [value for _, name, value in self.progress.metrics if name == "train_loss"]
        self._checks((*of_losses(losses, self.progress.summary), *of_files(folder, self.output)))

    def _checks(self, checks: Iterable[Check]) -> None:
        """Tell what post-flight found; what is not as it should be is no failure of the run, but its author wants to know."""
        for check in checks:
            self.channel.say("check", name=check.name, good=check.good, text=check.said)


class Proof:
    """What a saved result has to say as the trained model did: next tokens, or the scores of its own head."""

    def __init__(self, bench: Measure, lines: list[Any], micro: int) -> None:
        self._bench, self.lines, self._micro = bench, lines, micro

    @classmethod
    def of(cls, plan: Plan, tokenizer: Any, bench: Measure, data: Data, device: torch.device) -> "Proof":
        """Choose what can be asked of a model alone, without those that it was trained beside."""
        micro = int(plan.values["batch.micro"])
        if isinstance(bench, Bench):
            return cls(bench, data.proof, micro)
        if data.proof:
            return cls(Bench(device, tokenizer.pad_token_id, False, formats_of(plan).autocast), data.proof, micro)
        return cls(bench, data.held_out or data.train[:micro], micro)

    def loss(self, model: Any, ranks: Ranks = ALONE) -> float:
        """Return what is compared."""
        return held_out_loss(model, self._bench, self.lines, self._micro, ranks)


def _of(finding: Finding) -> dict[str, str]:
    return {"slug": finding.slug, "subject": finding.subject, "help": finding.help}


def import_parts(plan: Plan) -> None:
    """Import what the parts will import, so that the memory of code does not count as training's."""
    for need in plan.packages:
        if need.name in ("peft", "bitsandbytes", "gguf"):
            importlib.import_module(need.name)


def device_for(plan: Plan) -> torch.device:
    """Return the GPU unless the recipe says `cpu` or names none and there is none.

    Raises:
        RunError: the recipe names a GPU that torch does not see, or bf16 on one without it.
    """
    wanted = str(plan.values.get("hardware.gpu", "")).lower()
    if wanted == "cpu" or (not wanted and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RunError(f"the recipe asks for a GPU `{wanted}` and torch {torch.__version__} sees none; install torch with CUDA")
    if "bfloat16" in (formats_of(plan).autocast, formats_of(plan).trained) and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise RunError(f"{torch.cuda.get_device_name()} has no bf16")
    return torch.device("cuda", torch.cuda.current_device())


def hardware(device: torch.device) -> dict[str, str]:
    """Return what this runs on, in words."""
    names = {"device": device.type, "system": platform.platform(terse=True), "threads": str(torch.get_num_threads())}
    if device.type != "cuda":
        return names
    about = torch.cuda.get_device_properties(device)
    gpu = {"gpu": about.name, "gpu_memory_gib": f"{about.total_memory / GIB:.1f}", "capability": f"{about.major}.{about.minor}"}
    return names | gpu | {"cuda": str(torch.version.cuda)}
