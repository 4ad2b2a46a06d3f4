"""Named arithmetic: relations between several knobs and facts that comparisons with a constant cannot say.

A rule names one by `predicate: name`. Each declares the subjects that it reads, so that the
solver can enumerate their values, and answers `None` as soon as one of them is not known.
"""

from collections.abc import Callable, Iterator, Mapping

from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import record

Values = Mapping[str, Fact | None]
"""Subject → value. A slot's value is the component's id (a many-slot's, a tuple of ids); `None`: empty, unset or not known."""


@record
class NamedPredicate:
    """One relation."""

    name: str
    subjects: tuple[str, ...]
    """What it reads, in the order of `relation`'s arguments."""
    relation: Callable[..., bool]
    """The arithmetic itself, over values that are all known."""
    source: str
    """Who states the relation."""

    @property
    def description(self) -> str:
        """What holds when it holds."""
        return (self.relation.__doc__ or "").strip()

    def holds(self, values: Values) -> bool | None:
        """Return whether the relation holds, or `None` when a value that it reads is not known."""
        arguments = [values.get(subject) for subject in self.subjects]
        if any(argument is None for argument in arguments):
            return None
        return self.relation(*arguments)


class PredicateRegistry(Mapping[str, NamedPredicate]):
    """Predicates by name; a name is given once."""

    def __init__(self) -> None:
        self._by_name: dict[str, NamedPredicate] = {}

    def register(self, name: str, *subjects: str, source: str) -> Callable[[Callable[..., bool]], Callable[..., bool]]:
        """Return a decorator that files a relation under `name`.

        Raises:
            CatalogError: the name is taken, or the relation says nothing about itself.
        """

        def file(relation: Callable[..., bool]) -> Callable[..., bool]:
            if name in self._by_name:
                raise CatalogError(f"predicate '{name}' is registered twice; rename one in catalog/predicates.py")
            if not (relation.__doc__ and source and subjects):
                raise CatalogError(f"predicate '{name}' needs subjects, a docstring and a source")
            self._by_name[name] = NamedPredicate(name, subjects, relation, source)
            return relation

        return file

    def __getitem__(self, name: str) -> NamedPredicate:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


PREDICATES = PredicateRegistry()

_TRL_GRPO = "https://github.com/huggingface/trl/blob/main/trl/trainer/grpo_config.py"
_TRANSFORMERS_ARGS = "https://github.com/huggingface/transformers/blob/main/src/transformers/training_args.py"
_TRANSFORMERS_TP = "https://github.com/huggingface/transformers/blob/main/docs/source/en/perf_infer_gpu_multi.md"
_TRANSFORMERS_SCHEDULES = "https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py"
_TORCH_SWA = "https://github.com/pytorch/pytorch/blob/main/torch/optim/swa_utils.py"


_TORCHTUNE_TP = "https://github.com/meta-pytorch/torchtune/blob/main/torchtune/training/_distributed.py"
_ACCELERATE_PARALLELISM = "https://github.com/huggingface/accelerate/blob/main/src/accelerate/parallelism_config.py"
_VLLM_MODEL = "https://github.com/vllm-project/vllm/blob/main/vllm/config/model.py"
_VLLM_LORA = "https://github.com/vllm-project/vllm/blob/main/vllm/lora/peft_helper.py"
_TRL_VLLM = "https://github.com/huggingface/trl/blob/main/trl/generation/vllm_generation.py"
_TORCH_CP = "https://github.com/pytorch/pytorch/blob/main/torch/distributed/tensor/experimental/_attention.py"


@PREDICATES.register(
    "batch-not-divisible-by-generations", "hardware.count", "batch.micro", "batch.accumulate", "objective.generations", source=_TRL_GRPO
)
def batch_not_divisible_by_generations(count: int, micro: int, accumulate: int, generations: int) -> bool:
    """Sequences of one optimizer step do not divide into whole groups of completions."""
    return count * micro * accumulate % generations != 0


