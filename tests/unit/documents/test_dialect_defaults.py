"""What nobody wrote is the tool's own value: held against the defaults in the vocabularies that come from the tools' sources."""

import pytest

from recipeforge.api.checking import catalog_for, check_document
from recipeforge.catalog.load import load
from recipeforge.documents.dialects.defaults import DEFAULTS
from recipeforge.documents.dialects.dialect import dialects
from recipeforge.documents.dialects.key_vocabulary import keys_of
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.view import view_of

CATALOG = load()
OTHER_WORDS = {("eval.strategy", "no"): "none"}
"""(knob, word of the tools) → the same in a recipe."""


@pytest.mark.parametrize("name", sorted(dialects()))
def test_every_default_that_differs_is_known(name: str) -> None:
    dialect, own = dialects()[name], DEFAULTS[name]
    assert own.keys() <= CATALOG.knobs.keys()
    keys = keys_of(dialect.name, dialect.title, dialect.refuses)
    assert keys is not None
    compared = 0
    for knob, path in dialect.knobs.items():
        ours, theirs = CATALOG.knobs[knob].default, keys.keys.get(path, {}).get("default")
        if ours is None or theirs is None or own.get(knob, 0) is None:
            continue
        assert own.get(knob, ours) == OTHER_WORDS.get((knob, str(theirs)), theirs), f"{name} takes {theirs!r} for `{path}`"
        compared += 1
    assert compared >= (0 if name == "torchtune" else 5)  # torchtune's files say everything


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_a_default_that_a_recipe_shares_is_not_listed(name: str) -> None:
    for knob, value in DEFAULTS[name].items():
        assert value != CATALOG.knobs[knob].default, f"{name}: {knob}"


LLAMA_FACTORY = """\
model_name_or_path: HuggingFaceTB/SmolLM2-135M
stage: sft
do_train: true
finetuning_type: lora
dataset: alpaca_en_demo
template: default
output_dir: out
"""


def test_the_tools_own_value_is_what_rules_and_estimates_see() -> None:
    loadout = read(parse(LLAMA_FACTORY, "lf.yml"), CATALOG).loadout
    assert loadout is not None and loadout.dialect == "llamafactory"
    view = view_of(catalog_for(CATALOG, loadout), loadout)
    assert (view.known("batch.micro"), view.known("data.sequence_length")) == (8, 2048)
    assert view.known("technique.alpha") is None, "twice the rank, which the reader does not work out"
    few = check_document(parse(LLAMA_FACTORY + "per_device_train_batch_size: 1\n", "lf.yml"))
    many = check_document(parse(LLAMA_FACTORY, "lf.yml"))
    assert few.estimate is not None and many.estimate is not None
    assert few.estimate.total < many.estimate.total / 2


def test_what_nobody_wrote_is_not_written_by_a_conversion() -> None:
    loadout = read(parse(LLAMA_FACTORY, "lf.yml"), CATALOG).loadout
    assert loadout is not None
    assert loadout.value_of("batch.micro") is None
