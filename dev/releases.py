"""Collect what packages' releases say of themselves: date, Pythons, and what they require of one another.

The package index is the one that pip is configured for, and pip does the asking: its index page names the files of every release,
and `pip install --dry-run --report` reads the metadata of one. Nothing is installed.

Usage:
    python dev/releases.py PACK/facts/releases.yaml [--since 2024-05-01] [--date 2026-11-21] [--anew]

Kept of a package: final releases that were not withdrawn, of each X.Y the first and the newest patch (of 0.0 all); those since
`--since`, and the newest three in any case. Where nothing kept would satisfy what a kept release requires, the newest that does
is kept too.
A release never changes, so what the file has is not asked again; `--anew` asks for all of it, as a new package in the file takes.
"""

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from recipeforge.catalog.load import load

ALSO = ("huggingface-hub", "numpy", "safetensors", "tokenizers", "triton", "unsloth-zoo")
"""Packages that no component names and that the named ones pin."""
PYTHONS = tuple(f"3.{minor}" for minor in range(9, 16))
OLDEST_KEPT = 3
HEADER = """\
# What releases say of themselves, read from the package index through pip by dev/releases.py; not edited by hand.
#
# versions   version → day of its first upload. Releases in one entry say the same.
# python     Requires-Python as the release states it; absent where it states nothing.
# built_for  Pythons that it has files for on Linux x86-64; absent where a file fits all, or a source archive can be built.
# requires   Requires-Dist, as written, of packages in this file, optional extras left out.
#            Absent: there is only a source archive, which says what it requires when it is built.

"""


@dataclass
class Release:
    """One release, as the index page shows it."""

    version: Version
    date: str = ""
    python: str = ""
    wheels: set[str] = field(default_factory=set)
    """Pythons that have a wheel on Linux x86-64; `any` for a wheel that fits all."""
    source: bool = False
    yanked: bool = True


class _Page(HTMLParser):
    """The files on an index page with their attributes (PEP 503, 592 and 700)."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect anchors."""
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self.files.append((said["href"].split("#")[0].rsplit("/", 1)[-1], said))


def releases_on(page: str) -> list[Release]:
    """Return the final releases on an index page that were not withdrawn, newest first."""
    reader = _Page()
    reader.feed(page)
    found: dict[Version, Release] = {}
    for name, said in reader.files:
        try:
            version, pythons = _file(name)
        except (InvalidSdistFilename, InvalidWheelFilename, InvalidVersion):
            continue
        if version.is_prerelease:
            continue
        release = found.setdefault(version, Release(version))
        release.wheels |= pythons or set()
        release.source |= pythons is None
        release.yanked &= "data-yanked" in said
        release.python = release.python or said.get("data-requires-python", "")
        release.date = min(filter(None, (release.date, said.get("data-upload-time", "")[:10])), default="")
    return sorted((r for r in found.values() if not r.yanked and (r.source or r.wheels)), key=lambda r: r.version, reverse=True)


def _file(name: str) -> tuple[Version, set[str] | None]:
    """Return a file's version and the Pythons it is built for on Linux x86-64; `None` for a source archive."""
    if not name.endswith(".whl"):
        return parse_sdist_filename(name)[1], None
    _, version, _, tags = parse_wheel_filename(name)
    return version, {p for tag in tags if _runs_here(tag.platform) for p in _pythons(tag.interpreter, tag.abi)}


def _runs_here(platform: str) -> bool:
    return platform == "any" or ("linux" in platform and platform.endswith("x86_64") and "musl" not in platform)


def _pythons(interpreter: str, abi: str) -> set[str]:
    if interpreter in ("py3", "py2") or (abi == "none" and interpreter.startswith("py")):
        return {"any"} if interpreter != "py2" else set()
    match = re.fullmatch(r"cp3(\d+)", interpreter)
    if not match or abi.endswith("t"):  # free-threaded builds are another Python
        return set()
    return {p for p in PYTHONS if abi in ("abi3", "none") and int(p[2:]) >= int(match[1])} | {f"3.{match[1]}"}


