"""The texts that the client has open. A snapshot never changes; every edit makes the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import PurePath

from lsprotocol import types
from pygls.uris import to_fs_path

from recipeforge.documents.kind import named_as_recipe, says_how_to_train
from recipeforge.lsp.text import Encoding, Text
from recipeforge.schemas.record import record


@record
class OpenFile:
    """One version of one open text."""

    uri: str
    version: int
    language: str
    text: Text

    @cached_property
    def path(self) -> str:
        """Where it lies; for an untitled text, a name."""
        return (to_fs_path(self.uri) if self.uri.startswith("file:") else None) or self.uri.rpartition(":")[2] or "<text>"

    @cached_property
    def is_recipe(self) -> bool:
        """Whether it is ours to speak about: by its language, its name, or its keys."""
        return self.language == "recipeforge" or named_as_recipe(PurePath(self.path).name) or says_how_to_train(self.text.content)


class OpenFiles:
    """All open texts by URI."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self.told_closed: dict[str, str] = {}
        """Texts that were not open when their findings were pushed, by a check of the whole workspace."""
        self._files: dict[str, OpenFile] = {}

    def __iter__(self) -> Iterator[OpenFile]:
        """Yield the present snapshots."""
        return iter(tuple(self._files.values()))

    def get(self, uri: str) -> OpenFile | None:
        """Return the present snapshot; `None` for a text that is not open."""
        return self._files.get(uri)

    def open(self, item: types.TextDocumentItem) -> OpenFile:
        """Take over a text from the client."""
        file = OpenFile(item.uri, item.version, item.language_id, Text(item.text, self.encoding))
        self._files[item.uri] = file
        return file

    def change(self, uri: str, version: int, changes: Iterable[types.TextDocumentContentChangeEvent]) -> OpenFile | None:
        """Apply a client's edits in their order; `None` for a text that is not open."""
        file = self._files.get(uri)
        if file is None:
            return None
        text = file.text
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start, end = change.range.start, change.range.end
                text = text.changed((start.line, start.character), (end.line, end.character), change.text)
            else:
                text = Text(change.text, self.encoding)
        self._files[uri] = file = replace(file, version=version, text=text)
        return file

    def close(self, uri: str) -> None:
        """Forget a text."""
        self._files.pop(uri, None)
