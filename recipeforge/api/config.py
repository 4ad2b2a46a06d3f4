"""`recipeforge.toml`, or `[tool.recipeforge]` of a `pyproject.toml`: the nearest one above a recipe counts, alone.

A flag wins over `RECIPEFORGE_*` in the environment, that over the file, that over the default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import cast

from recipeforge.schemas.errors import RecipeForgeError
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.record import record

SAID = ("select", "ignore", "gpu", "gpus", "packages")
"""What the environment can say too."""
KEYS = (*SAID, "prefer")
PREFER = ("keep", "avoid")


class ConfigError(RecipeForgeError):
    """The configuration cannot be used."""


@record
class Config:
    """What a project settles for all its recipes."""

    select: tuple[str, ...] = ()
    """Codes, their beginnings or slugs; empty: all."""
    ignore: tuple[str, ...] = ()
    gpu: str | None = None
    gpus: int | None = None
    packages: Mapping[str, str] = field(default_factory=dict[str, str])
    prefer: Preferences = NO_PREFERENCES
    """What repairs leave alone, and what they put in only where nothing else cures."""
    path: Path | None = None
    """The file it came from."""

    def wants(self, code: str, slug: str) -> bool:
        """Return whether findings of a rule are shown."""
        return not named(code, slug, self.ignore) and (not self.select or named(code, slug, self.select))


def config_for(folder: Path) -> Config:
    """Return the configuration that counts for recipes in `folder`.

    Raises:
        ConfigError: the file is broken; the message says where.
    """
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        for name in ("recipeforge.toml", "pyproject.toml"):
            config = _from_file(place / name)
            if config is not None:
                return config
    return Config()


def settled(folder: Path, given: Config) -> Config:
    """Return the settings that count for recipes in `folder`: what is `given`, else the environment, else the nearest file.

    Raises:
        ConfigError: a setting is broken; the message says where.
    """
    said, filed = environment(), config_for(folder)
    return replace(
        filed,
        select=given.select or said.select or filed.select,
        ignore=given.ignore or said.ignore or filed.ignore,
        gpu=given.gpu or said.gpu or filed.gpu,
        gpus=given.gpus or said.gpus or filed.gpus,
        packages={**filed.packages, **said.packages, **given.packages},
    )


def packages_from(text: str) -> dict[str, str]:
    """Return package versions written as `torch=2.6,peft=0.12`, or those of a requirements or lock file that is named; the last counts.

    Raises:
        ConfigError: a part is neither `name=version` nor such a file.
    """
    if not text:
        return {}
    from recipeforge.api.locked import names_a_file

    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        if names_a_file(part):
            found |= _locked(Path(part))
            continue
        name, equals, version = part.replace("==", "=").partition("=")
        if not equals or not name.strip() or not version.strip():
            raise ConfigError(f"`{part}` is not a package with its version; write it like torch=2.6, or name a requirements or lock file")
        found[_package(name.strip(), f"`{part}`")] = _version(version.strip(), f"`{part}`")
    return found


def _locked(path: Path) -> dict[str, str]:
    """Return the versions that a file settles, of packages that rules know."""
    from recipeforge.api.locked import LockedError, locked_versions
    from recipeforge.catalog.load import load

    try:
        versions = locked_versions(path)
    except LockedError as error:
        raise ConfigError(str(error)) from None
    known = load().packages
    return {name: version for name, version in versions.items() if name in known}


def codes_from(text: str) -> tuple[str, ...]:
    """Return codes or slugs written with commas between them."""
    return tuple(filter(None, (piece.strip() for piece in text.split(","))))


def known_codes(codes: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return `codes` as they are, after making sure that each names a rule, or the beginning of some rules' codes.

    Raises:
        ConfigError: one names nothing, so a typo would silently change what is checked.
    """
    if not codes:
        return codes
    from recipeforge.catalog.load import load

    rules = load().rules
    slugs = {rule.slug for rule in rules.values()}
    for code in codes:
        if code.lower() not in slugs and not any(known.startswith(code.upper()) for known in rules):
            raise ConfigError(f"{where}: no rule has the code or slug `{code}`{_meant(code, [*rules, *slugs])}")
    return codes


def named(code: str, slug: str, codes: tuple[str, ...]) -> bool:
    """Return whether `codes` name a rule, by slug or by a beginning of its code."""
    return any(code.startswith(one.upper()) or slug == one.lower() for one in codes)


def environment() -> Config:
    """Return what `RECIPEFORGE_*` says.

    Raises:
        ConfigError: a value cannot be read.
    """
    said = {key: os.environ.get(f"RECIPEFORGE_{key.upper()}", "") for key in SAID}
    if said["gpus"] and not (said["gpus"].isascii() and said["gpus"].isdigit() and int(said["gpus"])):
        raise ConfigError(f"RECIPEFORGE_GPUS is `{said['gpus']}`, not a number of devices")
    return Config(
        select=known_codes(codes_from(said["select"]), "RECIPEFORGE_SELECT"),
        ignore=known_codes(codes_from(said["ignore"]), "RECIPEFORGE_IGNORE"),
        gpu=said["gpu"] or None,
        gpus=int(said["gpus"]) if said["gpus"] else None,
        packages=packages_from(said["packages"]),
    )