@PREDICATES.register(
    "micro-batch-not-divisible-by-generations",
    "hardware.count",
    "batch.micro",
    "objective.generations",
    source="https://github.com/huggingface/trl/blob/v0.16.1/trl/trainer/grpo_trainer.py",
)
def micro_batch_not_divisible_by_generations(count: int, micro: int, generations: int) -> bool:
    """Sequences of one micro-batch over all devices do not divide into whole groups of completions."""
    return count * micro % generations != 0


@PREDICATES.register(
    "sequence-beyond-context", "data.sequence_length", "model.context_length", source="Model configuration: max_position_embeddings."
)
def sequence_beyond_context(sequence_length: int, context_length: int) -> bool:
    """Sequences are longer than the positions that the model was trained for."""
    return sequence_length > context_length


@PREDICATES.register("context-parallel-indivisible", "data.sequence_length", "distributed.degree", source=_TORCH_CP)
def context_parallel_indivisible(sequence_length: int, degree: int) -> bool:
    """A sequence does not divide into two chunks for each rank, which balanced causal attention needs."""
    return sequence_length % (2 * degree) != 0


@PREDICATES.register("degree-beyond-devices", "distributed.degree", "hardware.count", source=_TRANSFORMERS_TP)
def degree_beyond_devices(degree: int, count: int) -> bool:
    """One split needs more devices than there are."""
    return degree > count


@PREDICATES.register("heads-not-divisible-by-degree", "model.heads", "distributed.degree", source=_TRANSFORMERS_TP)
def heads_not_divisible_by_degree(heads: int, degree: int) -> bool:
    """Attention heads do not divide evenly over the devices of a tensor-parallel group."""
    return heads % degree != 0


@PREDICATES.register("kv-heads-not-divisible-by-degree", "model.kv_heads", "distributed.degree", source=_TORCHTUNE_TP)
def kv_heads_not_divisible_by_degree(kv_heads: int, degree: int) -> bool:
    """Key-value heads do not divide evenly over the devices of a tensor-parallel group."""
    return kv_heads % degree != 0


@PREDICATES.register("devices-not-divisible-by-degree", "hardware.count", "distributed.degree", source=_ACCELERATE_PARALLELISM)
def devices_not_divisible_by_degree(count: int, degree: int) -> bool:
    """There are enough devices for one split, and they do not divide into whole splits."""
    return count > degree and count % degree != 0


@PREDICATES.register("heads-not-divisible-by-engine", "model.heads", "export.tensor_parallel", source=_VLLM_MODEL)
def heads_not_divisible_by_engine(heads: int, tensor_parallel: int) -> bool:
    """Attention heads do not divide evenly over the devices of the serving engine."""
    return heads % tensor_parallel != 0


@PREDICATES.register("devices-not-divisible-by-rollout", "hardware.count", "rollout.tensor_parallel", source=_TRL_VLLM)
def devices_not_divisible_by_rollout(count: int, tensor_parallel: int) -> bool:
    """Training devices do not divide into whole groups for the engine that samples."""
    return count % tensor_parallel != 0


@PREDICATES.register("rank-beyond-engine", "technique.rank", "export.max_rank", source=_VLLM_LORA)
def rank_beyond_engine(rank: int, max_rank: int) -> bool:
    """The adapter's rank is larger than the engine makes room for."""
    return rank > max_rank


@PREDICATES.register(
    "rank-beyond-hidden", "technique.rank", "model.hidden", source="Hu et al. 2021, arXiv:2106.09685: r is far below min(d, k)."
)
def rank_beyond_hidden(rank: int, hidden: int) -> bool:
    """The adapter's rank exceeds the hidden size, so it is larger than the matrix that it adapts."""
    return rank > hidden


@PREDICATES.register("warmup-beyond-steps", "scheduler.warmup_steps", "train.steps", source=_TRANSFORMERS_ARGS)
def warmup_beyond_steps(warmup_steps: int, steps: int) -> bool:
    """Warm-up lasts as long as the run or longer, so the peak learning rate is never used."""
    return warmup_steps >= steps


@PREDICATES.register(
    "budget-beyond-gpu", "budget.memory_gib", "gpu.memory_gib", source="Arithmetic: a device holds no more than its memory."
)
def budget_beyond_gpu(budget_gib: float, memory_gib: float) -> bool:
    """The memory budget is larger than the device's memory."""
    return budget_gib > memory_gib


