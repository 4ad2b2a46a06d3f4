"""`explain` of a name that is neither rule nor component says what it is, and where to read on."""

import pytest

from recipeforge.cli import main


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("optimizer", "it is a slot, and recipeforge status RECIPE --slot optimizer lists what it takes"),
        ("learning_rate", "it is a knob"),
        ("RTX 4090", "it is a GPU"),
        ("Qwen/Qwen2.5-1.5B", "it is a model"),
        ("qloar", "did you mean `qlora`"),
        ("zzzz", "recipeforge catalog show rules"),
    ],
)
def test_a_name_without_a_page(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.outcome(["explain", name]) == 2
    assert says in capsys.readouterr().err
