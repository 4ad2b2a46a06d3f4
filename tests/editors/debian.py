"""What the system's package manager gives: missing programs, and single packages of a newer Debian beside the installed one."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


class CannotInstall(RuntimeError):
    """A program is missing and this account cannot install it."""


def ensure_packages(programs: Mapping[str, str], also: Sequence[str] = ()) -> None:
    """Install what is missing of `programs` (program → package), and of `also` those packages that this system knows."""
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    missing += [package for package in also if not _installed(package)]
    if not missing:
        return
    _apt("update", "--quiet=2")
    known = [package for package in missing if package not in also or _known(package)]
    _apt("install", "--yes", "--quiet=2", "--no-install-recommends", *known)


def fetch_newer(home: Path, suite: str, packages: Sequence[str]) -> None:
    """Unpack packages of another Debian suite under `home`, from the mirror that this machine already uses.

    Nothing is installed and no source is added: apt reads a source list, package lists and a status file of its own.
    """
    shutil.rmtree(home, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "root"):
        (home / folder).mkdir(parents=True)
    (home / "status").touch()
    (home / "sources.list").write_text(main_source(suite) + "\n")
    own = {
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": home / "lists",
        "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [part for key, value in own.items() for part in ("-o", f"{key}={value}")]
    subprocess.run(["apt-get", *options, "--quiet=2", "update"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["apt-get", *options, "--quiet=2", "download", *packages], check=True, cwd=home, stdout=subprocess.DEVNULL)
    for archive in home.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive, home / "root"], check=True)
        archive.unlink()
    shutil.rmtree(home / "lists")
    shutil.rmtree(home / "cache")


def main_source(suite: str) -> str:
    """Return this machine's main Debian source, as one line, for another suite."""
    codename = _codename()
    for text in _source_texts():
        for source in (*_paragraphs(text), *_one_liners(text)):
            if codename in source.get("suites", "").split() and source.get("uris"):
                signed = f"[signed-by={source['signed-by']}] " if source.get("signed-by") else ""
                return f"deb {signed}{source['uris'].split()[0]} {suite} main"
    raise CannotInstall(f"none of apt's sources is for {codename}, so there is none to derive {suite}'s from; install hx by hand")


def _source_texts() -> list[str]:
    files = [SOURCES[0], *sorted(SOURCES[1].glob("*.list")), *sorted(SOURCES[1].glob("*.sources"))]
    return [file.read_text() for file in files if file.is_file()]


def _paragraphs(text: str) -> list[dict[str, str]]:
    """Read apt's field format: paragraphs of `Field: value`."""
    out = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if ":" in line and not line.startswith("#")]
        out.append({field.lower(): value.strip() for field, _, value in (line.partition(":") for line in lines)})
    return out


def _one_liners(text: str) -> list[dict[str, str]]:
    """Read apt's older format: `deb [options] uri suite components`."""
    out = []
    for line in text.splitlines():
        if not line.startswith("deb "):
            continue
        options, rest = "", line[4:].strip()
        if rest.startswith("["):
            options, _, rest = rest[1:].partition("]")
        uri, _, suites = rest.strip().partition(" ")
        signed = next((word.partition("=")[2] for word in options.split() if word.startswith("signed-by=")), "")
        out.append({"uris": uri, "suites": suites, "signed-by": signed})
    return out


def _codename() -> str:
    fields = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"')


def _installed(package: str) -> bool:
    found = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return found.stdout.startswith("install ok")


def _known(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], capture_output=True).returncode == 0


def _apt(*arguments: str) -> None:
    if shutil.which("apt-get") is None:
        raise CannotInstall(f"no apt-get here; install by hand: {' '.join(a for a in arguments[1:] if not a.startswith('-'))}")
    sudo = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*sudo, "apt-get", *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