@PREDICATES.register("eval-every-not-multiple", "train.keep_best", "train.save_every", "eval.every", source=_TRANSFORMERS_ARGS)
def eval_every_not_multiple(keep_best: bool, save_every: int, eval_every: int) -> bool:
    """The best checkpoint shall be kept, but checkpoints fall on steps without an evaluation."""
    return keep_best and save_every % eval_every != 0


@PREDICATES.register("wsd-decay-beyond-steps", "scheduler.decay_steps", "train.steps", source=_TRANSFORMERS_SCHEDULES)
def wsd_decay_beyond_steps(decay_steps: int, steps: int) -> bool:
    """The final decay is as long as the run or longer, so the rate never is stable."""
    return decay_steps >= steps


@PREDICATES.register(
    "wsd-phases-beyond-steps", "scheduler.stable_steps", "scheduler.decay_steps", "train.steps", source=_TRANSFORMERS_SCHEDULES
)
def wsd_phases_beyond_steps(stable_steps: int, decay_steps: int, steps: int) -> bool:
    """Stable phase and decay take more steps than the run has, so the decay is cut short."""
    return stable_steps + decay_steps > steps


@PREDICATES.register(
    "wsd-phases-short-of-steps", "scheduler.stable_steps", "scheduler.decay_steps", "train.steps", source=_TRANSFORMERS_SCHEDULES
)
def wsd_phases_short_of_steps(stable_steps: int, decay_steps: int, steps: int) -> bool:
    """Stable phase and decay end before the run does, which goes on at the lowest rate."""
    return stable_steps + decay_steps < steps


@PREDICATES.register(
    "wsd-phases-and-warmup-short-of-steps",
    "scheduler.warmup_steps",
    "scheduler.stable_steps",
    "scheduler.decay_steps",
    "train.steps",
    source=_TRANSFORMERS_SCHEDULES,
)
def wsd_phases_and_warmup_short_of_steps(warmup_steps: int, stable_steps: int, decay_steps: int, steps: int) -> bool:
    """Warm-up, stable phase and decay end before the run does, which goes on at the lowest rate."""
    return warmup_steps + stable_steps + decay_steps < steps


@PREDICATES.register("floor-above-peak", "scheduler.min_lr", "optimizer.learning_rate", source=_TRANSFORMERS_SCHEDULES)
def floor_above_peak(min_lr: float, learning_rate: float) -> bool:
    """The floor of the schedule is not below its peak, so the learning rate cannot fall."""
    return min_lr >= learning_rate