def _from_file(path: Path) -> Config | None:
    """Return what a file says; `None` where there is none, or where it is a project file without our table."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    if path.name == "pyproject.toml" and "recipeforge" not in text:
        return None
    import tomllib

    try:
        table: object = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    if path.name == "pyproject.toml":
        tool = cast("dict[str, object]", table).get("tool")
        table = cast("dict[str, object]", tool).get("recipeforge") if isinstance(tool, dict) else None
        if table is None:
            return None
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.recipeforge] is not a table")
    return _from_table(cast("dict[str, object]", table), path)


def _from_table(table: dict[str, object], path: Path) -> Config:
    for key in table:
        if key not in KEYS:
            raise ConfigError(f"{path}: unknown key `{key}`{_meant(key, KEYS)}")
    gpu, gpus, packages = table.get("gpu"), table.get("gpus"), table.get("packages", {})
    if gpu is not None and not isinstance(gpu, str):
        raise ConfigError(f'{path}: `gpu` is not the id of a GPU; write it like "rtx-4090"')
    if gpus is not None and (not isinstance(gpus, int) or isinstance(gpus, bool) or gpus < 1):
        raise ConfigError(f"{path}: `gpus` is not a number of devices")
    if isinstance(packages, str) and packages:
        packages = _locked(path.parent / packages)
    if not isinstance(packages, dict):
        told = 'write it like packages = {torch = "2.6"}, or name a requirements or lock file'
        raise ConfigError(f"{path}: `packages` is not a table; {told}")
    versions = {_package(name, f"{path}: `packages`"): value for name, value in cast("dict[str, object]", packages).items()}
    told = {name: _version(value, f"{path}: `packages.{name}`") for name, value in versions.items()}
    return Config(_codes(table, "select", path), _codes(table, "ignore", path), gpu, gpus, told, _preferences(table, path), path)


def _preferences(table: dict[str, object], path: Path) -> Preferences:
    said = table.get("prefer", {})
    if not isinstance(said, dict):
        raise ConfigError(f'{path}: `prefer` is not a table; write it like prefer = {{keep = ["technique"]}}')
    told = cast("dict[str, object]", said)
    for key in told:
        if key not in PREFER:
            raise ConfigError(f"{path}: unknown key `prefer.{key}`{_meant(key, PREFER)}")
    keep, avoid = (_names(told.get(key, []), f"{path}: `prefer.{key}`") for key in PREFER)
    return known_names(Preferences(keep, avoid), f"{path}: `prefer.")


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise ConfigError(f'{where} is not a list of names; write it like ["technique", "data.sequence_length"]')
    return tuple(cast("list[str]", value))


def known_names(prefer: Preferences, where: str) -> Preferences:
    """Return preferences as they are, after making sure that each names something of the catalog.

    Raises:
        ConfigError: one names nothing, so a typo would silently protect nothing.
    """
    if prefer == NO_PREFERENCES:
        return prefer
    from recipeforge.catalog.load import load
    from recipeforge.solver.preferences import names

    known = names(load())
    for key, said in zip(PREFER, (prefer.keep, prefer.avoid), strict=True):
        for name in said:
            if name not in known:
                told = f"{where}{key}`: no slot, component or parameter is called `{name}`"
                raise ConfigError(f"{told}{_meant(name, known)}")
    return prefer


def _codes(table: dict[str, object], key: str, path: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise ConfigError(f'{path}: `{key}` is not a list of codes; write it like {key} = ["RF1001"]')
    return known_codes(tuple(cast("list[str]", value)), str(path))


def _package(name: str, where: str) -> str:
    """Return a package's name as rules spell it. Any package may be named; only a likely typing error is refused.

    Raises:
        ConfigError: the name is nearly that of a package that rules know, whose version would silently stay unknown.
    """
    from recipeforge.catalog.load import load

    spelled, known = name.lower().replace("_", "-"), load().packages
    if spelled not in known and (meant := _meant(spelled, list(known), 0.8)):
        raise ConfigError(f"{where}: no rule knows a package `{name}`{meant}")
    return spelled


def _version(value: object, where: str) -> str:
    from packaging.version import InvalidVersion, Version

    if not isinstance(value, str):
        raise ConfigError(f'{where} is not a version; write it in quotes, like "2.6"')
    try:
        Version(value)
    except InvalidVersion:
        raise ConfigError(f"{where}: `{value}` is not a version; write it like 2.6 or 2.6.1") from None
    return value


def _meant(word: str, known: Sequence[str], least: float = 0.6) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1, least)
    return f"; did you mean `{near[0]}`?" if near else ""
