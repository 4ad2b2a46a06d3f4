"""Path → Document. The outside world fails in many ways; each is a finding with its next step."""

import os
import stat
from pathlib import Path

from recipeforge.documents.decode import MAX_BYTES, too_large
from recipeforge.documents.findings import finding
from recipeforge.documents.lines import LineIndex
from recipeforge.documents.parse import parse
from recipeforge.documents.tree import Document
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import START_OF_FILE


def load(path: str | Path) -> Document:
    """Return the document at `path`; where it cannot be read, one without a tree that says why."""
    shown = str(path)
    try:
        status = os.stat(path)  # noqa: PTH116 (a path with a NUL raises ValueError, which Path.stat hides on some versions)
        if stat.S_ISDIR(status.st_mode):
            return _unread(shown, _unreadable(f"{shown} is a folder", "Name a recipe file in it."))
        if not stat.S_ISREG(status.st_mode):
            return _unread(shown, _unreadable(f"{shown} is not a regular file", "Name a file, or pass the text on standard input as `-`."))
        if status.st_size > MAX_BYTES:
            return _unread(shown, too_large(status.st_size))
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return _unread(shown, _missing(Path(path), shown))
    except PermissionError:
        return _unread(shown, _unreadable(f"{shown} may not be read by this user", "Check its permissions."))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _unread(shown, _unreadable(f"{_printable(shown)} cannot be read: {reason}", "Check the path."))
    return parse(raw, shown)


def _missing(path: Path, shown: str) -> Diagnostic:
    if path.is_symlink():
        return _unreadable(f"{shown} is a link to a file that does not exist", "Repair the link, or name the file itself.")
    spellings = (path.with_suffix(".yaml"), path.with_suffix(".yml")) if path.name else ()
    near = [other for other in spellings if other != path and other.is_file()]
    return _unreadable(f"there is no file {shown}", f"There is a file {near[0]}." if near else "Check the path.")


def _unreadable(message: str, next_step: str) -> Diagnostic:
    return finding("RF0018", message, START_OF_FILE, help=next_step)


def _unread(path: str, diagnostic: Diagnostic) -> Document:
    return Document(path=path, text="", lines=LineIndex(""), root=None, diagnostics=(diagnostic,), complete=False)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)
