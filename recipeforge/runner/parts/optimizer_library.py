"""Optimizers of torch and of the packages that the catalog names: one line each, mapped to a class and its arguments.

Gradients are clipped by the training loop alone: where a class clips by itself, that is turned off.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.ends import ends_of
from recipeforge.runner.parts.optimizer import SCHEDULE_FREE, decayed_groups, optimizer_part, options_of, rate_of
from recipeforge.runner.parts.quantization import BITSANDBYTES
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes

_ADAM = ("beta1", "beta2", "epsilon")
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "query_key_value", "c_attn", "Wqkv", "out_proj")
_MLP = ("gate_proj", "up_proj", "down_proj", "gate_up_proj", "c_fc", "fc1", "fc2", "dense_h_to_4h", "dense_4h_to_h")


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _made(path: str, betas: tuple[float, ...] | None, epsilon: bool, fixed: dict[str, Any]) -> Callable[..., tuple[Any, ...]]:
    def build(model: Any, values: Values) -> tuple[Any, ...]:
        options = fixed | options_of(values, betas, epsilon)
        if "optimizer.momentum" in values:
            options["momentum"] = float(values["optimizer.momentum"])
        return (_class(path)(decayed_groups(model.parameters(), values), lr=rate_of(values), **options),)

    return build


def _library(
    component: str,
    name: str,
    path: str,
    *needs: Need,
    betas: tuple[float, ...] | None = (0.9, 0.999),
    epsilon: bool = True,
    momentum: bool = False,
    fixed: dict[str, Any] | None = None,
    objections: Any = lambda wishes: (),
    untested: str = "",
) -> Part:
    """A class that takes torch's usual arguments; `betas` are its own, for a recipe that sets only one of them."""
    knobs = (*(("beta1", "beta2") if betas else ()), *(("epsilon",) if epsilon else ()), *(("momentum",) if momentum else ()))
    build = _made(path, betas, epsilon, fixed or {})
    return optimizer_part(component, name, build, *knobs, needs=needs, objections=objections, untested=untested)


def _schedule_free(kind: str, betas: tuple[float, ...] | None) -> Callable[..., tuple[Any, ...]]:
    build = _made(f"schedulefree.{kind}", betas, betas is not None, {})

    def started(model: Any, values: Values) -> tuple[Any, ...]:
        (optimizer,) = build(model, values)
        optimizer.train()
        return (optimizer,)

    return started


def _projected(path: str, settings: dict[str, Any], betas: bool) -> Callable[..., tuple[Any, ...]]:
    """Matrices of the target modules with projection, everything else without."""

    def build(model: Any, values: Values) -> tuple[Any, ...]:
        chosen = _targets(model, str(values["optimizer.target_modules"]))
        groups = []
        for group in decayed_groups(model.parameters(), values):
            inside = [p for p in group["params"] if id(p) in chosen]
            outside = [p for p in group["params"] if id(p) not in chosen]
            groups += [{**group, "params": outside}] if outside else []
            groups += [{**group, "params": inside, **settings}] if inside else []
        options = options_of(values, (0.9, 0.999), epsilon=True) if betas else options_of(values, epsilon=True)
        return (_class(path)(groups, lr=rate_of(values), **options),)

    return build


def _targets(model: Any, wish: str) -> set[int]:
    """Return the ids of the weights that are projected."""
    import torch

    ends = {id(m) for m in ends_of(model)}
    named = {"attention": _ATTENTION, "mlp": _MLP, "all-linear": None}[wish]
    linear = [(name.rsplit(".", 1)[-1], m) for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and id(m) not in ends]
    return {id(module.weight) for name, module in linear if named is None or name in named}


def _says_what_is_projected(wishes: Wishes) -> Iterable[Objection]:
    if "optimizer.target_modules" not in wishes.values:
        subject = wishes.parts["optimizer"][0]
        yield Objection(subject, "it does not say which matrices are projected", "add `target_modules: all-linear` under `optimizer`")


_GALORE = {"rank": 128, "update_proj_gap": 200, "scale": 0.25, "proj_type": "std"}
_APOLLO = {"rank": 256, "proj": "random", "scale_type": "channel", "scale": 1.0, "update_proj_gap": 200, "proj_type": "std"}
_APOLLO_MINI = _APOLLO | {"rank": 1, "scale_type": "tensor", "scale": 128.0}
"""As the authors' READMEs have them."""

LION = Need("lion-pytorch", "brings Lion", minimum="0.2")
PRODIGY = Need("prodigyopt", "brings Prodigy", minimum="1.1")
OPTIMI = Need("torch-optimi", "brings optimi's optimizers", minimum="0.2")
CAME = Need("came-pytorch", "brings CAME", minimum="0.1.3")
DADAPTATION = Need("dadaptation", "brings D-Adaptation", minimum="3.2")
GROKADAMW = Need("grokadamw", "brings GrokAdamW", minimum="0.1.2")
PYTORCH_OPTIMIZER = Need("pytorch-optimizer", "brings this optimizer", minimum="3.1")
TORCHAO = Need("torchao", "brings AdamW with small states", minimum="0.12")
GALORE = Need("galore-torch", "brings GaLore", minimum="1.0")
APOLLO = Need("apollo-torch", "brings APOLLO", minimum="1.0")
_KNOWS_ITS_RATE = "estimates its own rate and takes the recipe's as a factor"

