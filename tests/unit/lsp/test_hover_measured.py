"""What was measured of a scheduler stands on its card."""

import re

from tests.unit.lsp.reading import known, popup


def test_a_scheduler_tells_what_was_measured_and_that_it_is_our_own_run() -> None:
    text = popup(known("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nscheduler: cosine\n"), "cosine")
    assert re.search(r"> “cosine: val\\?_loss 0\.\d{4} ± 0\.\d{4}, val\\?_acc 0\.\d{3} ± 0\.\d{3} over \d+ seeds", text)
    assert "**T1** the owner's own recorded run · bench schedulers: cosine" in text
    assert "bench schedulers: the whole cohort" in text
