"""Texts of sources in repositories that this machine holds: bare clones as `DIR/owner+name/repo`, or directly as `DIR/owner+name`.

Nothing here touches the network: what is not there is said not to be there.
"""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import quote, unquote

from recipeforge.schemas.record import record

_PINNED = re.compile(r"https://github\.com/([^/]+/[^/]+)/blob/([0-9a-f]{40})/([^#?]+)")
_WRITTEN = re.compile(r"(?:git:)?([^/@:]+/[^/@:]+)@([0-9A-Za-z._/-]+):(.+)")


@record
class FileAt:
    """A file of a repository at a commit."""

    repository: str
    """`owner/name`."""
    commit: str
    path: str

    @property
    def url(self) -> str:
        """Its address, pinned."""
        return f"https://github.com/{self.repository}/blob/{self.commit}/{quote(self.path)}"


def file_of_url(url: str) -> FileAt | None:
    """Return the file that a pinned address names, or nothing."""
    found = _PINNED.fullmatch(url.split("#")[0].split("?")[0])
    return FileAt(found[1], found[2], unquote(found[3])) if found else None


def file_as_written(source: str) -> FileAt | None:
    """Return the file that `git:OWNER/REPO@COMMIT:PATH` names, or nothing."""
    found = _WRITTEN.fullmatch(source)
    return FileAt(found[1], found[2], found[3]) if found else None


class Clones:
    """The clones in a folder, read by `git cat-file`: one process a repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._readers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Clones":
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            if reader.stdin is not None:
                reader.stdin.close()
            reader.wait()
            if reader.stdout is not None:
                reader.stdout.close()

    def holds(self, repository: str) -> bool:
        """Return whether there is a clone of it."""
        return self._git_dir(repository) is not None

    def text(self, file: FileAt) -> str | None:
        """Return the file's text; nothing where the clone, the commit or the file is not there."""
        git_dir = self._git_dir(file.repository)
        if git_dir is None or "\n" in file.path:
            return None
        reader = self._readers.get(file.repository)
        if reader is None:
            env = os.environ | {"GIT_NO_LAZY_FETCH": "1"}  # what a partial clone lacks is not asked for over the network
            command = ["git", "--git-dir", str(git_dir), "cat-file", "--batch"]
            reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
            self._readers[file.repository] = reader
        assert reader.stdin is not None and reader.stdout is not None
        try:
            reader.stdin.write(f"{file.commit}:{file.path}\n".encode())
            reader.stdin.flush()
            head = reader.stdout.readline().split()
        except BrokenPipeError:
            return None
        if len(head) != 3 or head[1] != b"blob":
            if len(head) == 3 and head[2].isdigit():
                reader.stdout.read(int(head[2]) + 1)
            return None
        content = reader.stdout.read(int(head[2]) + 1)[:-1]
        return content.decode("utf-8", errors="replace")

    def _git_dir(self, repository: str) -> Path | None:
        place = self.folder / repository.replace("/", "+")
        return next((path for path in (place / "repo", place) if (path / "objects").is_dir()), None)
