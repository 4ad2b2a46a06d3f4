from types import SimpleNamespace

import pytest

from recipeforge.runner.packages import Need
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.registry import Part, Registry

pytest.importorskip("torch")
import torch
from transformers import AutoModelForCausalLM

BASE = {"optimizer.learning_rate": 1e-3, "optimizer.weight_decay": 0.1}
LORA = {
    "technique.rank": 4,
    "technique.alpha": 8.0,
    "technique.dropout": 0.0,
    "technique.targets": "all-linear",
    "technique.bias": "none",
    "technique.train_embeddings": False,
}
HAS_BNB = Need("bitsandbytes", "").installed is not None


@pytest.fixture
def model(tiny_model):
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)


def trained_names(model) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


def test_a_component_is_implemented_once() -> None:
    registry = Registry()
    part = Part("adamw", "optimizer", build=lambda: None, does=lambda v: "")
    registry.add(part)
    with pytest.raises(ValueError, match="`adamw` is implemented twice"):
        registry.add(part)


@pytest.mark.parametrize("part", PARTS.of_slot("optimizer"), ids=lambda p: p.component)
def test_every_optimizer_moves_every_trainable_weight(part, model) -> None:
    if "bitsandbytes" in {n.name for n in part.needs} and not HAS_BNB:
        pytest.skip("needs bitsandbytes")
    if any(need.installed is None for need in part.needs):
        pytest.skip(f"needs {', '.join(need.name for need in part.needs)}")
    rate = 1.0 if part.component in ("prodigy", "dadapt-adam") else 1e-3  # these take it as a factor
    optimizers = part.build(
        model, BASE | {"optimizer.learning_rate": rate, "optimizer.auxiliary": "adamw", "optimizer.target_modules": "all-linear"}
    )
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    ids = torch.arange(40).view(2, 20)
    for _ in range(7 if part.component == "schedule-free-radam" else 2):  # ADOPT's first step only looks, as do this one's first five
        model(input_ids=ids, labels=ids).loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    still = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
    assert still == []
    assert all(torch.isfinite(p).all() for p in model.parameters())
    groups = [g for o in optimizers for g in o.param_groups]
    assert all(g["lr"] == rate for g in groups)
    assert all(g["weight_decay"] == (0.1 if g["params"][0].ndim >= 2 else 0.0) for g in groups)


def test_muon_keeps_to_hidden_matrices(model) -> None:
    muon, auxiliary = PARTS["muon"].build(model, BASE | {"optimizer.auxiliary": "adamw"})
    ends = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    assert all(p.ndim == 2 and id(p) not in ends for g in muon.param_groups for p in g["params"])
    held = {id(p) for o in (muon, auxiliary) for g in o.param_groups for p in g["params"]}
    assert held == {id(p) for p in model.parameters()}
    with pytest.raises(Exception, match="auxiliary: adamw"):
        PARTS["muon"].build(model, BASE)


def test_the_recipes_betas_reach_the_optimizer(model) -> None:
    (adamw,) = PARTS["adamw"].build(model, BASE | {"optimizer.beta2": 0.5, "optimizer.epsilon": 1e-4})
    assert adamw.param_groups[0]["betas"] == (0.9, 0.5)
    assert adamw.param_groups[0]["eps"] == 1e-4


@pytest.mark.parametrize("on_gpu", [False, True])
def test_adamw_is_fused_on_a_gpu_and_only_there(on_gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, **options: made.append(options))
    weight = SimpleNamespace(requires_grad=True, ndim=2, is_cuda=on_gpu)
    PARTS["adamw"].build(SimpleNamespace(parameters=lambda: [weight]), BASE)
    assert made == [{"lr": 1e-3} | ({"fused": True} if on_gpu else {})]


RATES = {
    "constant": [1.0] * 8,
    "constant-with-warmup": [1.0] * 8,
    "linear": [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125],
    "polynomial": [1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125],
    "cosine": [1.0, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381],
    "cosine-min-lr": [1.0, 0.9657, 0.8682, 0.7222, 0.55, 0.3778, 0.2318, 0.1343],
    "cosine-restarts": [1.0, 0.8536, 0.5, 0.1464, 1.0, 0.8536, 0.5, 0.1464],
    "wsd": [1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.25, 0.0],
    "inverse-sqrt": [1.0] * 8,
    "rex": [1.0, 0.9333, 0.8571, 0.7692, 0.6667, 0.5455, 0.4, 0.2222],
}


WARMED = [part for part in PARTS.of_slot("scheduler") if "scheduler.warmup_ratio" in part.reads]


def test_schedules_without_warm_up_of_ours_have_tests_of_their_own() -> None:
    rest = {part.component for part in PARTS.of_slot("scheduler")} - {part.component for part in WARMED}
    assert rest == {"one-cycle", "reduce-on-plateau", "greedy", "dlrs"} | {"exponential", "step"}  # test_reactive.py, and below


