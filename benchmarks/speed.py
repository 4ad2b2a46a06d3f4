"""The time model against published speeds: every run that states its options, one row each.

    python benchmarks/speed.py

Prints tokens a second and device: as published, as predicted (slow, typical, fast), their ratio, and whether the range holds it.
Then how many are inside, how many are within a factor of 1.5 of the typical value, and how far the typical value is off in the median.

What the sources leave open is filled in so: LLaMA-Factory recomputes layers and its rows are full (its defaults and what its table
implies); torchtune's shipped configurations recompute layers, and its tokens a second are those of all devices; torchtitan's
recomputation of some operations only counts as none, its sequences have 8,192 tokens unless stated, and its H100 has less bandwidth
and power than the catalog's. A run whose device the catalog knows no peak of is printed and not judged.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.speed_estimate import speed_of, why_unknown

TORCHTUNE = "torchtune README"
FACTORY = "LLaMA-Factory wiki"
TITAN = "torchtitan benchmarks"
PEFT = "peft method_comparison"
ENGINEERING = "ml-engineering insights"

LLAMA_3B, LLAMA_8B, LLAMA_7B = "meta-llama/Llama-3.2-3B", "meta-llama/Llama-3.1-8B", "meta-llama/Llama-2-7b-hf"
CKPT, COMPILE, FULL_ROWS = "memory: [gradient-checkpointing]", "kernels: [torch-compile]", "packing: true"


@dataclass(frozen=True)
class Row:
    """One published run."""

    source: str
    name: str
    published: float
    """Tokens a second and device."""
    recipe: str


def recipe(model: str, gpu: str, sequence: int, *lines: str, count: int = 1, packed: bool = True, batch: str = "micro: 1") -> str:
    """Return a recipe of these options."""
    head = ["recipeforge: 1", f"model: {model}", *lines]
    head += [f"data: {{sequence_length: {sequence}, packing: {str(packed).lower()}}}", f"batch: {{{batch}}}"]
    return "\n".join([*head, f"hardware: {{gpu: {gpu}, count: {count}}}"]) + "\n"


def torchtune() -> Iterator[Row]:
    """Yield github.com/meta-pytorch/torchtune README, both tables."""
    full, lora, qlora = "technique: full", "technique: {use: lora, rank: 64}", "technique: {use: qlora, rank: 64}\nquantization: bnb-4bit"
    bf16 = "precision: pure-bf16"

    def three(name: str, published: float, *lines: str, packed: bool = True) -> Row:
        return Row(TORCHTUNE, name, published, recipe(LLAMA_3B, "a100-80gb", 4096, bf16, *lines, packed=packed, batch="micro: 2"))

    chunked, in_backward = "fused-cross-entropy", "optimizer-in-backward"
    yield three("3B full, not packed", 2091, full, packed=False)
    yield three("3B full, packed", 7075, full)
    yield three("… + compile", 8998, full, COMPILE)
    yield three("… + chunked loss", 9174, full, COMPILE, f"memory: [{chunked}]")
    yield three("… + checkpointing", 7210, full, COMPILE, f"memory: [{chunked}, gradient-checkpointing]")
    yield three("… + optimizer in backward", 7309, full, COMPILE, f"memory: [{chunked}, gradient-checkpointing, {in_backward}]")
    offloaded = f"memory: [{chunked}, gradient-checkpointing, {in_backward}, activation-offloading]"
    yield three("… + activation offloading", 7301, full, COMPILE, offloaded)
    yield three("… + 8-bit AdamW", 6960, full, COMPILE, offloaded, "optimizer: adamw-8bit")
    yield three("3B LoRA", 8210, lora, COMPILE, f"memory: [{chunked}, gradient-checkpointing, activation-offloading]")
    yield three("3B QLoRA", 8035, qlora, COMPILE, f"memory: [{chunked}, gradient-checkpointing, activation-offloading]")

    def one(name: str, published: float, gpu: str, *lines: str) -> Row:
        return Row(TORCHTUNE, name, published, recipe(LLAMA_8B, gpu, 2048, bf16, CKPT, COMPILE, *lines, batch="micro: 2"))

    small, four_bit = "technique: lora", "technique: qlora\nquantization: bnb-4bit"
    yield one("8B full, RTX 4090", 1650, "rtx-4090", full)
    yield one("8B LoRA, RTX 4090", 3083, "rtx-4090", small)
    yield one("8B QLoRA, RTX 4090", 2413, "rtx-4090", four_bit)
    yield one("8B full, A6000", 2579, "a6000", full)
    yield one("8B LoRA, A6000", 4699, "a6000", small)
    shared = ("distributed: fsdp2", CKPT, COMPILE, bf16)
    llama_70b, llama_405b = "meta-llama/Llama-3.1-70B", "meta-llama/Llama-3.1-405B"
    offload = ("distributed: {use: fsdp2, offload: true}", CKPT, COMPILE, bf16)
    yield Row(TORCHTUNE, "70B full, 8×A100, offloaded", 1568 / 8, recipe(llama_70b, "a100-80gb", 2048, full, *offload, count=8))
    yield Row(TORCHTUNE, "70B LoRA, 8×A100", 3497 / 8, recipe(llama_70b, "a100-80gb", 2048, small, *shared, count=8))
    yield Row(TORCHTUNE, "405B QLoRA, 8×A100", 653 / 8, recipe(llama_405b, "a100-80gb", 2048, four_bit, *shared, count=8))


def factory() -> Iterator[Row]:
    """Yield github.com/hiyouga/LLaMA-Factory/wiki/Performance-comparison, the tables that name their GPU."""
    lora, qlora, bf16 = "technique: {use: lora, rank: 8}", "technique: {use: qlora, rank: 8}\nquantization: bnb-4bit", "precision: bf16"
    eager, flash, unsloth = "attention: eager", "attention: flash-attention-2", "attention: flash-attention-2\nkernels: [unsloth]"
    for name, published, technique, kernel in (
        ("7B LoRA, eager", 2392, lora, eager),
        ("7B LoRA, FlashAttention-2", 2954, lora, flash),
        ("7B LoRA, Unsloth", 4007, lora, unsloth),
        ("7B QLoRA, eager", 2415, qlora, eager),
        ("7B QLoRA, Unsloth", 3726, qlora, unsloth),
    ):
        text = recipe(LLAMA_7B, "a100-80gb", 1024, technique, bf16, kernel, CKPT, batch="micro: 4, accumulate: 2")
        yield Row(FACTORY, name, published, text)
    lengths = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 100000)
    by_length = {"FlashAttention-2": (2295, 2741, 2926, 3128, 3542, 2216), "Unsloth": (2556, 3178, 3413, 3632, 4050, 2456, 1820, 1202)}
    for (name, speeds), kernel in zip(by_length.items(), (flash, unsloth), strict=True):
        for length, published in zip(lengths, speeds, strict=False):
            text = recipe(LLAMA_7B, "a100-40gb", length, qlora, bf16, kernel, CKPT, batch="micro: 1, accumulate: 4")
            yield Row(FACTORY, f"7B QLoRA, {name}, {length}", published, text)


def titan() -> Iterator[Row]:
    """Yield github.com/pytorch/torchtitan/tree/main/benchmarks: one- and two-dimensional parallelism."""
    full, mixed, fp8 = "technique: full", "precision: bf16", "precision: fp8"
    sharded = "distributed: fsdp2"
    for count, plain, compiled, narrow in ((8, 5762, 6667, 8532), (128, 5605, 6514, 8380)):
        yield Row(TITAN, f"8B, {count}×H100", plain, recipe(LLAMA_8B, "h100-80gb", 8192, full, mixed, sharded, count=count))
        yield Row(TITAN, "… + compile", compiled, recipe(LLAMA_8B, "h100-80gb", 8192, full, mixed, sharded, COMPILE, count=count))
        yield Row(TITAN, "… + float8", narrow, recipe(LLAMA_8B, "h100-80gb", 8192, full, fp8, sharded, COMPILE, count=count))
    long = recipe(LLAMA_8B, "h100-80gb", 32768, full, fp8, sharded, COMPILE, CKPT, count=8)
    yield Row(TITAN, "8B, 8×H100, float8, 32768", 3890, long)
    for count, published in ((32, 10938), (64, 10753)):
        text = recipe(LLAMA_8B, "h200", 8192, full, fp8, sharded, COMPILE, count=count)
        yield Row(TITAN, f"8B, {count}×H200, float8", published, text)
    split = "distributed: [fsdp2, {use: tensor-parallel, degree: 8}]"
    two = recipe("meta-llama/Llama-3.1-70B", "h100-80gb", 8192, full, fp8, split, COMPILE, CKPT, count=256)
    yield Row(TITAN, "70B, 256×H100, FSDP and TP, float8", 829, two)


def peft() -> Iterator[Row]:
    """Yield github.com/huggingface/peft/tree/main/method_comparison/MetaMathQA/results: tokens over `train_time`, on an L40S."""
    tokens, targets = 4198051, "targets: attention"
    for name, seconds, technique in (
        ("3B full", 2147.3, "technique: full"),
        ("3B LoRA, rank 32", 942.0, f"technique: {{use: lora, rank: 32, {targets}}}"),
        ("3B LoRA, rank 64", 966.7, f"technique: {{use: lora, rank: 64, {targets}}}"),
        ("3B DoRA, rank 32", 1190.9, f"technique: {{use: dora, rank: 32, {targets}}}"),
        ("3B IA³", 986.8, "technique: ia3"),
        ("3B prompt tuning", 1473.0, "technique: prompt-tuning"),
    ):
        text = recipe(LLAMA_3B, "l40s", 768, technique, "precision: pure-bf16", packed=False, batch="micro: 4")
        yield Row(PEFT, name, tokens / seconds, text)


def engineering() -> Iterator[Row]:
    """Yield stas00/ml-engineering, insights/when-to-upgrade-gpus: TFLOPS a GPU, over 6 × (parameters + layers × width × sequence)."""
    parts = ("technique: full", "precision: bf16", "distributed: {use: zero-3, offload: true}", CKPT, "kernels: [liger]")
    for gpu, speeds in (("h200", (141, 324, 391, 420, 422, 419)), ("b200", (167, 524, 719, 836, 852, 852))):
        for thousands, tflops in zip((8, 32, 64, 128, 192, 256), speeds, strict=True):
            length = thousands * 1024
            published = tflops * 1e12 / (6 * 8.03e9 + 6 * 32 * 4096 * length)
            text = recipe(LLAMA_8B, gpu, length, *parts, count=8)
            yield Row(ENGINEERING, f"8B, 8×{gpu.upper()}, {thousands}K, offloaded", published, text)


def main() -> None:
    """Print the table and what it comes to."""
    catalog = load()
    rows = [*torchtune(), *factory(), *titan(), *peft(), *engineering()]
    print(f"{'source':<24}{'run':<38}{'published':>10}{'slow':>9}{'typical':>9}{'fast':>9}{'off by':>8}")
    ratios: list[float] = []
    inside = 0
    for row in rows:
        loadout = read(parse(row.recipe, "row.yaml"), catalog).loadout
        assert loadout is not None, row
        found = speed_of(catalog, loadout)
        told = f"{row.source:<24}{row.name:<38}{row.published:>10,.0f}"
        if found is None:
            print(f"{told}  not judged: {why_unknown(catalog, loadout)}")
            continue
        slow, typical, fast = (x / found.devices for x in found.tokens_per_s)
        holds = slow <= row.published <= fast
        inside += holds
        ratios.append(row.published / typical)
        verdict = f"{100 * (row.published / typical - 1):>+7.0f} %{'' if holds else '  OUTSIDE'}"
        print(f"{told}{slow:>9,.0f}{typical:>9,.0f}{fast:>9,.0f}{verdict}")
    near = sum(1 / 1.5 <= r <= 1.5 for r in ratios)
    off = statistics.median(max(r, 1 / r) for r in ratios)
    print(f"\n{inside} of {len(ratios)} inside the range, {near} within a factor of 1.5 of the typical value; median factor {off:.2f}")
    print(f"published over typical: {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