def kept(releases: Sequence[Release], since: str) -> list[Release]:
    """Return the first and the newest patch of each X.Y, newest first: those since a day, and the newest few in any case."""
    lines: dict[tuple[int, ...], list[Release]] = {}
    for release in releases:
        line = release.version.release[:2]
        lines.setdefault(line if any(line) else release.version.release, []).append(release)
    ends = {r.version: r for patches in lines.values() for r in (patches[0], patches[-1])}
    newest = sorted(ends.values(), key=lambda r: r.version, reverse=True)
    return [r for i, r in enumerate(newest) if i < OLDEST_KEPT or r.date >= since]


def relevant(requires: Iterable[str], packages: Iterable[str]) -> list[str]:
    """Return the requirements, as written, of these packages that hold on Linux x86-64 without extras."""
    known = set(packages)
    here = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "extra": "", "os_name": "posix"}
    found: list[str] = []
    for line in requires:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        holds = wanted.marker is None or any(
            wanted.marker.evaluate({**here, "python_version": p, "python_full_version": f"{p}.0"}) for p in PYTHONS
        )
        if canonicalize_name(wanted.name) in known and holds:
            found.append(" ".join(line.split()))
    return found


def lacking(
    required: Iterable[str], have: Mapping[str, Sequence[Release]], all_of: Mapping[str, Sequence[Release]]
) -> set[tuple[str, Version]]:
    """Return the newest release for each requirement that nothing at hand satisfies; nothing where no release does."""
    found: set[tuple[str, Version]] = set()
    for line in required:
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if not any(wanted.specifier.contains(r.version) for r in have[name]):
            fits = [r.version for r in all_of[name] if wanted.specifier.contains(r.version)]
            found |= {(name, max(fits))} if fits else set()
    return found


def entry(name: str, releases: Sequence[Release], requires: Mapping[str, list[str]], date: str) -> dict[str, Any]:
    """Return a package's releases as the file holds them: those that say the same are one item."""
    items: list[dict[str, Any]] = []
    for release in releases:
        says: dict[str, Any] = {"python": release.python} if release.python else {}
        if "any" not in release.wheels and not release.source:
            says["built_for"] = sorted(release.wheels, key=Version)
        if (key := f"{name}=={release.version}") in requires:
            says["requires"] = requires[key]
        if not items or {k: v for k, v in items[-1].items() if k != "versions"} != says:
            items.append({"versions": {}, **says})
        items[-1]["versions"][str(release.version)] = release.date
    return {"id": name, "source": f"pkg:pypi/{name}", "checked": date, "releases": items}


def index_pages(names: Sequence[str]) -> dict[str, str]:
    """Return the index pages of packages; one that the index does not have is left out, saying so.

    pip has no command that prints the dates of releases, so its own reader of pages is used, which no promise holds still.
    """
    from pip._internal.commands import create_command
    from pip._internal.exceptions import NetworkConnectionError
    from pip._internal.index.collector import LinkCollector
    from pip._internal.models.link import Link

    command: Any = create_command("index")
    options, _ = command.parse_args(["versions", "any"])
    pages: dict[str, str] = {}
    with command.main_context():
        collector = LinkCollector.create(command._build_session(options), options=options)
        for name in names:
            for url in collector.search_scope.get_index_urls_locations(name):
                try:
                    page = None if url.startswith("file:") else collector.fetch_response(Link(url))
                except NetworkConnectionError:
                    page = None
                if page:
                    pages[name] = page.content.decode(page.encoding or "utf-8")
                    break
            else:
                print(f"{name}: not on the index", file=sys.stderr)
    return pages


