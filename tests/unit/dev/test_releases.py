"""What `dev/releases.py` reads from an index page and from metadata, and what it writes."""

import runpy
from pathlib import Path

import pytest
from packaging.version import Version

from recipeforge.catalog.releases import load_releases

RELEASES = runpy.run_path(str(Path(__file__).parents[3] / "dev" / "releases.py"))
SAYS = 'data-requires-python="&gt;=3.8" data-upload-time="2024-10-'
PAGE = f"""<!DOCTYPE html><html><body>
<a href="https://files/torch-2.5.0-cp311-cp311-manylinux1_x86_64.whl#sha256=1" {SAYS}17T10:00:00Z">x</a>
<a href="https://files/torch-2.5.1-cp311-cp311-manylinux1_x86_64.whl" {SAYS}29T10:00:00Z">x</a>
<a href="https://files/torch-2.5.1-cp312-cp312-manylinux1_x86_64.whl" {SAYS}28T10:00:00Z">x</a>
<a href="https://files/torch-2.5.1-cp313-cp313t-manylinux_2_28_x86_64.whl" data-upload-time="2024-10-28T10:00:00Z">x</a>
<a href="https://files/torch-2.5.1-cp310-none-macosx_11_0_arm64.whl" data-upload-time="2024-10-28T10:00:00Z">x</a>
<a href="https://files/torch-2.6.0rc1-cp311-cp311-manylinux1_x86_64.whl" data-upload-time="2025-01-01T10:00:00Z">x</a>
<a href="https://files/torch-2.6.0-cp39-abi3-manylinux_2_28_x86_64.whl" data-yanked="" data-upload-time="2025-01-29T10:00:00Z">x</a>
<a href="https://files/torch-2.4.0-py3-none-any.whl" data-upload-time="2024-07-24T10:00:00Z">x</a>
<a href="https://files/torch-2.3.0.tar.gz" data-upload-time="2024-04-24T10:00:00Z">x</a>
<a href="https://files/notes.txt">x</a>
</body></html>"""


def test_a_page_is_read_by_release() -> None:
    found = RELEASES["releases_on"](PAGE)
    assert [str(r.version) for r in found] == ["2.5.1", "2.5.0", "2.4.0", "2.3.0"], "no pre-release, nothing withdrawn, newest first"
    newest, _, pure, source = found
    assert (newest.date, newest.python, newest.wheels, newest.source) == ("2024-10-28", ">=3.8", {"3.11", "3.12"}, False)
    assert pure.wheels == {"any"}
    assert (source.wheels, source.source) == (set(), True)


@pytest.mark.parametrize(
    ("interpreter", "abi", "wanted"),
    [
        ("cp312", "cp312", {"3.12"}),
        ("cp313", "cp313t", set()),
        ("cp312", "abi3", {"3.12", "3.13", "3.14", "3.15"}),
        ("py3", "none", {"any"}),
        ("py2", "none", set()),
        ("pp310", "pypy310_pp73", set()),
    ],
)
def test_pythons_of_a_wheel(interpreter: str, abi: str, wanted: set[str]) -> None:
    assert RELEASES["_pythons"](interpreter, abi) == wanted


def test_first_and_newest_patches_are_kept() -> None:
    release = RELEASES["Release"]
    made = [
        release(Version(v), d)
        for v, d in (("2.1.2", "2026-03-01"), ("2.1.1", "2026-02-01"), ("2.1.0", "2026-01-01"), ("2.0.0", "2025-01-01"))
    ]
    old = [release(Version(v), "2020-01-01") for v in ("1.1", "1.0", "0.0.9", "0.0.8")]
    kept = [str(r.version) for r in RELEASES["kept"]([*made, *old], "2026-01-01")]
    assert kept == ["2.1.2", "2.1.0", "2.0.0"], "the middle patch goes; the newest three stay whatever their age"
    assert [str(r.version) for r in RELEASES["kept"](old, "2019-01-01")] == ["1.1", "1.0", "0.0.9", "0.0.8"], (
        "each 0.0.Z is a line of its own"
    )


def test_requirements_that_hold_here_are_kept_as_written() -> None:
    lines = [
        "torch (>=2.0)",
        'Triton ==3.1.0 ; platform_system == "Linux" and python_version < "3.13"',
        'torch>=1; sys_platform == "win32"',
        'peft>=0.1; extra == "test"',
        "colorama",
        "huggingface_hub>=0.25,<1.0",
        "no requirement at all",
    ]
    kept = RELEASES["relevant"](lines, ["torch", "triton", "peft", "huggingface-hub"])
    assert kept == [lines[0], lines[1], lines[5]]


def test_what_nothing_kept_satisfies_is_asked_for() -> None:
    release = RELEASES["Release"]
    every = {"torch": [release(Version(v)) for v in ("2.5.1", "2.5.0", "2.4.0")]}
    have = {"torch": every["torch"][:1]}
    assert RELEASES["lacking"](["torch==2.5.0", "torch<2.5", "torch>=2", "torch==9"], have, every) == {
        ("torch", Version("2.5.0")),
        ("torch", Version("2.4.0")),
    }


def test_what_is_written_can_be_loaded_and_read_again(tmp_path: Path) -> None:
    found = RELEASES["releases_on"](PAGE)
    requires = {
        "torch==2.5.1": ['torch>=2; python_version < "3.13"'],
        "torch==2.5.0": ['torch>=2; python_version < "3.13"'],
        "torch==2.4.0": [],
    }
    text = RELEASES["written"]([RELEASES["entry"]("torch", found, requires, "2026-11-21")])
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "releases.yaml").write_text(text, encoding="utf-8")
    loaded = load_releases([tmp_path])["torch"]
    assert [(r.version, r.date, r.checked) for r in loaded][-1] == ("2.5.1", "2024-10-28", "2026-11-21")
    assert [r.requires for r in loaded] == [None, (), ('torch>=2; python_version < "3.13"',), ('torch>=2; python_version < "3.13"',)]
    assert [r.built_for for r in loaded] == [(), (), ("3.11",), ("3.11", "3.12")]
    assert RELEASES["known"](text) == requires
