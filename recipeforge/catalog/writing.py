"""New entries for pack files: the next free code or id, the entry as text, and writing that leaves no broken pack behind."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.entries import Entry, read_entries
from recipeforge.catalog.files import content_files
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.errors import CatalogError

WIDTH = 120
BLOCK = 50
"""Codes that a new topic of a family keeps to itself."""
LINE_LIMIT = 60
"""Longer texts are written on lines of their own."""


class Flow(str):
    """A value that is YAML already, such as `{technique: qlora}`."""


class Recipe(str):
    """A text whose lines are kept."""


Value = str | Flow | Recipe | Sequence[str] | Mapping[str, "Value"] | Sequence[Mapping[str, "Value"]]


def next_code(catalog: Catalog, family: str, topic_codes: Sequence[str]) -> str:
    """Return the next free code of a family: after the topic's own, or at the start of a block that no topic uses.

    Raises:
        CatalogError: every code of the family is taken.
    """
    taken = {code for code in catalog.rules if code.startswith(family)}
    own = [int(code[3:]) for code in topic_codes if code.startswith(family)]
    blocks = {(int(code[3:]) - 1) // BLOCK for code in taken}
    first = max(own) + 1 if own else next((1 + BLOCK * block for block in range(1000 // BLOCK) if block not in blocks), 1)
    for number in (*range(first, 1000), *range(1, first)):
        if f"{family}{number:03}" not in taken:
            return f"{family}{number:03}"
    raise CatalogError(f"every code of {family}xxx is taken")


def next_claim(catalog: Catalog, topic_ids: Sequence[str]) -> str:
    """Return the next free id of a claim: after the topic's own, or after all."""
    taken = {int(id_[3:]) for id_ in catalog.claims}
    number = max((int(id_[3:]) for id_ in topic_ids), default=-(-(max(taken, default=0) + 1) // 10) * 10 - 1) + 1
    while number in taken:
        number += 1
    return f"EV-{number:04}"


def entries_of(path: Path) -> list[Entry]:
    """Return the entries of a pack file; none where there is no such file."""
    return read_entries(path) if path.exists() else []


def entry_text(fields: Mapping[str, Value]) -> str:
    """Return an entry as a pack's authors write it."""
    lines = [line for name, value in fields.items() for line in _field(name, value)]
    return "".join(f"{'  ' if index else '- '}{line}".rstrip() + "\n" for index, line in enumerate(lines))


def append(path: Path, text: str, dirs: Sequence[Path], separated: bool) -> Catalog:
    """Write an entry at the end of a file and return the catalog with it; a pack that would not load stays as it was.

    Raises:
        CatalogError: the catalog does not load with it, or the file cannot be written.
    """
    try:
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        head = b"" if not before else before.rstrip(b"\n") + (b"\n\n" if separated else b"\n")
        path.write_bytes(head + text.encode("utf-8"))
    except OSError as error:
        raise CatalogError(f"{path}: cannot be written ({error.strerror}); name a pack of your own with --pack") from error
    try:
        return compile_packs(dirs)
    except CatalogError:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        raise


def written(dirs: Sequence[Path], name: str) -> tuple[str, str] | None:
    """Return where the entry with this id, code or path is written, and its text; nothing where none has it."""
    for pack in dirs:
        for path in content_files(pack):
            found = read_entries(path)
            for index, entry in enumerate(found):
                if name in (entry.data.get("id"), entry.data.get("code"), entry.data.get("path")):
                    end = found[index + 1].line - 1 if index + 1 < len(found) else None
                    lines = path.read_text(encoding="utf-8-sig").splitlines()[entry.line - 1 : end]
                    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
                        lines.pop()
                    return entry.place, "\n".join(lines) + "\n"
    return None


def _field(name: str, value: Value) -> Iterator[str]:
    if isinstance(value, Recipe):
        yield f"{name}: |"
        yield from (f"  {line}" for line in value.strip("\n").splitlines())
    elif isinstance(value, Flow):
        yield f"{name}: {value}" if not value.startswith("\n") else f"{name}:{value}"
    elif isinstance(value, str):
        yield from _text(name, value)
    elif isinstance(value, Mapping):
        yield f"{name}:"
        yield from (f"  {line}" for key, inner in value.items() for line in _field(key, inner))
    elif all(isinstance(one, str) for one in value):
        yield f"{name}: [{', '.join(_scalar(str(one)) for one in value)}]"
    else:
        yield f"{name}:"
        yield from (f"  - {one}" for one in value)


def _text(name: str, value: str) -> Iterator[str]:
    plain = " ".join(value.split())
    line = f"{name}: {_scalar(plain)}"
    if len(line) <= LINE_LIMIT or name in ("message", "url", "quote"):
        yield line
        return
    yield f"{name}: >-"
    yield from (f"  {row}" for row in textwrap.wrap(plain, WIDTH - 4, break_long_words=False, break_on_hyphens=False))


def _scalar(text: str) -> str:
    """Return a text as one YAML scalar on one line."""
    shown = yaml.safe_dump([text], allow_unicode=True, width=10**6, default_flow_style=True).strip()
    return shown[1:-1]
