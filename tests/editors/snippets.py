"""Where things lie, and the configurations that docs/editors.md gives."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECIPES = HERE / "recipes"


def snippet(heading: str, language: str) -> str:
    """Return the configuration that docs/editors.md gives for an editor."""
    page = (ROOT / "docs" / "editors.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/editors.md has no section {heading}"
    code = re.search(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    assert code, f"the section {heading} of docs/editors.md has no {language}"
    return code[1]
