"""Parts with a state of their own kind go on from a checkpoint to the same bits as a run that nothing ended."""

import pytest

from recipeforge.runner.packages import Need

pytest.importorskip("torch")

LINES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "a start that is computed from the base": ((), {"technique": "{use: pissa, rank: 4}"}),
    "vectors that layers share": ((), {"technique": "{use: vb-lora, rank: 4}"}),
    "a prompt from an encoder": ((), {"technique": "{use: p-tuning, virtual_tokens: 4}"}),
    "some layers of the base": ((), {"technique": "{use: freeze, trainable_layers: 1}", "averaging": "lawa"}),
    "rates of their own": ((), {"lr_groups": "[lora-plus]", "scheduler": "rex", "optimizer": "nadam"}),
    "a projector": (("galore-torch",), {"technique": "full", "optimizer": "{use: galore, target_modules: all-linear}"}),
    "a random projection": (("apollo-torch",), {"technique": "full", "optimizer": "{use: apollo, target_modules: all-linear}"}),
    "bits": (("torchao",), {"optimizer": "adamw-torchao-8bit", "scheduler": "cosine"}),
    "a rate of its own": (("prodigyopt",), {"optimizer": "{use: prodigy, learning_rate: 1.0}"}),
    "an eigenbasis": (("pytorch-optimizer",), {"optimizer": "soap"}),
}


@pytest.mark.parametrize(("needs", "lines"), LINES.values(), ids=list(LINES))
def test_it_goes_on_to_the_same_bits(needs: tuple[str, ...], lines: dict[str, str], train) -> None:
    if absent := [name for name in needs if Need(name, "").installed is None]:
        pytest.skip(f"needs {', '.join(absent)}")
    lines = {"train": "{steps: 5, save_every: 2}"} | lines
    whole, _, _ = train(**lines)
    _, folder, done = train(stop_after=3, **lines)
    assert not done
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.losses()[-1] == whole.losses()[-1]
    assert rest.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]
