"""For what hardware and which packages a recipe is judged: options, environment and configuration, in that order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from recipeforge.api.config import Config, packages_from, settled
from recipeforge.schemas.loadout import Fact


def target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--gpu`, `--gpus` and `--packages` to a command."""
    options = (
        click.option("--gpu", metavar="ID", help="Judge for this GPU instead of the recipe's own, such as rtx-4090, t4 or cpu."),
        click.option("--gpus", metavar="N", type=click.IntRange(1), help="Judge for so many GPUs."),
        click.option("--packages", metavar="NAME=VERSION,…", help="Judge for these package versions, such as torch=2.6,peft=0.12."),
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
