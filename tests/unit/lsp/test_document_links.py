from lsprotocol import types

from recipeforge.catalog.load import load
from recipeforge.lsp.features.document_links import document_links
from tests.unit.lsp.reading import DOCUMENT, known, within

TEXT = """\
# see EV-0130, RF1001 and https://example.org/RF-nothing
recipeforge: 1
model: qwen/qwen2.5-1.5b
technique: lora
precision: bf16  # forge: ignore[bf16-below-ampere]
data: {source: "x # RF1001"}
hardware: {gpu: T4}
"""


def links(text: str) -> dict[str, str]:
    judged = known(text)
    found = document_links(judged, types.DocumentLinkParams(text_document=DOCUMENT))
    assert all(link.target and link.tooltip for link in found)
    return {within(judged, link.range): str(link.target) for link in found}


def test_models_gpus_evidence_and_rules() -> None:
    found = links(TEXT)
    assert found["qwen/qwen2.5-1.5b"] == "https://huggingface.co/Qwen/Qwen2.5-1.5B"
    assert found["T4"] == load().gpus["t4"].source
    assert found["EV-0130"] == load().claims["EV-0130"].url
    assert found["RF1001"].startswith("file:")
    assert found["bf16-below-ampere"].endswith("RF2051-bf16-below-ampere.md")
    assert len(found) == 5, "a quoted `#` starts no comment, and addresses are the editor's own"


def test_folders_and_packages_are_no_models_of_the_hub() -> None:
    for model in ("./here/model", "package:something", "/abs/model", "just-a-name", "a/b/c"):
        assert links(f"recipeforge: 1\nmodel: {model}\n") == {}
    assert links("recipeforge: 1\nmodel: someone/something-new\n") == {
        "someone/something-new": "https://huggingface.co/someone/something-new"
    }
