"""`recipeforge catalog new`: a claim, a rule or a component, written to the right file. Nothing is guessed: what is not given stays out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from recipeforge import __version__
from recipeforge.catalog.families import FAMILIES
from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Decorator, Listing, write
from recipeforge.schemas.claim import SourceKind
from recipeforge.schemas.rule import Severity

if TYPE_CHECKING:
    from recipeforge.catalog.writing import Value
    from recipeforge.schemas.catalog import Catalog

KINDS = tuple(kind for kind in get_args(SourceKind) if kind != "run")
"""Kinds of sources that a person may name; a run speaks through the ledger."""


@click.group("new", cls=Listing)
def command() -> None:
    """Write a new claim, rule or component into a pack."""


def _pack() -> Decorator:
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--pack", type=kind, help="A pack's folder; the shipped one by default.")


def _topic(what: str) -> Decorator:
    return click.option("--topic", required=True, metavar="NAME", help=f"The file: {what}/NAME.yaml, made if there is none.")


@command.command("claim")
@_topic("claims")
@click.option("--quote", required=True, help="The source's own words, at most 300 characters.")
@click.option("--source", required=True, metavar="WHERE", help="git:OWNER/REPO@COMMIT:PATH, or file:PATH with --url.")
@click.option("--repos", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Bare clones, as DIR/OWNER+NAME[/repo].")
@click.option("--url", help="Where it is read on the web; a git source has its own.")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What kind of source it is.")
@click.option("--origin", required=True, metavar="WHO", help="Who speaks, copies and mirrors folded, such as peft.")
@click.option("--title", default="", help="The document's name; a file's own by default.")
@click.option("--language", default="", help="Of the quote, where it is not English.")
@click.option("--speaks-for", default="", help="Framework and versions, where the claim is not general.")
@_pack()
def claim_command(
    topic: str,
    quote: str,
    source: str,
    repos: Path | None,
    url: str | None,
    kind: str,
    origin: str,
    title: str,
    language: str,
    speaks_for: str,
    pack: Path | None,
) -> int:
    """Look a quote up in its source and write the claim with its excerpt; a quote that is not there is refused."""
    from datetime import date

    from recipeforge.catalog.origins import document_of
    from recipeforge.catalog.quotes import MAX_QUOTE_CHARS, excerpt_around, normalise, sha256_of
    from recipeforge.catalog.writing import append, entries_of, entry_text, next_claim

    text, address, name = _source(source, repos, url)
    if len(quote) > MAX_QUOTE_CHARS:
        raise click.UsageError(f"the quote has {len(quote)} characters, at most {MAX_QUOTE_CHARS}")
    excerpt = excerpt_around(quote, text)
    if excerpt is None:
        raise click.UsageError(f"not found verbatim in {source}: {quote!r}")
    catalog, home, dirs = _opened(pack)
    for other in catalog.claims.values():
        if document_of(other.url) == document_of(address) and normalise(other.quote) == normalise(quote):
            raise click.UsageError(f"{other.id} quotes these words of this document already")
    path = home / "claims" / f"{topic}.yaml"
    id_ = next_claim(catalog, [str(entry.data["id"]) for entry in entries_of(path)])
    fields: dict[str, Value] = {"id": id_, "quote": quote, "url": address, "kind": kind, "origin": origin}
    fields |= {"retrieved": date.today().isoformat(), "excerpt_sha256": sha256_of(excerpt)}
    fields |= {key: value for key, value in {"title": title or name, "language": language, "speaks_for": speaks_for}.items() if value}
    append(path, entry_text(fields), dirs, separated=False)
    stored = home / "excerpts" / f"{id_}.txt"
    stored.parent.mkdir(exist_ok=True)
    stored.write_text(excerpt, encoding="utf-8", newline="")
    write(f"{id_} is written to {path}, with its excerpt\n")
    write(f"next: cite it in a rule, such as recipeforge catalog new rule … --evidence {id_}\n")
    return CLEAN


@command.command("rule")
@click.option(
    "--family", required=True, type=click.Choice([f for f in FAMILIES if f != "RF0"]), help="What the first digit of the code says."
)
@_topic("rules")
@click.option("--slug", required=True, help="The forbidden pattern in words joined by hyphens; reads after “allow”.")
@click.option("--severity", required=True, type=click.Choice(get_args(Severity)), help="error: fails, or lies about what it does.")
@click.option("--message", required=True, help="One line, shown at the place; {optimizer} or {gpu.title} insert values.")
@click.option("--why", required=True, help="What happens inside, in your own words.")
@click.option("--when", metavar="YAML", help="Where the rule looks: '{technique: qlora}'.")
@click.option("--require", metavar="YAML", help="What it demands there: '{quantization: {tag: 4-bit}}'.")
@click.option("--forbid", metavar="YAML", help="Or what it forbids there.")
@click.option("--scope", metavar="YAML", help="The frameworks and versions it is claimed for, where not all: '{axolotl: \"\"}'.")
@click.option("--evidence", multiple=True, metavar="ID", help="A claim, the strongest first.")
@click.option("--fix", "fixes", multiple=True, metavar="YAML", help="'{title: Add bnb 4-bit, safety: safe, changes: [{add: bnb-4bit}]}'.")
@click.option("--bad", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A recipe that the rule reports.")
@click.option("--good", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The same recipe without a finding.")
@click.option("--companion", "companions", multiple=True, metavar="SLUG", help="Another rule that the bad recipe cannot help breaking.")
@click.option("--unread", is_flag=True, help="The run goes on as if the guilty part were not there.")
@_pack()
def rule_command(
    family: str,
    topic: str,
    slug: str,
    severity: str,
    message: str,
    why: str,
    when: str | None,
    require: str | None,
    forbid: str | None,
    scope: str | None,
    evidence: tuple[str, ...],
    fixes: tuple[str, ...],
    bad: Path | None,
    good: Path | None,
    companions: tuple[str, ...],
    unread: bool,
    pack: Path | None,
) -> int:
    """Write a rule under the next free code of its family, and try its example."""
    from recipeforge.catalog.writing import Flow, Recipe, append, entries_of, entry_text, next_code

    if (require is None) == (forbid is None):
        raise click.UsageError("a rule has exactly one of --require and --forbid")
    if (bad is None) != (good is None):
        raise click.UsageError("an example has a bad and a good recipe: --bad and --good")
    catalog, home, dirs = _opened(pack)
    if taken := catalog.rule_by_slug(slug):
        raise click.UsageError(f"the slug is taken by {taken.code}: {taken.message.strip()}")
    if unknown := [id_ for id_ in evidence if id_ not in catalog.claims]:
        raise click.UsageError(f"no claim is called {', '.join(unknown)}; write it first: recipeforge catalog new claim")
    path = home / "rules" / f"{topic}.yaml"
    code = next_code(catalog, family, [str(entry.data["code"]) for entry in entries_of(path)])
    fields: dict[str, Value] = {"code": code, "slug": slug, "since": __version__, "severity": severity}
    fields |= {"unread": Flow("true")} if unread else {}
    fields |= {"message": message, "why": why}
    conditions = {"when": when, "require": require, "forbid": forbid, "scope": scope}
    fields |= {name: Flow(given) for name, given in conditions.items() if given is not None}
    fields |= {"evidence": evidence} if evidence else {}
    fields |= {"fixes": Flow("\n" + "\n".join(f"    - {fix}" for fix in fixes))} if fixes else {}
    if bad and good:
        example: dict[str, Value] = {name: Recipe(file.read_text(encoding="utf-8")) for name, file in (("bad", bad), ("good", good))}
        fields |= {"example": example | ({"companions": companions} if companions else {})}
    with_it = append(path, entry_text(fields), dirs, separated=True)
    write(f"{code} {slug} is written to {path}\n")
    problems = _tried(with_it, code) if bad else ["it has no example yet: a whole recipe that it reports, and one without a finding"]
    problems += [] if evidence else ["it has no evidence yet, so it would only inform (T3): recipeforge catalog new claim"]
    write("".join(f"  {problem}\n" for problem in problems) or "  its example does what it should\n")
    write(f"next: recipeforge catalog lint, recipeforge catalog show {code}, python -m pytest tests/rules -k {slug}, make docs\n")
    return FINDINGS if problems else CLEAN


@command.command("component")
@click.option("--slot", required=True, help="The key of the recipe under which it stands.")
@click.option("--id", "id_", required=True, help="Its name in recipes: lower-case words joined by hyphens.")
@click.option("--title", required=True, help="How people write it.")
@click.option("--description", required=True, help="One sentence, in your own words.")
@click.option("--url", required=True, help="Where its authors document it.")
@click.option("--alias", "aliases", multiple=True, help="Another spelling.")
@click.option("--tag", "tags", multiple=True, help="A family that rules speak about, such as adapter.")
@click.option("--package", "packages", multiple=True, help="A PyPI package that it needs beyond torch, transformers and peft.")
@_pack()
def component_command(
    slot: str,
    id_: str,
    title: str,
    description: str,
    url: str,
    aliases: tuple[str, ...],
    tags: tuple[str, ...],
    packages: tuple[str, ...],
    pack: Path | None,
) -> int:
    """Write a component into the file of its slot."""
    from recipeforge.catalog.spelling import did_you_mean
    from recipeforge.catalog.writing import append, entry_text

    catalog, home, dirs = _opened(pack)
    if slot not in catalog.slots:
        raise click.UsageError(f"no slot is called '{slot}'{did_you_mean(slot, catalog.slots)} ({', '.join(catalog.slots)})")
    known = {name.casefold(): c.id for c in catalog.components.values() for name in (c.id, *c.aliases)}
    if taken := [name for name in (id_, *aliases) if name.casefold() in known]:
        raise click.UsageError(
            f"'{taken[0]}' already means {known[taken[0].casefold()]}: recipeforge catalog show {known[taken[0].casefold()]}"
        )
    fields: dict[str, Value] = {"id": id_, "title": title, "description": description, "url": url}
    fields |= {name: given for name, given in {"aliases": aliases, "tags": tags, "packages": packages}.items() if given}
    path = next((file for file in _files_of(home, slot)), home / "components" / f"{slot}.yaml")
    if path.stem != slot:
        fields = {"id": id_, "slot": slot, **fields}
    append(path, entry_text(fields), dirs, separated=False)
    write(f"{id_} is written to {path}\n")
    write("next: its parameters, if it has any, in knobs.yaml; `effects` with `effects_source`, if it changes memory or speed;\n")
    write(f"      recipeforge catalog lint, recipeforge catalog show {id_}, make docs\n")
    return CLEAN


def _opened(pack: Path | None) -> tuple[Catalog, Path, Sequence[Path]]:
    """Return the catalog as it is written now, the pack to write to, and all packs."""
    from recipeforge.catalog.compile import compile_packs
    from recipeforge.catalog.load import SHIPPED_PACKS

    own: tuple[Path, ...] = () if pack is None else (pack,)
    dirs = own if pack and (pack / "slots.yaml").is_file() else (*SHIPPED_PACKS, *own)
    return compile_packs(dirs), pack or SHIPPED_PACKS[-1], dirs


def _source(source: str, repos: Path | None, url: str | None) -> tuple[str, str, str]:
    """Return a source's text, address and file name."""
    from recipeforge.catalog.sources import Clones, file_as_written

    if source.startswith("file:"):
        path = Path(source.removeprefix("file:"))
        if not url:
            raise click.UsageError("a file: source needs --url, where others can read it")
        try:
            return path.read_text(encoding="utf-8"), url, path.name
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{path}: cannot be read ({error})") from error
    file = file_as_written(source)
    if file is None:
        raise click.UsageError("--source is git:OWNER/REPO@COMMIT:PATH, or file:PATH with --url")
    if repos is None:
        raise click.UsageError("a git: source needs --repos, the folder of bare clones")
    with Clones(repos) as held:
        text = held.text(file)
    if text is None:
        raise click.UsageError(f"{source}: no clone in {repos} has this file at this commit")
    return text, url or file.url, Path(file.path).name