PARTS = (
    _library("nadam", "NAdam", "torch.optim.NAdam", fixed={"decoupled_weight_decay": True}),
    _library("radam", "RAdam", "torch.optim.RAdam", fixed={"decoupled_weight_decay": True}),
    _library("rmsprop", "RMSprop (its weight decay is added to the gradient)", "torch.optim.RMSprop", betas=None, momentum=True),
    _library("adagrad", "Adagrad (its weight decay is added to the gradient)", "torch.optim.Adagrad", betas=None),
    _library("paged-adamw-32bit", "AdamW with paged states", "bitsandbytes.optim.PagedAdamW32bit", BITSANDBYTES),
    _library("ademamix", "AdEMAMix", "bitsandbytes.optim.AdEMAMix", BITSANDBYTES, betas=(0.9, 0.999, 0.9999)),
    _library(
        "paged-ademamix-8bit",
        "AdEMAMix with paged 8-bit states",
        "bitsandbytes.optim.PagedAdEMAMix8bit",
        BITSANDBYTES,
        betas=(0.9, 0.999, 0.9999),
    ),
    _library(
        "paged-lion-8bit",
        "Lion with paged 8-bit states",
        "bitsandbytes.optim.PagedLion8bit",
        BITSANDBYTES,
        betas=(0.9, 0.99),
        epsilon=False,
    ),
    _library("lion", "Lion", "lion_pytorch.Lion", LION, betas=(0.9, 0.99), epsilon=False),
    _library("prodigy", f"Prodigy, which {_KNOWS_ITS_RATE}", "prodigyopt.Prodigy", PRODIGY),
    _library("dadapt-adam", f"D-Adaptation Adam, which {_KNOWS_ITS_RATE}", "dadaptation.DAdaptAdam", DADAPTATION, fixed={"decouple": True}),
    _library("adamw-kahan", "AdamW with Kahan summation", "optimi.AdamW", OPTIMI, betas=(0.9, 0.99), fixed={"kahan_sum": True}),
    _library("stable-adamw", "StableAdamW", "optimi.StableAdamW", OPTIMI, betas=(0.9, 0.99)),
    _library("adan", "Adan", "optimi.Adan", OPTIMI, betas=(0.98, 0.92, 0.99)),
    _library("came", "CAME", "came_pytorch.CAME", CAME, betas=(0.9, 0.999, 0.9999), epsilon=False),
    _library("grokadamw", "GrokAdamW without a grokking signal", "grokadamw.GrokAdamW", GROKADAMW, fixed={"gradient_clipping": 0.0}),
    _library("lamb", "LAMB", "pytorch_optimizer.Lamb", PYTORCH_OPTIMIZER),
    _library("lars", "LARS", "pytorch_optimizer.LARS", PYTORCH_OPTIMIZER, betas=None, epsilon=False, momentum=True),
    _library("adopt", "ADOPT", "pytorch_optimizer.ADOPT", PYTORCH_OPTIMIZER, betas=(0.9, 0.9999), fixed={"weight_decouple": True}),
    _library("shampoo", "Shampoo", "pytorch_optimizer.Shampoo", PYTORCH_OPTIMIZER, betas=None, epsilon=False),
    _library("soap", "SOAP", "pytorch_optimizer.SOAP", PYTORCH_OPTIMIZER, betas=(0.95, 0.95)),
    _library("adamw-torchao-8bit", "AdamW with 8-bit states of torchao", "torchao.optim.AdamW8bit", TORCHAO),
    _library("adamw-torchao-4bit", "AdamW with 4-bit states of torchao", "torchao.optim.AdamW4bit", TORCHAO),
    _library("adamw-torchao-fp8", "AdamW with FP8 states of torchao", "torchao.optim.AdamWFp8", TORCHAO),
    optimizer_part("schedule-free-sgd", "schedule-free SGD", _schedule_free("SGDScheduleFree", None), "momentum", needs=(SCHEDULE_FREE,)),
    optimizer_part(
        "schedule-free-radam",
        "schedule-free RAdam",
        _schedule_free("RAdamScheduleFree", (0.9, 0.999)),
        *_ADAM,
        needs=(SCHEDULE_FREE,),
    ),
    optimizer_part(
        "galore",
        "GaLore of rank 128, a new subspace every 200 steps",
        _projected("galore_torch.GaLoreAdamW", _GALORE, betas=False),
        "target_modules",
        "epsilon",
        needs=(GALORE,),
        objections=_says_what_is_projected,
    ),
    *(
        optimizer_part(
            component,
            f"{name} of rank {settings['rank']}, a new projection every 200 steps",
            _projected("apollo_torch.APOLLOAdamW", settings, betas=True),
            "target_modules",
            *_ADAM,
            needs=(APOLLO,),
            objections=_says_what_is_projected,
        )
        for component, name, settings in (("apollo", "APOLLO", _APOLLO), ("apollo-mini", "APOLLO-Mini", _APOLLO_MINI))
    ),
)
