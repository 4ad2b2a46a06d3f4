"""The compiled catalog, kept between processes: packs are parsed once, not at every `check`.

One file for each set of packs, in the user's cache folder. It is believed only when it is the
user's own, whole, and made from exactly these packs by exactly this code; otherwise it is as if
there were none. It can always be deleted. Nothing here may raise: a cache is never a reason to fail.
"""

import gc
import io
import os
import pickle
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from recipeforge.catalog.files import content_files
from recipeforge.schemas.catalog import Catalog

_MAGIC = b"recipeforge catalog 1\n"
_CHECKSUM_BYTES = 4
_OWN_CODE = (Path(__file__).parent, Path(__file__).parent.parent / "schemas")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class _CatalogUnpickler(pickle.Unpickler):
    """Builds the schemas' dataclasses and nothing else, so that a cache file cannot run code."""

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if not module_name.startswith("recipeforge.schemas."):
            raise pickle.UnpicklingError(f"{module_name}.{global_name} does not belong in a catalog")
        return super().find_class(module_name, global_name)


def cache_dir() -> Path:
    """Return the folder: `RECIPEFORGE_CACHE`, or `recipeforge` in the platform's cache folder."""
    own = os.environ.get("RECIPEFORGE_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(base) if base else Path.home() / ".cache") / "recipeforge"


def fingerprint(pack_dirs: Sequence[Path]) -> bytes:
    """Return what the compiled form depends on: the packs' files, the code that compiles them, and the Python that runs it.

    Files count by path, size and time of change, which costs no reading. The code counts by its
    files rather than by the package's version, so that an edited checkout never meets its own past.
    """
    lines = [f"{sys.implementation.cache_tag} {sys.hexversion}"]
    for path in (*_code_files(), *(file for pack in pack_dirs for file in content_files(pack))):
        about = path.stat()
        lines.append(f"{path.absolute()}\0{about.st_size}\0{about.st_mtime_ns}")
    return "\n".join(lines).encode(errors="surrogateescape") + b"\n\n"


def read(pack_dirs: Sequence[Path]) -> Catalog | None:
    """Return the kept catalog of these packs, if there is one to be believed."""
    try:
        content = _own_file(_file_for(pack_dirs))
        head = _MAGIC + fingerprint(pack_dirs)
        body = content[len(head) + _CHECKSUM_BYTES :]
        return _unpickle(body) if content == head + _checksum(body) + body else None
    except Exception:  # whatever a broken cache does, compiling afresh is the answer
        return None


def write(pack_dirs: Sequence[Path], catalog: Catalog) -> None:
    """Keep the catalog for later processes; where that is impossible, do nothing."""
    try:
        body = pickle.dumps(catalog, protocol=5)
        _replace_file(_file_for(pack_dirs), _MAGIC + fingerprint(pack_dirs) + _checksum(body) + body)
    except (OSError, RuntimeError, pickle.PicklingError):  # RuntimeError: no home folder
        return


def _code_files() -> Iterator[Path]:
    for folder in _OWN_CODE:
        yield from sorted(folder.glob("*.py"))


def _file_for(pack_dirs: Sequence[Path]) -> Path:
    packs = "\0".join(str(pack.absolute()) for pack in pack_dirs)
    name = f"{sys.implementation.cache_tag}\0{packs}".encode(errors="surrogateescape")
    return cache_dir() / f"catalog-{zlib.crc32(name):08x}.pickle"


def _checksum(body: bytes) -> bytes:
    """Return what tells a torn or rotten file; forgery is the business of `_own_file` and the unpickler."""
    return zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big")


def _own_file(path: Path) -> bytes:
    """Return the content of a plain file that belongs to this user and that nobody else can write."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with io.FileIO(descriptor) as file:
        about = os.fstat(descriptor)
        mine = os.name == "nt" or (about.st_uid == os.getuid() and not about.st_mode & _WRITABLE_BY_OTHERS)
        if not (stat.S_ISREG(about.st_mode) and mine):
            raise PermissionError(f"{path} is not this user's own file")
        return file.readall()


def _unpickle(body: bytes) -> Catalog | None:
    collecting = gc.isenabled()
    gc.disable()  # thousands of objects are made and none becomes garbage
    try:
        loaded = _CatalogUnpickler(io.BytesIO(body)).load()
    finally:
        if collecting:
            gc.enable()
    return loaded if isinstance(loaded, Catalog) else None


def _replace_file(path: Path, content: bytes) -> None:
    """Write whole or not at all: another process may read at the same moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with io.FileIO(descriptor, "w") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
