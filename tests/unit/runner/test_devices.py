from pathlib import Path

import pytest

from recipeforge.runner.devices import Gpu, visible_gpu

TWO = "0, GPU-aaaa1, NVIDIA A100-SXM4-80GB, 81920, 40960, 8.0, 580.1\n1, GPU-bbbb2, Tesla T4, 15360, 14336, 7.5, 580.1\n"
A100 = Gpu("NVIDIA A100-SXM4-80GB", 80.0, 40.0, 8.0, "580.1")
T4 = Gpu("Tesla T4", 15.0, 14.0, 7.5, "580.1")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put an `nvidia-smi` on the path that says what the test wants."""

    def says(text: str, code: int = 0) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "said").write_text(text)
        tool = folder / "nvidia-smi"
        tool.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line"; done < {folder / "said"}\nexit {code}\n')
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return says


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (None, A100),
        ("0", A100),
        ("1", T4),
        ("1,0", T4),
        (" 1 , 0", T4),
        ("GPU-bbbb", T4),
        ("", None),
        ("-1", None),
        ("7", None),
        ("MIG-9d", Gpu("NVIDIA A100-SXM4-80GB", None, None, 8.0, "580.1")),
    ],
)
def test_the_gpu_is_the_one_that_cuda_will_take(driver, monkeypatch, order: str | None, wanted: Gpu | None) -> None:
    driver(TWO)
    if order is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", order)
    assert visible_gpu() == wanted


def test_what_the_driver_does_not_say_is_unknown(driver) -> None:
    driver("0, GPU-c, NVIDIA GB10, [N/A], [N/A], 12.1, 580.1\n")
    assert visible_gpu() == Gpu("NVIDIA GB10", None, None, 12.1, "580.1")


@pytest.mark.parametrize("text", ["", "No devices were found\n", "NVIDIA-SMI has failed because it couldn't communicate\n"])
def test_no_gpu_is_none(driver, text: str) -> None:
    driver(text)
    assert visible_gpu() is None


def test_a_driver_that_fails_or_is_not_there_is_none(driver, monkeypatch, tmp_path: Path) -> None:
    driver(TWO, code=9)
    assert visible_gpu() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpu() is None


@pytest.mark.gpu
def test_the_driver_and_torch_speak_of_the_same_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gpu, about = visible_gpu(), torch.cuda.get_device_properties(0)
    assert gpu is not None
    assert gpu.name == about.name
    assert gpu.capability == float(f"{about.major}.{about.minor}")
    assert gpu.memory_gib == pytest.approx(about.total_memory / 2**30, rel=0.05)
