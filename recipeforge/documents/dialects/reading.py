"""Document in another tool's dialect → what it says, in the same form as of a recipe."""

from collections.abc import Mapping

from recipeforge.catalog.subjects import UNSETTLED
from recipeforge.documents.dialects.companions import judge_inline
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.defaults import open_knobs
from recipeforge.documents.dialects.dialect import Dialect
from recipeforge.documents.dialects.facts import config_facts
from recipeforge.documents.dialects.key_vocabulary import keys_of
from recipeforge.documents.dialects.keys import judge_keys
from recipeforge.documents.dialects.parts import judge_parts
from recipeforge.documents.dialects.sharding import launched
from recipeforge.documents.tree import Document
from recipeforge.documents.vocabulary import Vocabulary
from recipeforge.schemas.loadout import Fact

DEVICES = "hardware.count"


def read_config(
    dialect: Dialect, document: Document, vocabulary: Vocabulary, gpu: Mapping[str, Fact] | None = None, launch: str | None = None
) -> Config:
    """Return a document of this dialect, read.

    `gpu` is what is known of the GPU, which decides what `auto` means; `launch` names the Accelerate file that starts the run.
    """
    config = Config(document, vocabulary, gpu or {})
    dialect.read(config)
    if dialect.name != "torchtune":
        launched(config, launch)
    config.seed("seed")
    keys = keys_of(dialect.name, dialect.title, dialect.refuses)
    if keys is not None:
        judge_keys(config, keys)
        if dialect.name == "torchtune":
            judge_parts(config, keys)
    judge_inline(config)
    config.out.framework = dialect.framework
    config.out.sayable = frozenset(dialect.words) | frozenset(dialect.knobs)
    config.out.facts, spans = config_facts(config, vocabulary.catalog)
    config.out.spans.update(spans)
    unsettled = config.out.unsettled | open_knobs(dialect.name, {s.knob for s in config.out.settings})
    if config.out.value_of(DEVICES) is None:
        unsettled |= {DEVICES}  # how many there are is said when the run is launched
    if unsettled:
        config.out.facts = {**config.out.facts, UNSETTLED: tuple(sorted(unsettled))}
    return config
