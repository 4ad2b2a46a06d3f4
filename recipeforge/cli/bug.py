"""A bug of ours: one sentence for the user, the traceback in a file."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from recipeforge import __version__


def report_bug(error: BaseException) -> None:
    """Say that this is our fault, where the details are, and what to do. `RECIPEFORGE_DEBUG=1` shows them at once."""
    details = "".join(traceback.format_exception(error))
    if os.environ.get("RECIPEFORGE_DEBUG", "0") not in ("", "0"):
        sys.stderr.write(details)
    log = _written(f"recipeforge {__version__}, Python {sys.version}, {sys.platform}\n{sys.argv!r}\n\n{details}")
    where = f"details are in {log}" if log else "set RECIPEFORGE_DEBUG=1 to see the details"
    name = type(error).__name__
    sys.stderr.write(f"error: this is a bug in recipeforge ({name}), not in your recipe; {where}. Please report it with that file.\n")


def _written(text: str) -> Path | None:
    """Write the log beside the cache, else among temporary files; `None` where neither can be written."""
    import tempfile

    from recipeforge.catalog.cache import cache_dir

    for folder in (cache_dir, lambda: Path(tempfile.gettempdir())):
        try:
            place = folder() / "bugs"
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(".log", "recipeforge-", place)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(name)
        except (OSError, RuntimeError):
            continue
    return None
