"""Which files of a pack hold knowledge, found with as little work as possible: every `check` asks."""

from pathlib import Path

TOPIC_FOLDERS = ("claims", "components", "facts", "rules")
TOP_FILES = ("knobs.yaml", "slots.yaml")


def content_files(pack: Path) -> list[Path]:
    """Return the pack's YAML files in a fixed order; excerpts are not among them, claims hold their hashes."""
    found = [pack / name for name in TOP_FILES if (pack / name).is_file()]
    for folder in TOPIC_FOLDERS:
        found += sorted((pack / folder).glob("*.yaml"))
    return found
