"""Questions that nobody waits for any more stop soon, wherever they are."""

import threading
import time

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.cpsat import Model
from recipeforge.solver.patience import GivenUp, Patience, asked_by, asking
from recipeforge.solver.repair import repairs

BROKEN = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: qlora\nprecision: bf16\nhardware: {gpu: t4}\n"


def test_a_question_given_up_before_it_starts_raises() -> None:
    loadout = read(parse(BROKEN), load()).loadout
    assert loadout is not None
    patience = Patience()
    patience.give_up()
    with asked_by(patience), pytest.raises(GivenUp):
        repairs(load(), loadout)
    assert asking() is None
    assert repairs(load(), loadout), "and the next question is answered"


def pigeons(model: Model, holes: int) -> None:
    """A statement that takes a solver very long to refute: one more pigeon than holes."""
    seats = [[model.new_variable() for _ in range(holes)] for _ in range(holes + 1)]
    for pigeon in seats:
        model.add_or(pigeon)
    for hole in range(holes):
        for one in range(holes + 1):
            for other in range(one):
                model.add_or([-seats[one][hole] - 1, -seats[other][hole] - 1])


def test_a_running_search_is_stopped_from_another_thread() -> None:
    model, patience = Model(), Patience()
    pigeons(model, 11)
    threading.Timer(0.2, patience.give_up).start()
    start = time.monotonic()
    with asked_by(patience), pytest.raises(GivenUp):
        model.solve([], None, 60)
    print(f"stopped after {time.monotonic() - start:.2f} s of 60")
    assert time.monotonic() - start < 30, "it did not wait for its own limit"
