import pytest

pytest.importorskip("pygls", reason="the language server needs the `lsp` extra")