@PREDICATES.register("ema-longer-than-run", "averaging.decay", "averaging.every", "train.steps", source=_TORCH_SWA)
def ema_longer_than_run(decay: float, every: int, steps: int) -> bool:
    """More than half of the running average still is the weights that it started from."""
    return decay ** (steps // every) > 0.5


@PREDICATES.register("average-interval-beyond-steps", "averaging.every", "train.steps", source=_TORCH_SWA)
def average_interval_beyond_steps(every: int, steps: int) -> bool:
    """The run ends before weights enter the average for the first time."""
    return every > steps


_AXOLOTL = "https://github.com/axolotl-ai-cloud/axolotl/blob/067b021c8b87a9e5e380b9173c704cf7340e30f5/src/axolotl/utils"
_LLAMA_FACTORY_DATA = "https://github.com/hiyouga/LLaMA-Factory/blob/v0.9.5/src/llamafactory/hparams/data_args.py"


@PREDICATES.register(
    "checkpoints-between-evaluations", "config.save_steps", "config.eval_steps", source=f"{_AXOLOTL}/schemas/validation.py"
)
def checkpoints_between_evaluations(save_steps: int | float | str, eval_steps: int | float | str) -> bool:
    """Checkpoints, counted in steps, fall on steps without an evaluation."""
    return isinstance(save_steps, int) and isinstance(eval_steps, int) and eval_steps > 0 and save_steps % eval_steps != 0


@PREDICATES.register("several-data-sets", "config.datasets[].path", source=f"{_AXOLOTL}/data/shared.py")
def several_data_sets(paths: tuple[str, ...]) -> bool:
    """The configuration names more than one data set."""
    return len(paths) > 1


@PREDICATES.register(
    "losses-and-weights-of-other-counts",
    "config.dpo_loss_type[]",
    "config.dpo_loss_weights[]",
    source=f"{_AXOLOTL}/schemas/validation.py",
)
def losses_and_weights_of_other_counts(losses: tuple[str, ...], weights: tuple[str, ...]) -> bool:
    """There is not one weight for each loss."""
    return len(losses) != len(weights)


@PREDICATES.register(
    "own-template-not-given",
    "config.datasets[].chat_template",
    "config.datasets[].chat_template_jinja",
    source=f"{_AXOLOTL}/schemas/datasets.py",
)
def own_template_not_given(named: tuple[str, ...], given: tuple[str, ...]) -> bool:
    """More data sets ask for a template of their own than bring one."""
    return named.count("jinja") > len(given)


@PREDICATES.register("data-sets-and-probabilities-of-other-counts", "config.dataset", "config.interleave_probs", source=_LLAMA_FACTORY_DATA)
def data_sets_and_probabilities_of_other_counts(names: str, probabilities: str | float) -> bool:
    """Names and probabilities, each a text with commas, are not as many."""
    both_written_out = "absent" not in (names, probabilities) and "list" not in (names, probabilities)
    return both_written_out and str(names).count(",") != str(probabilities).count(",")


_TRL_DPO = "https://github.com/huggingface/trl/blob/v1.16.0/trl/trainer/dpo_config.py"
_TRL_GRPO_NOW = "https://github.com/huggingface/trl/blob/v1.16.0/trl/trainer/grpo_config.py"
_TRL_MIXTURE = "https://github.com/huggingface/trl/blob/v1.16.0/trl/scripts/utils.py"


def _remains(whole: object, part: object) -> bool:
    """Return whether two counts are given and the second does not divide the first."""
    counts = [n for n in (whole, part) if isinstance(n, int) and not isinstance(n, bool) and n > 0]
    return len(counts) == 2 and counts[0] % counts[1] != 0


@PREDICATES.register("losses-weighted-one-by-one", "config.loss_type[]", "config.loss_weights[]", source=_TRL_DPO)
def losses_weighted_one_by_one(losses: tuple[str, ...], weights: tuple[str, ...]) -> bool:
    """Losses and their weights are both listed, and not as many."""
    return bool(losses and weights) and len(losses) != len(weights)


@PREDICATES.register("generation-batch-of-partial-groups", "config.generation_batch_size", "config.num_generations", source=_TRL_GRPO_NOW)
def generation_batch_of_partial_groups(batch: int | str, generations: int | str) -> bool:
    """The completions that are sampled at once do not divide into whole groups."""
    return _remains(batch, generations)


@PREDICATES.register(
    "generation-batch-of-partial-steps", "config.generation_batch_size", "config.per_device_train_batch_size", source=_TRL_GRPO_NOW
)
def generation_batch_of_partial_steps(batch: int | str, micro: int | str) -> bool:
    """The completions that are sampled at once do not divide into micro-batches."""
    return _remains(batch, micro)


@PREDICATES.register(
    "sampling-correction-bounds-crossed",
    "config.vllm_importance_sampling_clip_min",
    "config.vllm_importance_sampling_clip_max",
    source=_TRL_GRPO_NOW,
)
def sampling_correction_bounds_crossed(lower: float | str, upper: float | str) -> bool:
    """The lower bound is not below the upper one."""
    return isinstance(lower, int | float) and isinstance(upper, int | float) and lower >= upper


@PREDICATES.register("fractions-of-some", "config.datasets[].path", "config.datasets[].fraction", source=_TRL_MIXTURE)
def fractions_of_some(paths: tuple[str, ...], fractions: tuple[str, ...]) -> bool:
    """Some data sets of a mixture have a fraction, and others have none."""
    return 0 < len(fractions) < len(paths)


@PREDICATES.register("fractions-of-streams", "config.datasets[].fraction", "config.streaming", source=_TRL_MIXTURE)
def fractions_of_streams(fractions: tuple[str, ...], streaming: bool | str) -> bool:
    """Shares are asked of data sets that are streamed."""
    return fractions != () and streaming is True
