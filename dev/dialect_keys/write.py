"""A vocabulary as JSON, one key a line, sorted, so that a refresh shows as a readable difference."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLES = ("keys", "trainers", "recipes", "components", "gone")


def text(vocabulary: Mapping[str, Any]) -> str:
    """The bytes of a vocabulary file."""
    lines = []
    for name, value in vocabulary.items():
        if name in TABLES:
            rows = ",\n".join(f"  {_plain(key)}: {_plain(value[key])}" for key in sorted(value))
            lines.append(f" {_plain(name)}: " + ("{\n" + rows + "\n }" if rows else "{}"))
        else:
            lines.append(f" {_plain(name)}: {_plain(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(path: Path, vocabulary: dict[str, Any]) -> bool:
    """Write a vocabulary, unless only the day differs from what the file has; tell whether it was written."""
    if path.exists():
        old = json.loads(path.read_text(encoding="utf-8"))
        if {**old, "taken": ""} == {**vocabulary, "taken": ""}:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(vocabulary), encoding="utf-8")
    return True


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)
