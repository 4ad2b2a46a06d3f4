"""Plans made from recipe texts, and training in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.runner.plan import Plan, make_plan
from recipeforge.runner.preflight import problems
from recipeforge.schemas.loadout import Loadout


@dataclass(frozen=True)
class Made:
    """A plan with the loadout and the text that it came from."""

    plan: Plan
    loadout: Loadout
    text: str

    def slugs(self) -> list[str]:
        return [d.slug for d in problems(self.plan, self.loadout)]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """Plan a recipe text as if it lay in a file of the test's folder."""

    def planned(text: str) -> Made:
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        loadout = read(parse(text, str(path)), load()).loadout
        assert loadout is not None, text
        return Made(make_plan(load(), loadout, text), loadout, text)

    return planned


@pytest.fixture
def recipe(tiny_model: Path, rows: Path) -> Callable[..., str]:
    """The text of a runnable recipe, with some of its lines replaced or added."""

    def text(**lines: str) -> str:
        keys = {
            "recipeforge": "1",
            "model": str(tiny_model),
            "technique": "{use: lora, rank: 4}",
            "optimizer": "{use: adamw, learning_rate: 1.0e-2}",
            "scheduler": "constant",
            "data": f"{{source: {rows.name}, format: text, sequence_length: 64, validation: 0.1}}",
            "batch": "{micro: 4}",
            "train": "{steps: 6}",
            "hardware": "{gpu: cpu}",
            "seed": "3",
        }
        return "".join(f"{key}: {value}\n" for key, value in (keys | lines).items() if value)

    return text


class Heard:
    """A channel that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def say(self, kind: str, **fields: Any) -> None:
        self.messages.append((kind, fields))

    def summary(self) -> dict[str, float]:
        return {f["name"]: f["value"] for kind, f in self.messages if kind == "summary"}

    def losses(self) -> list[float]:
        return [f["value"] for kind, f in self.messages if kind == "metric" and f["name"] == "train_loss"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for k, fields in self.messages if k == kind]


@pytest.fixture
def train(make: Callable[..., Made], recipe: Callable[..., str], tmp_path: Path) -> Callable[..., tuple[Heard, Path, bool]]:
    """Train a recipe in this process; return what it said, its folder, and whether it did all steps."""

    def trained(stop_after: int | None = None, go_on_in: Path | None = None, smoke: bool = False, **lines: str) -> tuple[Heard, Path, bool]:
        from recipeforge.runner.loop import Stop
        from recipeforge.runner.train import Training

        made = make(recipe(**lines))
        assert made.slugs() == [], [d.message for d in problems(made.plan, made.loadout)]
        stop, heard = Stop(), Heard()

        def say(kind: str, **fields: Any) -> None:
            heard.messages.append((kind, fields))
            if kind == "step" and fields["step"] == stop_after:
                stop.reason = "the test asked"

        heard.say = say  # type: ignore[method-assign]
        output = go_on_in or tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        output.mkdir(exist_ok=True)
        done = Training(made.plan, output, heard, stop, resume=go_on_in is not None, smoke=smoke).go()  # type: ignore[arg-type]
        return heard, output, done

    return trained


@pytest.fixture
def heard_of() -> type[Heard]:
    """Make channels that remember."""
    return Heard
