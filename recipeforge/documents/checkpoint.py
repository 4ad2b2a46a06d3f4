"""Whether a checkpoint is stored quantized, as far as its name says.

Publishers of quantized weights put the method into the name, since the plain name is taken by the original.
"""

import re

PLAIN = "none"
"""Value of `model.quantized` for weights that are not quantized."""

_METHODS = (
    ("bnb-4bit", r"bnb-?4bit|nf4"),
    ("bnb-8bit", r"bnb-?8bit"),
    ("gptq", r"gptq"),
    ("awq", r"awq"),
    ("aqlm", r"aqlm"),
    ("mxfp4", r"mxfp4"),
    ("fp8", r"fp8"),
)
_SOMEHOW = re.compile(r"(?:[48]-?bit|int[48]|w[48]a\d+|gguf|exl[23]|hqq|quant|nvfp4|bitnet|mlx)", re.IGNORECASE)


def quantization_by_name(name: str) -> str | None:
    """Return the method that a model's name states, `none` where it states none, `None` where it is not clear which."""
    last = name.rsplit("/", 1)[-1]
    for method, pattern in _METHODS:
        if re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", last, re.IGNORECASE):
            return method
    return None if _SOMEHOW.search(last) else PLAIN
