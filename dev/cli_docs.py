"""`docs/cli.md`, from the commands themselves."""

from collections.abc import Iterator

import click

from recipeforge.cli.exits import BAD_USE, CLEAN, FINDINGS, INTERRUPTED, UNDECIDED
from recipeforge.cli.main import command as root

EXITS = {
    CLEAN: "clean; notes (`info`) alone count as clean",
    FINDINGS: "findings: errors or warnings",
    BAD_USE: "bad use, a file that cannot be read, bad configuration, or a bug",
    UNDECIDED: "undecided: the time given was not enough, and nothing else was found",
    INTERRUPTED: "interrupted",
}
CONFIG = """\
## Configuration

The nearest `recipeforge.toml`, or `pyproject.toml` with a `[tool.recipeforge]` table, in the recipe's folder or above it counts,
alone. A flag wins over the environment (`RECIPEFORGE_GPU`, `RECIPEFORGE_SELECT` …), that over the file, that over the default.

```toml
gpu = "rtx-4090"             # judge for this GPU instead of the recipe's own
gpus = 1
packages = {torch = "2.6"}   # and for these versions
select = []                  # report only these rules: codes, beginnings of codes, slugs
ignore = ["RF2051"]

[prefer]                                      # [tool.recipeforge.prefer] in pyproject.toml
keep = ["technique", "data.sequence_length"]  # repairs leave these as the recipe has them
avoid = ["quantization"]                      # put in or changed only where nothing else cures
```

`prefer` names slots, components, parameters, or groups of parameters such as `batch`. `recipeforge solve`, `check --repairs`
and the editor's "Make it run" honour it. Where none leaves what is kept, none is offered.

A single finding is accepted in the recipe itself: `# forge: ignore[RF2051]` at the end of its line, or on the line above.

## Environment

- `NO_COLOR`, `FORCE_COLOR`: no colour, colour. `--color` wins over both, and `NO_COLOR` over `FORCE_COLOR`.
- `RECIPEFORGE_CACHE`: the folder of the compiled catalog and of bug reports; by default `recipeforge` in the user's cache folder.
- `RECIPEFORGE_DEBUG=1`: after a bug, print the traceback as well.
"""


def generate() -> str:
    """Return the reference of the command line."""
    context = click.Context(root, info_name="recipeforge")
    parts = ["# Command line", *_command(root, context, 0)]
    exits = [f"| {code} | {meaning} |" for code, meaning in EXITS.items()]
    parts += ["## Exit codes", "\n".join(["| code | meaning |", "|---|---|", *exits]), CONFIG.rstrip()]
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    if depth:
        yield f"{'#' * (depth + 1)} `{context.command_path}`"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```\n{context.command_path} {usage}\n```"
    yield from (" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n"))
    options = [row for param in command.params if (row := param.get_help_record(context)) is not None and row[1]]
    if options:
        yield "\n".join(["| option | meaning |", "|---|---|", *(f"| `{_cell(name)}` | {_cell(text)} |" for name, text in options)])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _command(found, click.Context(found, info_name=name, parent=context), depth + 1)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


if __name__ == "__main__":
    print(generate(), end="")
