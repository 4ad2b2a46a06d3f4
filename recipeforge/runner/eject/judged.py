"""Scripts for pairs (TRL's DPO losses) and for classes: rows, batches and the loss."""

from pathlib import Path

from recipeforge.runner.eject.data import JSON, PATH, RANDOM
from recipeforge.runner.eject.pieces import Piece, Wanted, source
from recipeforge.runner.rows import load_rows

DPO = {"dpo": "sigmoid", "ipo": "ipo"}
"""Objective → what TRL calls its loss."""


def labels_of(wanted: Wanted) -> list[str]:
    """Return the classes of the rows, as a run numbers them."""
    v = wanted.plan.values
    limit = int(v["data.limit"]) if "data.limit" in v else None
    rows = load_rows(str(v["data.source"]), str(v["data.format"]), Path(wanted.plan.folder), wanted.plan.seed, limit)
    return sorted({row.record["label"] for row in rows})


def reading(wanted: Wanted) -> Piece:
    """`read_rows()`: records, shuffled by the seed."""
    v = wanted.plan.values
    keys = "text label" if wanted.scores else "prompt chosen rejected"
    body = source(
        """
        def read_rows():
            \"\"\"<keys> of each line, shuffled by the seed.\"\"\"
            rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8-sig").split("\\n") if line.strip()]
            random.Random(SEED).shuffle(rows)
            return rows<limit>
        """,
        keys=keys.capitalize().replace(" ", ", "),
        limit=f"[:{int(v['data.limit'])}]" if "data.limit" in v else "",
    )
    return Piece((body,), (JSON, RANDOM, PATH), (("DATA", wanted.path(Path(wanted.plan.folder) / str(v["data.source"]))),))


def preparing(wanted: Wanted) -> Piece:
    """`tokenise(rows, tokenizer)`, `sequences(rows)`, `as_tensors(lines, pad)`."""
    if not wanted.scores:
        return Piece((_ROWS_AS_THEY_ARE, _ALONE), (), (("LENGTH", wanted.number("data.sequence_length")),))
    constants = (("LENGTH", wanted.number("data.sequence_length")), ("LABELS", repr(labels_of(wanted))))
    return Piece((_NUMBERED, _ALONE, _SCORED_TENSORS), ("import torch",), constants)


def losses(wanted: Wanted) -> Piece:
    """`loss_sum`, `counted`, `mean_loss`, and for pairs the trainer behind them."""
    casting = f"with torch.autocast(DEVICE, dtype=torch.{wanted.formats.autocast}):\n    " if wanted.formats.autocast else ""
    if wanted.scores:
        loss = source(
            """
            def loss_sum(model, lines, pad):
                \"\"\"Summed cross-entropy of each text's class.\"\"\"
                batch, labels = as_tensors(lines, pad)
                <scores>
                return functional.cross_entropy(scores.float(), labels, reduction="sum")
            """,
            scores=f"{casting}scores = model(**batch).logits",
        )
        return Piece((loss, _COUNTED, *((_MEAN,) if wanted.has("data.validation") else ())), ("from torch.nn import functional",))
    v = wanted.plan.values
    asked = bool(v.get("technique.dropout") or v.get("attention.dropout"))
    trainer = source(
        """
        def judge(model, tokenizer, rows):
            \"\"\"TRL's trainer, of which the rows, the batches and the loss are taken; it never trains.\"\"\"
            config = DPOConfig(
                output_dir=tempfile.mkdtemp(),
                use_cpu=DEVICE == "cpu",
                bf16=False,
                gradient_checkpointing=False,
                loss_type=["<loss>"],
                beta=BETA,
                max_length=LENGTH,
                disable_dropout=<still>,
                report_to=[],
            )
            <reference>
            weights = [(p, p.data, p.requires_grad) for p in model.parameters()]
            dataset, own = Dataset.from_list(rows), copy.deepcopy(tokenizer)
            trainer = DPOTrainer(model, args=config, train_dataset=dataset, processing_class=own<more>)
            <switched>
            for parameter, data, trains in weights:  # over a quantized base, TRL makes adapters bf16
                parameter.data = data
                parameter.requires_grad_(trains)
            return trainer
        """,
        loss=DPO[wanted.plan.part_in("objective")],
        still=str(not asked),
        reference="" if wanted.adapter else "reference = load_base().requires_grad_(False).eval()",
        more="" if wanted.adapter else ", ref_model=reference",
        switched='model.delete_adapter("ref")  # the adapter is switched off instead\nmodel.set_adapter("default")'
        if wanted.adapter
        else "",
    )
    prepared = source(
        """
        def prepared(trainer, rows):
            \"\"\"Rows as the trainer tokenises them.\"\"\"
            rows = trainer._prepare_dataset(Dataset.from_list(rows), trainer.processing_class, trainer.args, "rows")
            return [{name: row[name] for name in ("prompt_ids", "chosen_ids", "rejected_ids")} for row in rows]
        """
    )
    loss = source(
        """
        def loss_sum(model, lines, trainer):
            \"\"\"The trainer's loss of these pairs, times how many there are.\"\"\"
            batch = {name: value.to(DEVICE) for name, value in trainer.data_collator(lines).items()}
            <loss>
            return loss * len(lines)
        """,
        loss=f"{casting}loss = trainer.compute_loss(model, batch)",
    )
    imports = (
        "import copy",
        "import tempfile",
        "import torch",
        "from datasets import Dataset",
        "from trl import DPOConfig",
        "from trl import DPOTrainer",
    )
    functions = (trainer, prepared, loss, _COUNTED, *((_MEAN,) if wanted.has("data.validation") else ()))
    return Piece(functions, imports, (("BETA", wanted.number("objective.beta")),))


_ROWS_AS_THEY_ARE = source(
    """
    def tokenise(rows, tokenizer):
        \"\"\"Texts for now: the trainer tokenises them, when there is a model.\"\"\"
        return [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in rows]
    """
)
_NUMBERED = source(
    """
    def tokenise(rows, tokenizer):
        \"\"\"Token ids of each text, at most LENGTH, and the number of its class.\"\"\"
        texts = [tokenizer(row["text"], truncation=True, max_length=LENGTH)["input_ids"] for row in rows]
        return [(ids, LABELS.index(str(row["label"]))) for ids, row in zip(texts, rows) if ids]
    """
)
_ALONE = source(
    """
    def sequences(rows):
        \"\"\"Each row is a sequence of its own.\"\"\"
        return list(rows)
    """
)
_SCORED_TENSORS = source(
    """
    def as_tensors(lines, pad):
        \"\"\"One batch, padded on the right, and its classes.\"\"\"
        width = max(len(ids) for ids, _ in lines)
        batch = {
            "input_ids": [[*ids, *[pad] * (width - len(ids))] for ids, _ in lines],
            "attention_mask": [[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in lines],
        }
        labels = torch.tensor([label for _, label in lines], device=DEVICE)
        return {name: torch.tensor(values, device=DEVICE) for name, values in batch.items()}, labels
    """
)
_COUNTED = source(
    """
    def counted(lines):
        \"\"\"Every row counts the same.\"\"\"
        return len(lines)
    """
)
_MEAN = source(
    """
    @torch.no_grad()
    def mean_loss(model, lines, pad):
        \"\"\"Mean loss a row, dropout off.\"\"\"
        model.eval()
        total = sum(loss_sum(model, lines[i : i + MICRO], pad).item() for i in range(0, len(lines), MICRO))
        model.train()
        return total / counted(lines)
    """
)
