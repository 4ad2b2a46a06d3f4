"""One file a kind of request. Importing this package registers them all."""

from recipeforge.lsp.features import code_actions, commands, running

__all__ = ["code_actions", "commands", "running"]
