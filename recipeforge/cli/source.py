"""A recipe named on the command line, as a document: a file, or `-` for standard input."""

from __future__ import annotations

import sys

from recipeforge.documents.decode import MAX_BYTES
from recipeforge.documents.tree import Document

STDIN = "<stdin>"


def document_at(path: str) -> Document:
    """Return the document at `path`; what is wrong with the file is in its findings."""
    if path == "-":
        from recipeforge.documents.parse import parse

        return parse(sys.stdin.buffer.read(MAX_BYTES + 1), STDIN)
    from recipeforge.documents.load import load

    return load(path)
