"""One file a kind of request. Importing this package registers them all."""

from recipeforge.lsp.features import (
    code_actions,
    code_lenses,
    commands,
    completion,
    definition,
    document_links,
    folding,
    hover,
    inlay_hints,
    running,
    symbols,
)

__all__ = [
    "code_actions",
    "code_lenses",
    "commands",
    "completion",
    "definition",
    "document_links",
    "folding",
    "hover",
    "inlay_hints",
    "running",
    "symbols",
]
