"""What a scalar means where a certain type is wanted.

YAML 1.1, which PyYAML reads, makes `no` a boolean, `010` eight, `1:30` ninety and `2e-4` a string. YAML 1.2 does not. A recipe
is read by what its author meant: the knob says which type is wanted, and what could be meant in two ways is refused with
the unambiguous spelling.
"""

import math
import re

from recipeforge.documents.suggest import normal, suggest
from recipeforge.documents.tree import NULLS, Content, ScalarNode, SequenceNode
from recipeforge.documents.wording import short
from recipeforge.schemas.change import Safety
from recipeforge.schemas.recipe import Knob, Scalar
from recipeforge.schemas.record import slotted

TRUE_WORDS = frozenset({"true", "yes", "on"})
FALSE_WORDS = frozenset({"false", "no", "off"})
LARGEST_INT = 2**53
"""Up to here every integer is exact as a float too, in whatever reads the recipe next."""

_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_RADIX = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)")
_AMBIGUOUS = re.compile(r"[-+]?0[0-9_]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan, "inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_WITH_UNIT = re.compile(r"([-+]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z%$]+)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_GIB_WORDS = frozenset({"gib", "gb", "g"})


@slotted
class Misfit:
    """Why a value is none for its knob."""

    code: str
    message: str
    label: str
    help: str = ""
    replacement: str | None = None
    """The text that would be right."""
    safety: Safety = "safe"


def plain_value(text: str) -> Scalar | None:
    """Return what a plain scalar means by itself (YAML 1.2, and numbers as people write them)."""
    if text in NULLS:
        return None
    if text in {"true", "True", "TRUE"}:
        return True
    if text in {"false", "False", "FALSE"}:
        return False
    value = number(text)
    return text if value is None else value


def number(text: str) -> int | float | None:
    """Return the number that a text writes, or `None`. Integers beyond any use come as floats."""
    if len(text) <= 400:
        if _RADIX.fullmatch(text):
            value = int(text.replace("_", ""), 0)
            return value if abs(value) <= LARGEST_INT else (math.inf if value > 0 else -math.inf)
        if _INT.fullmatch(text):
            digits = text.replace("_", "")
            return int(digits) if len(digits) <= 17 else float(digits)
        if _FLOAT.fullmatch(text):
            return float(text.replace("_", ""))
        return _SPECIAL.get(text.lower())
    return math.inf if _INT.fullmatch(text) else None


def seconds(text: str) -> int | float | None:
    """Return the length of a duration such as `2h`, `1h30m` or `45 min`, in seconds; `None` for what is none."""
    if len(text) > 40 or not _DURATION.fullmatch(text):
        return None
    total = 0.0
    for amount, unit in _DURATION_PART.findall(text):
        if unit not in _SECONDS:
            return None
        total += float(amount) * _SECONDS[unit]
    return int(total) if total.is_integer() else total


def duration_text(length_s: float) -> str:
    """Return seconds as a recipe writes them: `2h`, `90m`, `45s`."""
    for unit, size in (("h", 3600), ("m", 60)):
        if length_s >= size and length_s % size == 0:
            return f"{int(length_s // size)}{unit}"
    return f"{length_s:g}s"


def value_for(knob: Knob, node: Content) -> Scalar | Misfit:
    """Return the value that `node` gives `knob`, or why it gives none."""
    if not isinstance(node, ScalarNode):
        kind = "list" if isinstance(node, SequenceNode) else "mapping"
        return Misfit("RF0004", f"`{knob.path}` is {wanted(knob)}, not a {kind}", f"a {kind}", f"Write one value: `{knob.name}: …`.")
    if node.null:
        word = "none" if "none" in knob.values and node.text else None
        return Misfit("RF0004", f"`{knob.path}` has no value", "empty", f"Write {wanted(knob)}, or remove the key.", word)
    if knob.type == "str":
        return node.text
    if knob.type == "enum":
        return _enum(knob, node)
    if knob.type == "bool":
        return _bool(knob, node)
    if knob.type == "duration":
        return _duration(knob, node)
    return _number(knob, node)


def wanted(knob: Knob) -> str:
    """Return what a knob takes, in words."""
    if knob.type == "enum":
        return f"one of {', '.join(knob.values)}"
    kind = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text", "duration": "a duration such as 2h"}[
        knob.type
    ]
    low, high = knob.minimum, knob.maximum
    if low is not None and high is not None:
        kind += f" from {low:g} to {_count(high)}"
    elif low is not None:
        kind += f" of at least {low:g}"
    elif high is not None:
        kind += f" of at most {_count(high)}"
    return f"{kind} ({knob.unit})" if knob.unit else kind


def misfit(knob: Knob, value: object, shown: str) -> Misfit:
    """Return that `value` is outside the knob's range."""
    return Misfit("RF0006", f"`{knob.path}` is {wanted(knob)}; {short(shown)} is {value}", str(value))


def _number(knob: Knob, node: ScalarNode) -> Scalar | Misfit:
    text = node.text
    value = number(text)
    if value is None:
        return _no_number(knob, text)
    if not node.plain:
        if math.isfinite(value):
            return Misfit("RF0004", f"`{knob.path}` is {wanted(knob)}, and quotes make this a text", "a text", "Remove the quotes.", text)
        return _no_number(knob, text)
    if _AMBIGUOUS.fullmatch(text):
        decimal = text.replace("_", "").lstrip("+-0") or "0"
        sign = "-" if text.startswith("-") else ""
        message = f"`{short(text)}` is octal to some YAML readers and decimal to others"
        help_text = f"Write {sign}{decimal}, without leading zeros."
        return Misfit("RF0004", message, "ambiguous", help_text, f"{sign}{decimal}", "unsafe")
    if math.isnan(value):
        return misfit(knob, "not a number", text)
    if knob.type == "int" and isinstance(value, float) and abs(value) <= LARGEST_INT:
        if value.is_integer():
            whole = str(int(value))
            return Misfit("RF0004", f"`{knob.path}` is {wanted(knob)}", "written as a decimal", f"Write {whole}.", whole)
        return Misfit("RF0004", f"`{knob.path}` is {wanted(knob)}; {short(text)} is not whole", "not whole", "Round it.")
    if knob.minimum is not None and value < knob.minimum:
        return misfit(knob, "too small", text)
    if math.isinf(value) or (knob.maximum is not None and value > knob.maximum) or (knob.type == "int" and abs(value) > LARGEST_INT):
        return misfit(knob, "too large", text)
    return float(value) if knob.type == "float" else int(value)


def _no_number(knob: Knob, text: str) -> Misfit:
    message = f"`{knob.path}` is {wanted(knob)}, not `{short(text)}`"
    if match := _WITH_UNIT.fullmatch(text):
        amount, unit = match.groups()
        if unit == "%" and (knob.maximum or 0) <= 1:
            share = f"{float(amount.replace('_', '')) / 100:g}"
            return Misfit("RF0004", message, "a percentage", f"Write the share: {share}.", share)
        same = knob.unit is not None and (unit.lower() == knob.unit.lower() or (knob.unit == "GiB" and unit.lower() in _GIB_WORDS))
        stated = f" (the unit is {knob.unit})" if knob.unit else ""
        return Misfit("RF0004", message, "not a number", f"Write the number alone{stated}.", amount if same else None)
    if re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", text):
        return Misfit("RF0004", message, "not a number", "Write a decimal point instead of the comma.")
    return Misfit("RF0004", message, "not a number", f"Write {wanted(knob)}.")


def _enum(knob: Knob, node: ScalarNode) -> Scalar | Misfit:
    if node.text in knob.values:
        return node.text
    text = node.text
    # YAML 1.1 makes `no` and `off` booleans, and other tools write them for "none".
    if text.lower() in {"no", "off", "false", "never"} and "none" in knob.values:
        return Misfit("RF0006", f"`{knob.path}` is {wanted(knob)}, not `{text}`", "did you mean `none`?", replacement="none")
    meant = suggest(text, knob.values)
    label = meant.question() or "not one of them"
    replacement = meant.best if meant.clear or (meant.best and normal(meant.best) == normal(text)) else None
    return Misfit("RF0006", f"`{knob.path}` is {wanted(knob)}, not `{short(text)}`", label, f"Write {wanted(knob)}.", replacement)


def _bool(knob: Knob, node: ScalarNode) -> Scalar | Misfit:
    word = node.text.lower()
    meant = "true" if word in TRUE_WORDS or word == "1" else "false" if word in FALSE_WORDS or word == "0" else None
    if meant is None:
        message = f"`{knob.path}` is true or false, not `{short(node.text)}`"
        return Misfit("RF0004", message, "neither true nor false", "Write true or false.")
    if node.plain and word in TRUE_WORDS | FALSE_WORDS:
        return meant == "true"
    why = "this is a number" if node.plain else "quotes make this a text"
    return Misfit("RF0004", f"`{knob.path}` is true or false, and {why}", f"write {meant}", f"Write {meant}.", meant)


def _duration(knob: Knob, node: ScalarNode) -> Scalar | Misfit:
    length = seconds(node.text.strip().lower())
    if length is not None:
        return length if length > 0 else misfit(knob, "no time at all", node.text)
    help_text = "Write a number with its unit: 45m, 2h, 1h30m or 1d."
    if re.fullmatch(r"[\d:]+", node.text) and ":" in node.text:
        help_text = f"YAML 1.1 reads `{short(node.text)}` as a number in base 60. {help_text}"
    return Misfit("RF0004", f"`{knob.path}` is a duration, not `{short(node.text)}`", "no unit", help_text)


def _count(value: float) -> str:
    return f"{int(value):,}" if value >= 10_000 and value == int(value) else f"{value:g}"
