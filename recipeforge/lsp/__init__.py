"""The language server: `recipeforge lsp`. The only room that imports pygls; one file of `features` a kind of request."""
