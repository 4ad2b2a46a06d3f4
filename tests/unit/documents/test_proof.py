"""The net under every edit: a text that says something else than was asked is never handed out."""

import pytest
from small_catalog import CATALOG

from recipeforge.documents.parse import parse
from recipeforge.documents.proof import prove
from recipeforge.documents.surgery import Refusal
from recipeforge.documents.vocabulary import vocabulary_of
from recipeforge.schemas.change import Change

_BEFORE = "recipeforge: 1\nmodel: tiny\ntechnique: lora\nbatch: {micro: 4}\n"
_SET = Change("set", knob="batch.micro", value=2)
_ADD = Change("add", slot="kernels", component="liger")


def _prove(after: str, *steps: Change) -> None:
    prove(parse(_BEFORE), parse(after), vocabulary_of(CATALOG), steps)


def test_what_was_asked_passes() -> None:
    _prove(_BEFORE.replace("4", "2"), _SET)
    _prove(_BEFORE + "kernels: [liger]\n", _ADD)
    _prove(_BEFORE.replace("4", "2") + "kernels: [liger]\n", _SET, _ADD)


@pytest.mark.parametrize(
    ("after", "step", "why"),
    [
        (_BEFORE, _SET, "read back"),
        (_BEFORE.replace("lora", "dora").replace("4", "2"), _SET, "more than was asked"),
        (_BEFORE.replace("tiny", "other").replace("4", "2"), _SET, "more than was asked"),
        (_BEFORE.replace("4", "2") + "seed: 1\n", _SET, "more than was asked"),
        (_BEFORE, _ADD, "components that were asked for"),
        (_BEFORE + "kernels: [liger, torch-compile]\n", _ADD, "components that were asked for"),
        (_BEFORE + "kernels: [liger]\nnonsense: 1\n", _ADD, "another problem"),
        (_BEFORE + "kernels: [liger]\nkernels: [liger]\n", _ADD, "another problem"),
    ],
)
def test_anything_else_is_refused(after: str, step: Change, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        _prove(after, step)
