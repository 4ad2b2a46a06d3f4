"""Recipes written back whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from recipeforge.schemas.errors import RecipeForgeError


class WriteError(RecipeForgeError):
    """A file could not be written; the old one is untouched."""


def replace_text(path: str, text: str) -> None:
    """Replace the content of `path`, which keeps its permissions and, where it is a link, stays one.

    Raises:
        WriteError: the file could not be written.
    """
    target = Path(path).resolve()
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
        descriptor, temporary = tempfile.mkstemp(".tmp", f".{target.name[:100]}.", target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode if mode is not None else 0o666 & ~_umask())  # noqa: PTH101
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        kept = "; the old content is still there" if target.exists() else ""
        raise WriteError(f"{path} was not written: {error.strerror or error}{kept}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
