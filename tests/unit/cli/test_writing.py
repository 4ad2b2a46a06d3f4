"""Files are replaced whole, with their mode, through links, and never half."""

import os
from pathlib import Path

import pytest

from recipeforge.cli.writing import WriteError, replace_text


def test_content_mode_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("old")
    path.chmod(0o640)
    replace_text(str(path), "\ufeffa: 1\r\nb: 猫")
    assert path.read_bytes() == b"\xef\xbb\xbfa: 1\r\nb: \xe7\x8c\xab"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["r.yaml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("old")
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    replace_text(str(link), "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_new_file_gets_the_usual_mode(tmp_path: Path) -> None:
    replace_text(str(tmp_path / "new.yaml"), "x")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new.yaml").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError, match=r"No space left on device; the old content is still there"):
        replace_text(str(path), "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["r.yaml"]