@pytest.mark.parametrize("part", WARMED, ids=lambda p: p.component)
def test_every_schedule_has_its_shape(part) -> None:
    more = {"scheduler.power": 1.0, "scheduler.min_lr_ratio": 0.1, "scheduler.cycles": 2, "scheduler.decay_steps": 3}
    rates = _rates(part, more, 8)
    if part.component == "wsd":  # where exactly the last steps fall is transformers' business
        assert rates[:5] == [1.0] * 5
        assert rates[5] > rates[6] > rates[7]
    else:
        assert rates == pytest.approx(RATES[part.component], abs=2e-3)
    warmed = _rates(part, more | {"scheduler.warmup_ratio": 0.25}, 8)
    assert warmed[:3] == pytest.approx([0.0, 0.5, 1.0], abs=1e-6)
    assert _rates(part, more | {"scheduler.warmup_steps": 2}, 8) == warmed


def test_drops_come_when_they_are_asked_for() -> None:
    assert _rates(PARTS["exponential"], {"scheduler.gamma": 0.5}, 4) == [1.0, 0.5, 0.25, 0.125]
    assert _rates(PARTS["step"], {"scheduler.gamma": 0.5, "scheduler.step_size": 2}, 5) == [1.0, 1.0, 0.5, 0.5, 0.25]


def _rates(part, values, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = part.build(optimizer, values, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("component", ["lora", "rslora", "dora"])
def test_adapters_train_themselves_only(component: str, model) -> None:
    part = PARTS[component]
    wrapped = part.build(model, LORA, PARTS["bf16"].build())
    names = trained_names(wrapped)
    assert names
    assert all("lora_" in name for name in names)
    assert any("magnitude" in name for name in names) == (component == "dora")
    scale = next(m.scaling["default"] for m in wrapped.modules() if isinstance(getattr(m, "scaling", None), dict))
    assert scale == (8 / 2 if component == "rslora" else 8 / 4)


def test_targets_bias_and_embeddings_are_honoured(model) -> None:
    wrapped = PARTS["lora"].build(
        model, LORA | {"technique.targets": "attention", "technique.train_embeddings": True}, PARTS["fp32"].build()
    )
    names = trained_names(wrapped)
    assert not any("mlp" in name for name in names)
    assert sum("lora_A" in name for name in names) == 8
    assert any("embed_tokens" in name and "modules_to_save" in name for name in names)
    assert any("lm_head" in name and "modules_to_save" in name for name in names)


def test_full_trains_everything(model) -> None:
    model.requires_grad_(False)
    assert trained_names(PARTS["full"].build(model, {}, PARTS["fp32"].build())) == {name for name, _ in model.named_parameters()}


@pytest.mark.parametrize(
    ("precision", "frozen", "trained"),
    [("fp32", "float32", "float32"), ("bf16", "bfloat16", "float32"), ("pure-bf16", "bfloat16", "bfloat16")],
)
def test_number_formats_are_those_of_the_precision(precision: str, frozen: str, trained: str, tiny_model) -> None:
    formats = PARTS[precision].build()
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=getattr(torch, formats.frozen))
    wrapped = PARTS["lora"].build(base, LORA, formats)
    kinds = {p.requires_grad: str(p.dtype).removeprefix("torch.") for p in wrapped.parameters()}
    assert kinds == {False: frozen, True: trained}


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing_recomputes_and_changes_no_gradient(reentrant: bool, model, tiny_model) -> None:
    values = {"memory.use_reentrant": reentrant}
    ids = torch.arange(30).view(1, 30)
    calls = []
    for checkpointed in (False, True):
        fresh = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        torch.manual_seed(0)
        wrapped = PARTS["lora"].build(fresh, LORA, PARTS["fp32"].build())
        for p in wrapped.parameters():
            if p.requires_grad:
                torch.nn.init.normal_(p, generator=torch.Generator().manual_seed(1))
        if checkpointed:
            PARTS["gradient-checkpointing"].build(wrapped, values)
        count = [0]
        layer = wrapped.get_base_model().model.layers[0].mlp
        layer.register_forward_pre_hook(lambda *_, c=count: c.__setitem__(0, c[0] + 1))
        wrapped.train()
        wrapped(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        grads = torch.cat([p.grad.flatten() for p in wrapped.parameters() if p.requires_grad])
        calls.append((count[0], grads))
    assert (calls[0][0], calls[1][0]) == (1, 2)
    assert torch.allclose(calls[0][1], calls[1][1], atol=1e-6)


@pytest.mark.skipif(not HAS_BNB, reason="needs bitsandbytes")
@pytest.mark.parametrize("component", ["bnb-4bit", "bnb-8bit"])
def test_quantized_weights_are_stored_small(component: str, tiny_model) -> None:
    values = {"quantization.quant_type": "fp4", "quantization.double_quant": True, "quantization.quant_storage": "uint8"}
    config = PARTS[component].build(values, torch.float32)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, quantization_config=config, device_map={"": "cpu"})
    weight = model.model.layers[0].self_attn.q_proj.weight
    assert weight.element_size() == 1
    assert weight.numel() == (64 * 64 // 2 if component == "bnb-4bit" else 64 * 64)
    if component == "bnb-4bit":
        assert (weight.quant_type, weight.compress_statistics) == ("fp4", True)
    wrapped = PARTS["lora"].build(model, LORA, PARTS["fp32"].build())
    assert all("lora_" in name for name in trained_names(wrapped))


def test_a_model_without_known_attention_names_is_told() -> None:
    from recipeforge.runner.parts.technique import targets_in

    strange = SimpleNamespace(named_modules=lambda: [("layers.0.mixer", None)])
    with pytest.raises(Exception, match="all-linear"):
        targets_in(strange, "attention")
