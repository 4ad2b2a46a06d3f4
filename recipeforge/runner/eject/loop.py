"""The loss, the measurement and the loop."""

from pathlib import Path

from recipeforge.runner.eject.optimizer import steps_of
from recipeforge.runner.eject.pieces import Piece, Wanted, source


def losses(wanted: Wanted) -> Piece:
    """`loss_sum`, `counted`, `mean_loss`."""
    casting = wanted.formats.autocast
    forward = "logits = model(**batch, use_cache=False).logits[:, :-1]"
    if casting:
        forward = f"with torch.autocast(DEVICE, dtype=torch.{casting}):\n    {forward}"
    loss = source(
        """
        def loss_sum(model, lines, pad):
            \"\"\"Summed cross-entropy of every token that counts.\"\"\"
            batch = as_tensors(lines, pad)
            labels = batch.pop("labels")[:, 1:]
            <forward>
            return functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100, reduction="sum")
        """,
        forward=forward,
    )
    functions = (loss, _COUNTED, *((_MEAN,) if wanted.has("data.validation") else ()))
    return Piece(functions, ("import torch", "from torch.nn import functional"))


_COUNTED = source(
    """
    def counted(lines):
        \"\"\"How many tokens the loss looks at.\"\"\"
        return sum(label != -100 for line in lines for _, labels in line for label in labels)
    """
)
_MEAN = source(
    """
    @torch.no_grad()
    def mean_loss(model, lines, pad):
        \"\"\"Mean loss a token, dropout off.\"\"\"
        model.eval()
        total = sum(loss_sum(model, lines[i : i + MICRO], pad).item() for i in range(0, len(lines), MICRO))
        model.train()
        return total / counted(lines)
    """
)


def main(wanted: Wanted) -> Piece:
    """`main()`: everything in order."""
    v, held = wanted.plan.values, wanted.has("data.validation")
    steps, clip = steps_of(wanted), float(v["train.gradient_clip"])
    function = source(
        """
        def main():
            set_seed(SEED)
            tokenizer = load_tokenizer()
            rows = tokenise(read_rows(), tokenizer)
            <split>
            lines = sequences(rows)
            model, pad = build_model(), tokenizer.pad_token_id
            <judge>
            <before>
            steps = <steps>
            optimizers = build_optimizers(model)
            schedulers = [build_scheduler(optimizer, steps) for optimizer in optimizers]
            trained = [p for p in model.parameters() if p.requires_grad]
            set_seed(SEED)
            model.train()
            stream = micro_batches(lines)
            for step in range(1, steps + 1):
                batches = list(itertools.islice(stream, ACCUMULATE))
                tokens = sum(counted(batch) for batch, _ in batches)  # the mean is over the tokens of the whole step
                loss = 0.0
                for batch, _ in batches:
                    share = loss_sum(model, batch, pad) / tokens
                    share.backward()
                    loss += share.item()
                norm = torch.nn.utils.clip_grad_norm_(trained, <clip>)
                if not (math.isfinite(loss) and math.isfinite(norm.item())):
                    raise SystemExit(f"step {step}: the loss is {loss}, the gradient's norm {norm.item()}")
                for optimizer, scheduler in zip(optimizers, schedulers):
                    optimizer.step()
                    scheduler.step()
                    optimizer.zero_grad()
                <log>
                <during>
                <save>
            <settle>
            <after>
            model.save_pretrained(OUTPUT<embeddings>)
            tokenizer.save_pretrained(OUTPUT)
        """,
        split=_split(wanted) if held else "",
        judge=_judge(held) if wanted.pairs else "",
        before='print(f"held-out loss before: {mean_loss(model, held_out, pad):.6f}", flush=True)' if held else "",
        steps=steps,
        clip=repr(clip) if clip else "math.inf",
        log=_log(wanted),
        during=_during(wanted) if held else "",
        save=_save(wanted),
        settle="for optimizer in optimizers:\n    optimizer.eval()" if wanted.averages else "",
        after='print(f"held-out loss after: {mean_loss(model, held_out, pad):.6f}", flush=True)' if held else "",
        embeddings=", save_embedding_layers=False" if wanted.adapter else "",
    )
    constants = (("ACCUMULATE", wanted.number("batch.accumulate")), ("OUTPUT", _output(wanted)))
    imports = ("import torch", "import itertools", "import math", "from pathlib import Path", "from transformers import set_seed")
    return Piece((function,), imports, constants)


def _judge(held: bool) -> str:
    lines = ["pad = judge(model, tokenizer, lines)  # pads, too", "lines = prepared(pad, lines)"]
    return "\n".join([*lines, "held_out = prepared(pad, held_out)"] if held else lines)


def _output(wanted: Wanted) -> str:
    if wanted.plan.output:
        return wanted.path(Path(wanted.plan.output))
    return 'HERE / "output"' if wanted.folder is not None else 'Path("output")'


def _split(wanted: Wanted) -> str:
    share = float(wanted.plan.values["data.validation"])
    return (
        f"held = max(1, round({share!r} * len(rows)))\n"
        "rows, apart = rows[: len(rows) - held], rows[len(rows) - held :]\n"
        "held_out = sequences(apart)"
    )


def _log(wanted: Wanted) -> str:
    every = int(wanted.plan.values["train.log_every"])
    line = 'print(f"step {step}/{steps}  loss {loss:.6f}", flush=True)'
    return line if every == 1 else f"if step % {every} == 0:\n    {line}"


def _during(wanted: Wanted) -> str:
    v = wanted.plan.values
    when = {"none": "", "epoch": "any(last for _, last in batches)", "steps": f"step % {int(v.get('eval.every', 1))} == 0"}[
        str(v["eval.strategy"])
    ]
    if not when:
        return ""
    measure = 'print(f"held-out loss after {step} steps: {mean_loss(model, held_out, pad):.6f}", flush=True)'
    return f"if step < steps and {when}:\n{_indented(_at_rest(wanted, measure))}"


def _save(wanted: Wanted) -> str:
    if "train.save_every" not in wanted.plan.values:
        return ""
    save = f'model.save_pretrained(OUTPUT / f"step-{{step}}"{", save_embedding_layers=False" if wanted.adapter else ""})  # weights alone'
    return f"if step % {int(wanted.plan.values['train.save_every'])} == 0:\n{_indented(_at_rest(wanted, save))}"


def _at_rest(wanted: Wanted, what: str) -> str:
    if not wanted.averages:
        return what
    return f"for optimizer in optimizers:\n    optimizer.eval()\n{what}\nfor optimizer in optimizers:\n    optimizer.train()"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
