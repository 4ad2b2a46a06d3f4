"""What a reader of feature models returns, and how it says that it cannot."""

from dataclasses import dataclass

from recipeforge.solver.formula import Formula


class ModelError(ValueError):
    """A file that is not read: says where and why."""

    def __init__(self, name: str, line: int, problem: str) -> None:
        super().__init__(f"{name}:{line}: {problem}")
        self.line = line


@dataclass(frozen=True)
class Model:
    """A feature model: variable `v` of the formula is the feature `names[v]`; any further variables only help to say it briefly."""

    name: str
    formula: Formula
    names: tuple[str, ...]
