"""Inlay hints: what a line amounts to. Memory against its limit, the batch of one step, ids behind aliases, defaults that decide much."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from recipeforge.documents.context import gpu_sheet, model_sheet
from recipeforge.documents.find import entry_of
from recipeforge.documents.tree import Entry, MappingNode, content_end, key_text, target_of
from recipeforge.documents.vocabulary import USE_KEY
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.markdown import plain, prose
from recipeforge.lsp.memory import against, terms_table
from recipeforge.lsp.registry import answers
from recipeforge.lsp.under_cursor import Thing, things
from recipeforge.render.summary import plural
from recipeforge.schemas.record import record

DEFAULTS = {"technique.rank": "rank {} by default", "optimizer.learning_rate": "learning rate {} by default"}
DEFAULTS["data.sequence_length"] = "{} tokens by default"
"""Knobs whose default decides much, and is easily forgotten."""
_SPLITTING = ("splits_layers", "splits_sequence")
"""Effects of components whose devices work on the same rows."""


@record
class _Hint:
    offset: int
    label: str
    tooltip: str


@answers(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintOptions(resolve_provider=False), empty=[], native=True)
def inlay_hints(known: Analysis, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Return the hints of some lines, one a line at most."""
    root = target_of(known.document.root) if known.document.root is not None else None
    if not known.client.inlay_hints or not isinstance(root, MappingNode):
        return []
    asked = params.range.start.line, params.range.end.line
    by_line: dict[int, list[_Hint]] = {}
    for hint in _hints(known, root):
        line = known.document.lines.line_of(hint.offset)
        if asked[0] <= line <= asked[1]:
            by_line.setdefault(line, []).append(hint)
    return [_shown(known, by_line[line]) for line in sorted(by_line)]


def _shown(known: Analysis, hints: list[_Hint]) -> types.InlayHint:
    """Return the hints of one line as one."""
    at = max(hint.offset for hint in hints)
    tooltip = "\n\n".join(hint.tooltip for hint in hints if hint.tooltip)
    markdown = known.client.abilities.markdown
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    return types.InlayHint(
        position=known.range_between(at, at).start,
        label=" · ".join(hint.label for hint in hints),
        tooltip=types.MarkupContent(kind=kind, value=tooltip if markdown else plain(tooltip)) if tooltip else None,
        padding_left=True,
    )


def _hints(known: Analysis, root: MappingNode) -> Iterator[_Hint]:
    entries = {key: entry for entry in root.entries if (key := key_text(entry)) is not None}
    for thing in things(known.document, known.vocabulary):
        if meant := _meant(known, thing):
            about = f"`{known.document.text[thing.start : thing.end]}` is another name for `{meant}`."
            yield _Hint(_line_end(known, entries.get(thing.slot or thing.kind), thing.end), f"→ {meant}", about)
    if known.view is None or known.report.loadout is None:
        return
    for path, words in DEFAULTS.items():
        entry = entries.get(path.split(".")[0])
        if entry is not None and (hint := _default(known, entry, path, words)) is not None:
            yield hint
    if (entry := entries.get("batch")) is not None and (hint := _batch(known, entry)) is not None:
        yield hint
    for key, knob, limit in (("hardware", "gpu", "gpu.memory_gib"), ("budget", "memory_gib", "budget.memory_gib")):
        if (entry := entries.get(key)) is not None and (hint := _memory(known, entry, knob, limit)) is not None:
            yield hint


def _meant(known: Analysis, thing: Thing) -> str | None:
    """Return the id behind another spelling of it."""
    written = known.document.text[thing.start : thing.end].strip("'\"")
    match thing.kind:
        case "component":
            id_ = thing.id if not written.startswith("*") else None
        case "gpu":
            sheet = gpu_sheet(known.catalog, thing.id)
            id_ = sheet.id if sheet is not None else None
        case "model":
            sheet = model_sheet(known.catalog, thing.id) if not thing.id.startswith("package:") else None
            id_ = sheet.id if sheet is not None else None
        case _:
            id_ = None
    return id_ if id_ != written else None


def _default(known: Analysis, entry: Entry, path: str, words: str) -> _Hint | None:
    """Return what a knob is by default, where nobody set it and what stands there reads it."""
    knob, loadout, view = known.catalog.knobs.get(path), known.report.loadout, known.view
    if knob is None or loadout is None or view is None or knob.default is None or loadout.value_of(path) is not None:
        return None
    held = view.slots.get(knob.group, ())
    if knob.components and not any(component in knob.components for component in held):
        return None
    value = target_of(entry.value)
    named = entry_of(value, USE_KEY) if isinstance(value, MappingNode) else None
    block = isinstance(value, MappingNode) and not value.flow
    near = content_end(named.value) if named is not None else entry.key.end + 1 if block else content_end(entry.value)
    text = f"{knob.default:g}" if isinstance(knob.default, float) else str(knob.default)
    return _Hint(_line_end(known, entry, near), words.format(text), f"`{path}` is not set. {prose(knob.description)}")


def _batch(known: Analysis, entry: Entry) -> _Hint | None:
    """Return how many sequences one optimizer step takes, where that is more than the line says."""
    count, micro, accumulate = (_number(known, path) for path in ("hardware.count", "batch.micro", "batch.accumulate"))
    held = known.view.slots.get("distributed", ()) if known.view is not None else ()
    splitting = any(known.catalog.components[id_].effects.get(effect) is True for id_ in held for effect in _SPLITTING)
    copies = max(count // (_number(known, "distributed.degree") if splitting else 1), 1)
    total = micro * accumulate * copies
    if total <= micro:
        return None
    told = f"{micro:,} at once × {accumulate:,} accumulated × {plural(copies, 'device')} = {plural(total, 'sequence')}"
    told += f", split over {count // copies} devices each" if copies != count and copies else ""
    length = _number(known, "data.sequence_length")
    about = f"{told}.\n\nUp to {total * length:,} tokens a step, at {length:,} tokens a sequence."
    value = target_of(entry.value)
    last = value.entries[-1] if isinstance(value, MappingNode) and value.entries else entry
    return _Hint(_line_end(known, entry, content_end(last.value)), f"= {plural(total, 'sequence')} a step", about)


def _memory(known: Analysis, entry: Entry, knob: str, limit: str) -> _Hint | None:
    """Return the estimate against one limit, at the line that gives it."""
    found, value = known.report.estimate, target_of(entry.value)
    amount = known.view.known(limit) if known.view is not None else None
    named = entry_of(value, knob) if isinstance(value, MappingNode) else None
    if found is None or named is None or isinstance(amount, bool) or not isinstance(amount, int | float):
        return None
    return _Hint(_line_end(known, entry, content_end(named.value)), against(found.total, float(amount)), terms_table(found))


def _number(known: Analysis, path: str) -> int:
    value = known.view.known(path) if known.view is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


def _line_end(known: Analysis, entry: Entry | None, offset: int) -> int:
    """Return where a hint about something goes: behind the whole entry, if it ends on the same line."""
    if entry is None:
        return offset
    end, lines = content_end(entry.value), known.document.lines
    return end if end > offset and lines.line_of(end) == lines.line_of(offset) else offset
