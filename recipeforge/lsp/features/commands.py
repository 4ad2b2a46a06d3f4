"""What clients may execute: make it run, fix all, the estimate, the verdict, pages, the evidence, and checking all recipes."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from recipeforge.api.explaining import explain as page_of
from recipeforge.catalog.load import load
from recipeforge.documents.kind import recipes_below
from recipeforge.lsp.analysis import Analysis, analyse
from recipeforge.lsp.convert import GIB, diagnostics, status_of
from recipeforge.lsp.features.code_actions import repair_title, safe_edits
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.registry import command
from recipeforge.lsp.text import Text
from recipeforge.schemas.place import TextEdit

if TYPE_CHECKING:
    from recipeforge.lsp.server import ForgeServer

MOST_FILES = 2000


@command("forge.makeItRun")
async def make_it_run(server: ForgeServer, uri: str) -> dict[str, Any] | None:
    """Apply the best repair of a whole recipe; return what was done."""
    file = server.recipe(uri)
    if file is None:
        return _not_open(server, uri)
    solutions = await server.desk.ask(file, lambda known: known.repairs, deep=True)
    known = await server.desk.analysis(file)
    best = next((solution for solution in solutions if solution.edits), None)
    if best is None:
        why = {
            "valid": "this recipe is valid: there is nothing to repair",
            "unreadable": "correct the errors of the file first: a recipe that is half read cannot be repaired",
        }
        told = why.get(known.report.verdict.kind, "no changes were found after which this recipe runs")
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=told))
        return {"applied": False, "title": None, "verdict": known.report.verdict.kind}
    applied = await _apply(server, known, best.edits, f"Make it run: {best.repair.title}")
    return {"applied": applied, "title": repair_title(best), "verdict": "valid" if applied else known.report.verdict.kind}


@command("forge.fixAll")
async def fix_all(server: ForgeServer, uri: str) -> dict[str, Any] | None:
    """Make all safe fixes of a recipe."""
    file = server.recipe(uri)
    if file is None:
        return _not_open(server, uri)
    edits = await server.desk.ask(file, safe_edits, deep=True)
    known = await server.desk.analysis(file)
    if not edits:
        message = types.ShowMessageParams(type=types.MessageType.Info, message="there is nothing that is safe to fix by itself")
        server.window_show_message(message)
    return {"applied": bool(edits) and await _apply(server, known, edits, "Make all safe fixes")}


@command("forge.verdict")
async def verdict(server: ForgeServer, uri: str) -> dict[str, Any] | None:
    """Return the verdict on a recipe in numbers."""
    known = await server.analysis(uri)
    return status_of(known) if known is not None else None


@command("forge.estimate")
async def estimate(server: ForgeServer, uri: str) -> dict[str, Any] | None:
    """Return the memory estimate of a recipe, term by term."""
    known = await server.analysis(uri)
    if known is None or known.report.estimate is None:
        return None
    found, limit = known.report.estimate, status_of(known)["limit_gib"]
    terms = {name: round(size / GIB, 4) for name, size in found.terms.items()}
    rows = [f"| {name} | {size:.3f} |" for name, size in terms.items() if size]
    against = f" of {limit:g} GiB" if limit else ""
    told = [f"**About {found.total / GIB:.1f} GiB{against}** at the peak of one device", "", "| term | GiB |", "|---|---:|", *rows]
    told += ["", f"Assumed: {', '.join(found.assumed)}."] if found.assumed else []
    return {"total_gib": round(found.total / GIB, 4), "limit_gib": limit, "terms": terms, "markdown": "\n".join(told)}


@command("forge.explain")
async def explain(server: ForgeServer, name: str) -> str | None:
    """Return the page of a rule or a component."""
    return page_of(name)


@command("forge.openEvidence")
async def open_evidence(server: ForgeServer, code: str) -> bool:
    """Open the source that a rule quotes first."""
    catalog = load()
    rule = catalog.rules.get(code)
    claims = [catalog.claims[name] for name in rule.evidence if name in catalog.claims] if rule else []
    url = next((claim.url for claim in claims if claim.url.startswith("https://")), None)
    if url is None:
        message = f"{code} quotes no source that can be opened" if rule else f"there is no rule {code}"
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=message))
        return False
    window = server.client_capabilities.window
    if window is not None and window.show_document is not None and window.show_document.support:
        shown = await server.window_show_document_async(types.ShowDocumentParams(uri=url, external=True))
        return bool(shown and shown.success)
    server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=f"{code}: {url}"))
    return True


@command("forge.checkWorkspace")
async def check_workspace(server: ForgeServer) -> list[dict[str, Any]]:
    """Check all recipes below the workspace's folders, show what was found in those that are not open, and return the verdicts."""
    folders = [path for folder in server.workspace.folders.values() if (path := to_fs_path(folder.uri))]
    found: list[dict[str, Any]] = []
    for path in await asyncio.to_thread(_recipes_below, folders):
        uri = from_fs_path(path)
        if uri is None:
            continue
        now = next((file for file in server.files if file.path == path), None)
        if now is not None:
            known = await server.analysis(now.uri)
        else:
            known = await asyncio.to_thread(_analysis_of, server, uri, path)
            if known is not None:
                shown = types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics(known, relate=True))
                server.text_document_publish_diagnostics(shown)
                server.files.told_closed[path] = uri
        if known is not None:
            told = status_of(known)
            found.append({key: told[key] for key in ("uri", "verdict", "errors", "warnings")})
    return found


def _recipes_below(folders: list[str]) -> list[str]:
    return list(islice((path for folder in folders for path in recipes_below(folder)), MOST_FILES))


def _analysis_of(server: ForgeServer, uri: str, path: str) -> Analysis | None:
    try:
        content = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    config, _ = server.settings.for_file(path)
    file = OpenFile(uri, 0, "recipeforge", Text(content, server.files.encoding))
    return analyse(file, config, server.settings.client)


async def _apply(server: ForgeServer, known: Analysis, edits: tuple[TextEdit, ...], label: str) -> bool:
    document = types.OptionalVersionedTextDocumentIdentifier(uri=known.file.uri, version=known.file.version)
    change = types.TextDocumentEdit(text_document=document, edits=known.edits(edits))
    params = types.ApplyWorkspaceEditParams(edit=types.WorkspaceEdit(document_changes=[change]), label=label)
    answer = await server.workspace_apply_edit_async(params)
    return answer.applied


def _not_open(server: ForgeServer, uri: str) -> None:
    message = f"{uri.rpartition('/')[2]} is not open, or is no recipe"
    server.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=message))