def metadata(wanted: Sequence[tuple[str, Release]]) -> dict[str, list[str]]:
    """Return Requires-Dist of one release each of several packages, by `name==version`."""
    found: dict[str, list[str]] = {}
    by_python: dict[str, list[str]] = {}
    for name, release in wanted:
        python = "3.12" if {"any", "3.12"} & release.wheels else max(release.wheels, key=Version)
        by_python.setdefault(python, []).append(f"{name}=={release.version}")
    for python, requirements in by_python.items():
        report = _report(python, requirements)
        for single in requirements if report is None else ():
            report = (report or []) + (_report(python, [single]) or [])
        for item in report or []:
            said = item["metadata"]
            found[f"{canonicalize_name(said['name'])}=={Version(said['version'])}"] = said.get("requires_dist", [])
    return found


def _report(python: str, requirements: Sequence[str]) -> list[dict[str, Any]] | None:
    """Return pip's report on requirements, nothing else resolved; `None` when pip refuses."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--dry-run", "--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--use-feature=fast-deps", "--quiet"]
        target = ["--python-version", python, "--target", folder, "--report", f"{folder}/report.json"]
        command = [sys.executable, "-m", "pip", "install", *options, *target, *requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"pip refused {', '.join(requirements)[:200]}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        return json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))["install"]


def written(entries: Iterable[dict[str, Any]]) -> str:
    """Return the file."""
    lines: list[str] = [HEADER.rstrip(), ""]
    for one in entries:
        lines += [f"- id: {one['id']}", f"  source: {one['source']}", f"  checked: {one['checked']}", "  releases:"]
        for item in one["releases"]:
            versions = ", ".join(f"{json.dumps(version)}: {date}" for version, date in item["versions"].items())
            lines.append(f"    - versions: {{{versions}}}")
            lines += [f"      {key}: {json.dumps(item[key])}" for key in ("python", "built_for", "requires") if key in item]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--since", default="2024-05-01")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--anew", action="store_true")
    args = parser.parse_args()
    catalog = load()
    names = sorted({*catalog.packages, *ALSO, *(p for c in catalog.components.values() for p in c.packages)})
    every = {name: releases_on(page) for name, page in index_pages(names).items()}
    chosen = {name: kept(found, args.since) for name, found in every.items()}
    requires = {} if args.anew or not args.output.exists() else known(args.output.read_text(encoding="utf-8"))
    while True:
        collect(chosen, requires, every)
        said = {line for name, found in chosen.items() for r in found for line in requires.get(f"{name}=={r.version}", ())}
        more = lacking(said, chosen, every)
        if not more:
            break
        for name in {name for name, _ in more}:
            wanted = {version for other, version in more if other == name} | {r.version for r in chosen[name]}
            chosen[name] = [r for r in every[name] if r.version in wanted]
    entries = [entry(name, found, requires, args.date) for name, found in sorted(chosen.items())]
    args.output.write_text(written(entries), encoding="utf-8")
    print(f"{len(entries)} packages, {sum(map(len, chosen.values()))} releases")
    return 0


def known(text: str) -> dict[str, list[str]]:
    """Return what a file has: `name==version` → what it requires."""
    items = ((one["id"], item) for one in yaml.safe_load(text) for item in one["releases"] if "requires" in item)
    return {f"{name}=={version}": item["requires"] for name, item in items for version in item["versions"]}


def collect(chosen: Mapping[str, Sequence[Release]], requires: dict[str, list[str]], names: Iterable[str]) -> None:
    """Add what these releases require of the named packages, one release of every package at a time."""
    for rank in range(max(map(len, chosen.values()), default=0)):
        ranked = [(name, found[rank]) for name, found in chosen.items() if rank < len(found) and found[rank].wheels]
        wanted = [(name, release) for name, release in ranked if f"{name}=={release.version}" not in requires]
        if wanted:
            print(f"{len(wanted)} releases such as {wanted[0][0]} {wanted[0][1].version}", file=sys.stderr)
            requires.update({key: relevant(said, names) for key, said in metadata(wanted).items()})


if __name__ == "__main__":
    sys.exit(main())