def _files_of(home: Path, slot: str) -> list[Path]:
    """Return the component files that hold this slot's components, its own name first."""
    from recipeforge.catalog.writing import entries_of

    own = home / "components" / f"{slot}.yaml"
    files = [own, *(path for path in sorted((home / "components").glob("*.yaml")) if path != own)]
    return [path for path in files if any(entry.data.get("slot", path.stem) == slot for entry in entries_of(path))]


def _tried(catalog: Catalog, code: str) -> list[str]:
    """Return what is wrong with a rule's example."""
    rule = catalog.rules[code]
    assert rule.example is not None
    allowed = {rule.slug, *rule.example.companions}
    bad, good = _findings(catalog, rule.example.bad), _findings(catalog, rule.example.good)
    problems = [] if rule.slug in bad else ["its bad recipe is not reported by it"]
    problems += [f"its bad recipe is also reported by {slug} (--companion, or another recipe)" for slug in bad if slug not in allowed]
    return problems + [f"its good recipe is reported by {slug}" for slug in good]


def _findings(catalog: Catalog, text: str) -> list[str]:
    """Return the slugs of what is reported about a recipe."""
    from recipeforge.documents.parse import parse
    from recipeforge.documents.read import read
    from recipeforge.solver.diagnose import diagnose
    from recipeforge.solver.resolve import resolve

    document = parse(text, "example.yaml")
    result = read(document, catalog)
    found = [*document.diagnostics, *result.diagnostics]
    if result.loadout is not None:
        found += diagnose(catalog, result.loadout, resolve(catalog, result.loadout), fixes=False)
    return sorted({diagnostic.slug for diagnostic in found})
