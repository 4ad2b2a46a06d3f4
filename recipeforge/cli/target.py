"""For what hardware and which packages a recipe is judged: options, environment and configuration, in that order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from recipeforge.api.config import Config, packages_from, settled
from recipeforge.schemas.loadout import Fact

ASKED = "?"
"""What `--packages` is where it stands alone: a question instead of versions."""
_VERSIONS = "Judge for these package versions, such as torch=2.6,peft=0.12, or for those of a requirements or lock file."


def target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--gpu`, `--gpus` and `--packages` to a command."""
    return _with(function, click.option("--packages", metavar="NAME=VERSION,…", help=_VERSIONS))


def target_options_and_question(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same, and let `--packages` stand alone: `ASKED`, which versions satisfy the recipe?"""
    told = f"{_VERSIONS} Alone, behind RECIPE: find versions that satisfy the recipe, as recipeforge packages does."
    option = click.option("--packages", metavar="[NAME=VERSION,…]", is_flag=False, flag_value=ASKED, help=told, callback=_not_a_recipe)
    return _with(function, option)


def _not_a_recipe(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what can only be the recipe, which an option that may stand alone swallows."""
    if not value or value == ASKED or "=" in value:
        return value
    from recipeforge.api.locked import names_a_file

    if not names_a_file(value):
        raise click.UsageError(f"`--packages` stands behind the recipe: recipeforge solve {value} --packages")
    return value


def _with(function: Callable[..., Any], packages: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--gpu", metavar="ID", help="Judge for this GPU instead of the recipe's own, such as rtx-4090, t4 or cpu."),
        click.option("--gpus", metavar="N", type=click.IntRange(1), help="Judge for so many GPUs."),
        packages,
    )
    for option in reversed(options):
        function = option(function)
    return function


def settings_for(path: str, flags: Config) -> Config:
    """Return the settings that count for one recipe."""
    return settled(Path(path).parent if path != "-" else Path(), flags)


def flags_from(gpu: str | None, gpus: int | None, packages: str | None) -> Config:
    """Return the options given on the command line."""
    return Config(gpu=gpu or None, gpus=gpus, packages=packages_from(packages or ""))


def overrides_for(path: str, flags: Config) -> Mapping[str, Fact]:
    """Return the facts that replace the recipe's own."""
    from recipeforge.api import target

    settings = settings_for(path, flags)
    return target(settings.gpu, settings.gpus, settings.packages)
