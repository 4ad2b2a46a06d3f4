"""How much of a half-typed recipe is still understood, and how fast; beside tree-sitter-yaml, where that is installed.

    python benchmarks/half_typed.py

Each recipe is cut short on every line at every character, with the lines below kept: what a text is while that line is
typed. Counted are the cuts after which more than the one key being typed is lost.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from recipeforge.documents.mend import parse_half_typed
from recipeforge.documents.tree import MappingNode, key_text, target_of

ROOT = Path(__file__).parent.parent
BLOCK_STYLE = """\
recipeforge: 1
model: Qwen/Qwen2.5-1.5B
technique:
  use: lora
  rank: 16
memory:
  - gradient-checkpointing
  - use: activation-offloading
data:
  source: "./rows \\u00e9.jsonl"
  format: text
batch:
  micro: 4
"""
Keys = Callable[[str], set[str]]


def mended(text: str) -> set[str]:
    """Return the top-level keys that our reader finds."""
    root = parse_half_typed(text).root
    content = target_of(root) if root is not None else None
    return {key_text(entry) or "" for entry in content.entries} if isinstance(content, MappingNode) else set()


def tree_sitter_keys() -> Keys | None:
    """Return the same by tree-sitter-yaml; `None` where it is not installed."""
    try:
        import tree_sitter  # pyright: ignore[reportMissingImports]
        import tree_sitter_yaml  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        return None
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_yaml.language()))

    def keys(text: str) -> set[str]:
        found: set[str] = set()
        waiting = [parser.parse(text.encode()).root_node]
        while waiting:
            node = waiting.pop()
            if node.type in ("block_mapping_pair", "flow_pair"):
                key = node.child_by_field_name("key")
                if key is not None and key.text is not None and key.start_point[1] == 0:
                    found.add(key.text.decode())
            else:
                waiting += node.children
        return found

    return keys


def cuts(text: str) -> Iterator[str]:
    """Yield the text with one line cut short, for every place."""
    for at in range(len(text)):
        yield text[:at] + text[text.index("\n", at) :] if "\n" in text[at:] else text[:at]


def row(name: str, keys: Keys, texts: list[str]) -> None:
    """Print one line of the table."""
    lost: list[int] = []
    start = time.perf_counter()
    for text in texts:
        whole = mended(text)
        lost += [len(whole - keys(cut)) for cut in cuts(text)]
    took = (time.perf_counter() - start) / len(lost) * 1e3
    print(f"{name:<24}{len(lost):>7}{sum(n > 1 for n in lost):>16}{max(lost):>8}{took:>10.2f}")


def main() -> None:
    """Print the table."""
    texts = [(ROOT / "examples" / name).read_text() for name in ("broken-qlora.yaml", "smollm2-lora.yaml")] + [BLOCK_STYLE]
    print(f"{'':<24}{'cuts':>7}{'lose > 1 key':>16}{'worst':>8}{'ms a cut':>10}")
    row("libyaml, lines blanked", mended, texts)
    other = tree_sitter_keys()
    if other is None:
        print("tree-sitter-yaml is not installed: pip install tree-sitter tree-sitter-yaml")
    else:
        row("tree-sitter-yaml", other, texts)


if __name__ == "__main__":
    main()
