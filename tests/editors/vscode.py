"""A real VS Code, served to a headless browser: started on a port of its own, with the extension built from this checkout."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXTENSION = Path(__file__).resolve().parents[2] / "editors" / "vscode"
SETTINGS = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,  # its "Fix" and "Explain" would stand among our actions
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "git.enabled": False,
    "files.autoSave": "off",  # a browser's default is on, after a second
    "editor.minimap.enabled": False,
    "editor.scrollBeyondLastLine": False,
    "editor.lightbulb.enabled": "on",
    "window.commandCenter": False,
    "window.title": "${activeEditorShort}",
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": False,
    "breadcrumbs.enabled": False,
    "task.quickOpen.history": 0,
}


def build_extension(editors: Path) -> Path:
    """Type-check, bundle and package the extension and its tests; return the .vsix."""
    lock, stamp = EXTENSION / "package-lock.json", EXTENSION / "node_modules" / ".package-lock.json"
    if not stamp.is_file() or stamp.stat().st_mtime < lock.stat().st_mtime:
        _npm(editors, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    for script in ("check", "build-tests", "package"):
        _npm(editors, "run", "--silent", script)
    return EXTENSION / "dist" / "recipeforge.vsix"


def _npm(editors: Path, *arguments: str) -> None:
    path = f"{editors}/bin{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([editors / "bin/npm", *arguments], cwd=EXTENSION, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, f"npm {' '.join(arguments)}:\n{done.stdout}{done.stderr}"


@contextmanager
def served(
    editors: Path, home: Path, environment: Mapping[str, str], *, vsix: Path | None = None, automated: bool = False
) -> Iterator[str]:
    """Serve VS Code, with an extension installed if one is given; yield its address.

    `automated` lets the page ask for an extension under development and for tests inside the extension host.
    """
    (home / "User").mkdir(parents=True)
    (home / "User" / "settings.json").write_text(json.dumps(SETTINGS))
    node, main = editors / "bin/node", editors / "vscode/node_modules/code-server/lib/vscode/out/server-main.js"
    where = ["--server-data-dir", home, "--user-data-dir", home, "--extensions-dir", home / "extensions"]
    if vsix is not None:
        subprocess.run([node, main, *where, "--install-extension", vsix], check=True, capture_output=True, env=environment)
    port = _free_port()
    fixed = ["--host", "127.0.0.1", "--port", str(port), "--without-connection-token", "--accept-server-license-terms"]
    extra = ["--telemetry-level", "off", *(["--enable-smoke-test-driver"] if automated else [])]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen([node, main, *fixed, *extra, *where], env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _await_answer(address, process, home / "server.log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def drive(
    editors: Path, script: Path, environment: Mapping[str, str], given: Mapping[str, Any], report: Path, seconds: int = 240
) -> tuple[Any, subprocess.CompletedProcess[str]]:
    """Run a browser script with what is given to it as JSON; return its report, and how it ended."""
    require = str(editors / "vscode" / "package.json")
    whole = {**given, "require": require, "chromium": shutil.which("chromium") or "", "report": str(report)}
    command = [editors / "bin/node", script, json.dumps(whole, default=str)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds)
    assert report.is_file(), f"{script.name} left no report:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return json.loads(report.read_text()), done


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await_answer(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"VS Code's server ended:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < end, f"VS Code's server does not answer:\n{log.read_text()}"
            time.sleep(0.1)
