"""Broken and hostile files: what each holds, and which findings it must give. Large ones are made when a test runs.

`CASES` is shared: the library test asserts findings, places, time and memory; a test of the command line asserts the exit code
and that no traceback is shown.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Content = str | bytes | Callable[[Path], None]

_HEAD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\n"
_LORA = f"{_HEAD}technique: lora\n"


@dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    content: Content
    """Text, bytes, or what makes the file at a path."""
    codes: tuple[str, ...]
    """The findings of the reader, in the order of the text."""
    place: tuple[int, int] | None = None
    """1-based line and column of the first finding."""
    readable: bool = False
    """Whether a loadout comes of it, so that rules are judged too."""

    exits: int | None = None
    """The exit code of `recipeforge check`, where it is not the usual one for these findings."""

    @property
    def exit_code(self) -> int:
        """Return what `recipeforge check` exits with: 2 for a path that cannot be read, 1 for findings, 0 for none."""
        if self.exits is not None:
            return self.exits
        return 2 if self.codes == ("RF0018",) else 1 if set(self.codes) - {"RF0017"} else 0

    def write(self, folder: Path) -> Path:
        """Make the file in a folder and return its path."""
        path = folder / f"{self.name}.yaml"
        if isinstance(self.content, str):
            path.write_bytes(self.content.encode("utf-8"))
        elif isinstance(self.content, bytes):
            path.write_bytes(self.content)
        else:
            self.content(path)
        return path


def _bomb(levels: int = 9) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return _LORA + "\n".join(lines) + "\n"


def _merge_ladder(levels: int = 40) -> str:
    lines = ["m0: &m0 {k: 1}"]
    lines += [f"m{i}: &m{i} {{<<: [*m{i - 1}, *m{i - 1}], k{i}: 1}}" for i in range(1, levels)]
    return _LORA + "\n".join(lines) + "\n"


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nothing(path: Path) -> None:
    """Leave the path empty."""


def _ten_megabytes(path: Path) -> None:
    path.write_bytes(b"name: " + b"x" * 10_000_000)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


CASES: tuple[Case, ...] = (
    # no file, or none that can be read
    Case("does-not-exist", _nothing, ("RF0018",)),
    Case("folder", _folder, ("RF0018",)),
    Case("dangling-link", _dangling, ("RF0018",)),
    Case("link-to-itself", _link_to_itself, ("RF0018",)),
    Case("named-pipe", _pipe, ("RF0018",)),
    # no text
    Case("png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xfe\x08", ("RF0010",), (1, 1)),
    Case("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9", ("RF0010",), (1, 1)),
    Case("random-bytes", bytes((i * 197 + 91) % 256 for i in range(4096)), ("RF0010",)),
    Case("latin-1", "recipeforge: 1\nname: café\n".encode("latin-1"), ("RF0010",), (2, 10)),
    Case("utf-16", "recipeforge: 1\n".encode("utf-16"), ("RF0010",), (1, 1)),
    Case("utf-16-without-mark", "recipeforge: 1\n".encode("utf-16-be"), ("RF0010",), (1, 1)),
    Case("utf-32", "recipeforge: 1\n".encode("utf-32"), ("RF0010",), (1, 1)),
    Case("truncated-utf-8", b"recipeforge: 1\nname: caf\xc3", ("RF0010",), (2, 10)),
    Case("surrogate", b"recipeforge: 1\nname: \xed\xa0\x80\n", ("RF0010",), (2, 7)),
    Case("nul", f"{_LORA}name: a\0b\n", ("RF0001",), (4, 8)),
    Case("all-nul", b"\0" * 5000, ("RF0001",), (1, 1)),
    Case("escape-codes", f"{_LORA}name: \x1b[31mred\n", ("RF0001",), (4, 7)),
    # too much
    Case("ten-megabyte-line", _ten_megabytes, ("RF0013",), (1, 1)),
    Case("sparse-terabyte", _sparse, ("RF0013",), (1, 1)),
    Case("one-megabyte-word", _LORA + "name: " + "x" * 900_000 + "\n", (), None, readable=True),
    Case("one-megabyte-key", _LORA + "k" * 900 + ": 1\n", ("RF0002",), (4, 1), readable=True),
    Case("deep-flow", "a: " + "[" * 100_000, ("RF0013",), (1, 103)),
    Case("deep-flow-mappings", "{a: " * 50_000, ("RF0013",)),
    Case("deep-block", "".join(f"{' ' * i}a:\n" for i in range(1200)), ("RF0013",)),
    Case("deep-dashes", "- " * 100_000 + "x\n", ("RF0013",)),
    Case("deep-questions", "? " * 100_000 + "x\n", ("RF0013",)),
    Case("alias-bomb", _bomb(), ("RF0013",)),
    Case("merge-ladder", _merge_ladder(), ("RF0013",)),
    Case("ninety-thousand-keys", "".join(f"k{i}: 1\n" for i in range(90_000)), ("RF0013",)),
    Case("twenty-thousand-keys", _LORA + "".join(f"k{i}: 1\n" for i in range(20_000)), ("RF0002",) * 100, (4, 1), readable=True),
    Case(
        "ten-thousand-components",
        f"{_LORA}memory: [{', '.join(f'c{i}' for i in range(9000))}]\n",
        ("RF0003",) * 100,
        (4, 10),
        readable=True,
    ),
    Case("many-anchors", _LORA + "name: [" + ", ".join(f"&a{i} x" for i in range(9000)) + "]\n", ("RF0004",), (4, 7), readable=True),
    Case("quarter-million-hashes", _LORA + "#" * 250_000 + "\n" + "# forge: ignore[RF0002]\n" * 20_000, (), None, readable=True, exits=1),
    # no recipe
    Case("empty", "", ("RF0009",), (1, 1)),
    Case("only-comments", "# nothing\n\n# here\n", ("RF0009",), (1, 1)),
    Case("only-a-mark", b"\xef\xbb\xbf", ("RF0009",), (1, 1)),
    Case("only-dashes", "---\n", ("RF0009",), (1, 1)),
    Case("list-at-root", "- recipeforge\n- 1\n", ("RF0009",), (1, 1)),
    Case("scalar-at-root", "recipeforge\n", ("RF0009",), (1, 1)),
    Case("number-at-root", "42\n", ("RF0009",), (1, 1)),
    Case("null-at-root", "~\n", ("RF0009",), (1, 1)),
    Case("compose-file", "services:\n  web:\n    image: nginx\n", ("RF0009",), (1, 1)),
    Case("axolotl", "base_model: x\nadapter: qlora\nmicro_batch_size: 2\n", ("RF0017",), (1, 13), readable=True, exits=1),
    Case("torchtune-evaluation", "tokenizer: x\ncheckpointer: y\nmetric_logger: z\n", ("RF0009",), (1, 1)),
    # versions
    Case("version-99", _LORA.replace("forge: 1", "forge: 99"), ("RF0008",), (1, 14)),
    Case("version-0", _LORA.replace("forge: 1", "forge: 0"), ("RF0008",), (1, 14)),
    Case("version-huge", _LORA.replace("forge: 1", "forge: " + "9" * 6000), ("RF0008",), (1, 14)),
    Case("version-quoted", _LORA.replace("forge: 1", 'forge: "1"'), ("RF0004",), (1, 14), readable=True),
    Case("version-null", _LORA.replace("forge: 1", "forge:"), ("RF0008",), (1, 1)),
    Case("version-nan", _LORA.replace("forge: 1", "forge: .nan"), ("RF0008",), (1, 14)),
    Case("version-missing", _LORA.removeprefix("recipeforge: 1\n"), ("RF0007",), (1, 1), readable=True),
    # values
    Case("nan-learning-rate", f"{_LORA}optimizer: {{use: adamw, learning_rate: .nan}}\n", ("RF0006",), (4, 40), readable=True),
    Case("infinite-learning-rate", f"{_LORA}optimizer: {{use: adamw, learning_rate: .inf}}\n", ("RF0006",), (4, 40), readable=True),
    Case("negative-rank", f"{_HEAD}technique: {{use: lora, rank: -16}}\n", ("RF0006",), (3, 30), readable=True),
    Case("huge-rank", f"{_HEAD}technique: {{use: lora, rank: {'9' * 10_000}}}\n", ("RF0006",), (3, 30), readable=True),
    Case("huge-hex", f"{_LORA}train: {{steps: 0x{'f' * 300}}}\n", ("RF0006",), (4, 16), readable=True),
    Case("huge-exponent", f"{_LORA}optimizer: {{use: adamw, learning_rate: 1e999999999}}\n", ("RF0006",), (4, 40), readable=True),
    Case("base-60", f"{_LORA}budget: {{wall_clock: 1:30:00}}\n", ("RF0004",), (4, 22), readable=True),
    Case("octal-or-not", f"{_LORA}batch: {{micro: 010}}\n", ("RF0004",), (4, 16), readable=True),
    Case("nulls", "recipeforge: 1\nmodel:\ntechnique: ~\noptimizer: null\nbatch:\n", ("RF0004",) * 4, (2, 1), readable=True),
    Case("mapping-as-model", "recipeforge: 1\nmodel: {a: b}\ntechnique: lora\n", ("RF0004",), (2, 8), readable=True),
    Case("nested-lists", f"{_LORA}memory: [[[gradient-checkpointing]]]\n", ("RF0004",), (4, 10), readable=True),
    Case("list-as-use", f"{_LORA}optimizer: {{use: [adamw, lion]}}\n", ("RF0004",), (4, 18), readable=True),
    Case("model-with-nul", 'recipeforge: 1\nmodel: "a\\0b"\ntechnique: lora\n', ("RF0017",), (2, 8), readable=True),
    Case("model-is-a-device", "recipeforge: 1\nmodel: /dev/zero\ntechnique: lora\n", ("RF0017",), (2, 8), readable=True),
    Case("model-too-long", f"recipeforge: 1\nmodel: {'x/' * 20_000}\ntechnique: lora\n", ("RF0017",), (2, 8), readable=True),
    # keys
    Case("number-as-key", f"{_LORA}7: x\n", ("RF0002",), (4, 1), readable=True),
    Case("list-as-key", f"{_LORA}? [a, b]\n: 1\n", ("RF0004",), (4, 3), readable=True),
    Case("mapping-as-key", f"{_LORA}{{a: b}}: 1\n", ("RF0004",), (4, 1), readable=True),
    Case("null-as-key", f"{_LORA}~: 1\n", ("RF0004",), (4, 1), readable=True),
    Case("duplicate-keys", f"{_LORA}seed: 1\nseed: 2\nseed: 3\n", ("RF0005", "RF0005"), (5, 1), readable=True),
    Case("lookalike-key", f"{_LORA}оptimizer: adamw\n", ("RF0002",), (4, 1), readable=True),
    # anchors, aliases, merges, tags
    Case("recursive-alias", f"{_LORA}batch: &b {{micro: *b}}\n", ("RF0001",), (4, 19)),
    Case("merge-loop", f"{_LORA}batch: &b\n  <<: *b\n", ("RF0001",), (5, 7)),
    Case("root-alias", "*a\n", ("RF0001",), (1, 1)),
    Case("unknown-alias", f"{_LORA}batch: *nobody\n", ("RF0001",), (4, 8)),
    Case("duplicate-anchors", f"{_LORA}batch: {{micro: &x 2}}\ntrain: {{steps: &x 9}}\nseed: *x\n", (), None, readable=True),
    Case("merge-of-a-scalar", f"{_LORA}batch: {{<<: 4}}\n", ("RF0004",), (4, 13), readable=True),
    Case("python-object", f"{_LORA}name: !!python/object/apply:os.system ['touch owned']\n", ("RF0004", "RF0004"), (4, 7), readable=True),
    Case("python-name", f"{_LORA}name: !!python/name:os.system x\n", ("RF0004",), (4, 7), readable=True),
    Case("undefined-tag-handle", f"{_LORA}name: !evil!x y\n", ("RF0001",), (4, 7)),
    # syntax
    Case("tabs", f"{_HEAD}technique:\n\tuse: lora\n\trank: 4\n", ("RF0011",), (4, 1), readable=True),
    Case("never-closed-bracket", f"{_LORA}batch: {{micro: 1\nseed: 1\n", ("RF0001",), (4, 8)),
    Case("never-closed-quote", f"{_LORA}name: 'x\nseed: 1\n", ("RF0001",), (4, 7)),
    Case("second-colon", f"{_LORA}name: a: b\n", ("RF0001",), (4, 8)),
    Case("several-documents", f"{_LORA}---\n{_LORA}", ("RF0012",), (4, 1), readable=True),
    Case("markdown", "# Title\n\nSome *text*, and `code`: yes\n- item\n", ("RF0001",)),
    Case("json-with-comments", '{"recipeforge": 1, // one\n "model": "x"}\n', ("RF0001",)),
    Case("windows-path", f'{_LORA}data: {{source: "C:\\data\\x"}}\n', ("RF0001",), (4, 19)),
    Case("merge-conflict", f"{_LORA}<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> other\n", ("RF0001",), (4, 1)),
)
