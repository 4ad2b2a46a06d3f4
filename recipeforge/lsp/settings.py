"""What the client and the project's files settle. A bad setting is told and replaced by its default; it never stops the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, cast

from recipeforge.api.config import Config, ConfigError, known_codes, packages_from, settled
from recipeforge.lsp.abilities import Abilities
from recipeforge.schemas.record import record

SECTION = "recipeforge"
_CODES = 'a list of codes, like ["RF1001"]'


@record
class ClientSettings:
    """The client's own settings, section `recipeforge`."""

    target: Config = field(default_factory=Config)
    """`gpu`, `gpus`, `packages`, `select` and `ignore`, as flags give them on the command line."""
    inlay_hints: bool = True
    code_lens: bool = True
    debounce_ms: int = 30
    """How long typing has to pause before diagnostics are pushed; a client that pulls decides for itself."""
    abilities: Abilities = field(default_factory=Abilities)
    """What the client can show; no setting, but it travels with them."""


def client_settings(sent: object) -> tuple[ClientSettings, list[str]]:
    """Return the settings that a client sent, and what is wrong with them. Keys that only the client reads are left alone."""
    if sent is None:
        return ClientSettings(), []
    if not isinstance(sent, Mapping):
        return ClientSettings(), [f"the settings under `{SECTION}` are no object, and are left aside"]
    table = cast("Mapping[str, Any]", sent)
    told: list[str] = []

    def read(key: str, fits: Callable[[Any], bool], wanted: str, default: Any) -> Any:
        value = table.get(key)
        if value is None or value == "":
            return default
        if fits(value):
            return value
        told.append(f"`{SECTION}.{key}` is {value!r}, and should be {wanted}; it is left aside")
        return default

    def is_codes(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in cast("list[Any]", value))

    gpus = read("gpus", lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0, "a number of devices", 0)
    target = Config(gpu=read("gpu", lambda v: isinstance(v, str), "the id of a GPU, like rtx-4090", None), gpus=gpus or None)
    for key in ("select", "ignore"):
        try:
            codes = known_codes(tuple(read(key, is_codes, _CODES, ())), f"`{SECTION}.{key}`")
            target = replace(target, **{key: codes})
        except ConfigError as error:
            told.append(str(error))
    versions = read("packages", lambda v: isinstance(v, Mapping), 'an object, like {"torch": "2.6"}', {})
    for name, version in cast("Mapping[str, Any]", versions).items():
        try:
            target = replace(target, packages={**target.packages, **packages_from(f"{name}={version}")})
        except ConfigError as error:
            told.append(f"`{SECTION}.packages`: {error}")
    flag = (lambda v: isinstance(v, bool), "true or false")
    debounce = read("debounceMs", lambda v: isinstance(v, int) and 0 <= v <= 5000, "a number of milliseconds up to 5000", 30)
    return ClientSettings(target, read("inlayHints", *flag, True), read("codeLens", *flag, True), debounce), told


class ProjectSettings:
    """The settings that count for each folder: the client's, else the environment's, else those of the nearest file."""

    def __init__(self) -> None:
        self.client = ClientSettings()
        self.abilities = Abilities()
        self.generation = 0
        """Grows with every change, so that answers for older settings are known as such."""
        self._settled: dict[Path, tuple[Config, str]] = {}

    def forget(self, client: ClientSettings | None = None) -> None:
        """Read the files anew from now on; take over the client's settings where they are given."""
        self.client = replace(client or self.client, abilities=self.abilities)
        self._settled.clear()
        self.generation += 1

    def for_file(self, path: str) -> tuple[Config, str]:
        """Return the settings for a file, and what is wrong with them; where something is, only the client's own hold."""
        folder = Path(path).parent
        if folder not in self._settled:
            try:
                self._settled[folder] = settled(folder, self.client.target), ""
            except ConfigError as error:
                self._settled[folder] = self.client.target, str(error)
        return self._settled[folder]
