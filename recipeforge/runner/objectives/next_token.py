"""The next token of every row: SFT and continued pre-training."""

from collections.abc import Sequence
from typing import Any

import torch

from recipeforge.runner.batches import Line, Tokenised, pack, tokenise
from recipeforge.runner.loading import formats_of
from recipeforge.runner.loop import Bench, check_packing
from recipeforge.runner.objectives.objective import Data, split
from recipeforge.runner.parts.regularization import smoothing_of
from recipeforge.runner.plan import Plan
from recipeforge.runner.rows import Row


class NextToken:
    """Cross-entropy over the tokens of rows, packed or one a sequence."""

    def read(self, plan: Plan, rows: Sequence[Row], tokenizer: Any, few: int | None) -> tuple[Data, Tokenised]:
        """Tokenise, and pack where the recipe says so."""
        length, packed = int(plan.values["data.sequence_length"]), bool(plan.values["data.packing"])
        done = tokenise(rows, tokenizer, length, bool(plan.values["objective.completion_only"]))
        kept, apart = split(done.rows, plan, few)
        train, held_out = ([*pack(part, length)] if packed else [Line((row,)) for row in part] for part in (kept, apart))
        said = f"{len(kept)} rows in {len(train)} sequences to train on, {len(apart)} rows held out"
        return Data(train, held_out, held_out or train[: int(plan.values["batch.micro"])], said=said), done

    def measured(self, plan: Plan, model: Any, tokenizer: Any, data: Data, device: torch.device) -> tuple[Bench, Data]:
        """Return the loss of next tokens; packed rows are proved not to see one another first."""
        packed = bool(plan.values["data.packing"])
        bench = Bench(device, tokenizer.pad_token_id, packed, formats_of(plan).autocast, smoothing_of(plan.parts, plan.values))
        if packed:
            check_packing(model, bench)
        return bench, data
