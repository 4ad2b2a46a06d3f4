"""libyaml's complaint → what a person did, where, and what to do next."""

import yaml

from recipeforge.documents.build import Built
from recipeforge.documents.findings import finding
from recipeforge.documents.lines import BOM, LineIndex
from recipeforge.documents.wording import short
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import Span

_QUOTE_IT = "Put the value in quotes."


def explain(error: yaml.MarkedYAMLError, built: Built, text: str, lines: LineIndex) -> Diagnostic:
    """Return the finding about a syntax error, at the place where a person would look for it."""
    return _Complaint(error, built, text, lines).diagnostic()


class _Complaint:
    """One syntax error with its surroundings."""

    def __init__(self, error: yaml.MarkedYAMLError, built: Built, text: str, lines: LineIndex) -> None:
        shift = 1 if text.startswith(BOM) else 0
        self.problem: str = error.problem or ""
        self.context: str = error.context or ""
        self.at = error.problem_mark.index + shift if error.problem_mark else len(text)
        self.opened = error.context_mark.index + shift if error.context_mark else self.at
        self.built, self.text, self.lines = built, text, lines

    def diagnostic(self) -> Diagnostic:
        problem, context = self.problem, self.context
        if problem.startswith("mapping values are not allowed"):
            return self._second_colon()
        if "expected ',' or" in problem:
            return self._flow()
        if problem.startswith("could not find expected ':'"):
            return self._no_colon(self.opened)
        if "quoted scalar" in context and ("end of stream" in problem or "document indicator" in problem):
            return self._at(self.opened, 1, "this quote is never closed", "opened here", "Close it with the same quote.")
        if problem.startswith("found unknown escape character"):
            return self._escape()
        if problem.startswith(("did not find expected hexdecimal", "found invalid Unicode character escape")):
            message = "an escape in double quotes needs hexadecimal digits, as in `\\x41` or `\\u00e9`"
            return self._here(message, "not a hexadecimal digit", "Use single quotes if the backslash is meant.")
        if problem.startswith("block sequence entries are not allowed"):
            next_step = "Put the list on the next line, one `- ` an item, or write it as [a, b]."
            return self._at(self.at, 1, "a `- ` list cannot start on the line of its key", "starts a list", next_step)
        if problem.startswith("found character that cannot start any token"):
            character = self.text[self.at : self.at + 1]
            next_step = f"Put the value in quotes: '{character}…'."
            return self._at(self.at, 1, f"a value cannot start with `{character}`", "has its own meaning in YAML", next_step)
        if context.endswith(("an alias", "an anchor")):
            character = self.text[self.opened : self.opened + 1]
            what = "repeats an anchored value" if character == "*" else "names an anchor"
            message = f"`{character}` {what}, and needs a name of letters, digits, `-` or `_` behind it"
            return self._at(self.opened, 1, message, "no valid name follows", f"{_QUOTE_IT[:-1]} if the character itself is meant.")
        if problem.startswith("did not find expected key"):
            return self._no_key()
        if problem.startswith("did not find expected '-' indicator"):
            return self._after_list()
        if problem.startswith("did not find expected node content"):
            return self._stray()
        if problem.startswith("did not find expected <document start>"):
            return self._here("the recipe ended above; nothing may follow", "does not belong to it", "Indent it alike, or delete it.")
        if "tag" in problem or "tag" in context:
            return self._at(self.at, 1, "`!` starts a tag, and a recipe has none", "not a tag that YAML knows", _QUOTE_IT)
        if "directive" in problem or "directive" in context or "YAML document" in problem:
            return self._at(self.at, 1, "a line that starts with `%` is a YAML directive", "cannot be read", "Delete the line.")
        if "block scalar" in context:
            message = "behind `|` or `>` nothing but `+`, `-`, a digit or a comment may stand"
            return self._here(message, "not allowed here", "Put the text on the next lines, indented.")
        return self._here("this is not valid YAML", "reading stopped here", "Compare it with the lines above.", (f"libyaml: {problem}",))

    # -- the frequent mistakes ------------------------------------------------------------------------------

    def _second_colon(self) -> Diagnostic:
        last = self.built.last
        if last is not None and self.lines.line_of(last.start) != self.lines.line_of(self.at):
            first_line = self.lines.line_of(last.start)
            word = last.text.split()[0] if last.text.split() else ""
            if self.built.last_is_key or self.built.root is last:
                return self._no_colon(last.start)
            place = self._content_of_line(self.lines.line_of(self.at))
            message = f"this line is indented deeper than its neighbours, so YAML takes it for more of the value `{short(word)}`"
            related = ((self.lines.span(last.start, self.lines.line_end(first_line)), "the value that it would continue"),)
            return finding("RF0001", message, place, "indented too deep", related=related, help="Indent it like the keys above.")
        message = "a second `: ` stands on this line; one key has one value"
        next_step = "Put the value in quotes, or the inner key on a line of its own, or write {key: value}."
        return self._at(self.at, 1, message, "second colon", next_step)

    def _no_colon(self, offset: int) -> Diagnostic:
        line = self.lines.line_of(offset)
        span = self._content_of_line(line)
        written = self.lines.line_text(line).strip()
        message = f"`{short(written)}` is no `key: value`"
        missing_space = ":" in written and ": " not in written
        next_step = "Write a space behind the colon." if missing_space else "Write a colon and a space behind the key: `key: value`."
        return finding("RF0001", message, span, "a colon and a space are missing", help=next_step)

    def _flow(self) -> Diagnostic:
        bracket = self.text[self.opened : self.opened + 1]
        closing = {"{": "}", "[": "]"}.get(bracket, "}")
        inside_line = self.lines.line_of(self.at) == self.lines.line_of(self.opened)
        if inside_line and self.at < self.lines.line_end(self.lines.line_of(self.at)):
            span = self.lines.span(self.at, self.at + 1)
            related = ((self.lines.span(self.opened, self.opened + 1), "opened here"),)
            message = f"a `,` or the closing `{closing}` is missing before this"
            return finding("RF0001", message, span, "not expected here", related=related, help="Separate the items with commas.")
        message = f"this `{bracket}` is never closed"
        return self._at(self.opened, 1, message, "opened here", f"Close it with `{closing}`.")

    def _no_key(self) -> Diagnostic:
        here = self.text[self.at : self.at + 1]
        if here and here in "]}":
            return self._at(self.at, 1, f"this `{here}` closes nothing", "no opening bracket for it", "Delete it.")
        last = self.built.last
        if last is not None and last.style in {"'", '"'} and self.lines.line_of(last.end) == self.lines.line_of(self.at):
            message = "the quoted value ended before this"
            next_step = "Write a quote inside single quotes twice ('it''s'), or use the other kind of quotes outside."
            related = ((self.lines.span(last.start, last.end), "the value"),)
            return finding("RF0001", message, self._rest_of_line(), "left over", related=related, help=next_step)
        if here == ":":
            return self._at(self.at, 1, "a key is missing before this colon", "no key", "Write `key: value`.")
        line = self.lines.line_of(self.at)
        column = self.lines.position(self.opened).column
        message = f"this line is not indented like the keys above, which start in column {column + 1}"
        related = ((self.lines.span(self.opened, self.opened), "the first of those keys"),)
        help_text = f"Indent it by {column} spaces, or deeper under the key it belongs to." if column else "Remove its indentation."
        return finding("RF0001", message, self._content_of_line(line), "another indentation", related=related, help=help_text)

    def _after_list(self) -> Diagnostic:
        related = ((self.lines.span(self.opened, self.opened + 1), "the list starts here"),)
        message = "a list goes on here, and its items start with `- `"
        place = self._content_of_line(self.lines.line_of(self.at))
        next_step = "Start it with `- `, or indent it so that it belongs to another key."
        return finding("RF0001", message, place, "not an item", related=related, help=next_step)

    def _stray(self) -> Diagnostic:
        here = self.text[self.at : self.at + 1]
        if here and here in "]}":
            return self._at(self.at, 1, f"this `{here}` closes nothing", "no opening bracket for it", "Delete it, or quote the value.")
        if here == ",":
            return self._at(self.at, 1, "a value is missing before this comma", "nothing stands before it", "Delete the comma.")
        if self.at >= len(self.text.rstrip()) and self.built.open_flow is not None:
            self.opened = self.built.open_flow
            return self._flow()
        return self._here("a value is missing here", "no value", "Write the value, or delete its key.")

    def _escape(self) -> Diagnostic:
        shown = self.text[self.at - 1 : self.at + 1] if self.text[self.at - 1 : self.at] == "\\" else self.text[self.at : self.at + 2]
        start = self.at - 1 if self.text[self.at - 1 : self.at] == "\\" else self.at
        next_step = "Use single quotes, in which a backslash is a backslash, or forward slashes in a path."
        return self._at(start, 2, f"`{shown}` is no escape that double quotes know", "unknown escape", next_step)

    # -- places ---------------------------------------------------------------------------------------------

    def _at(self, offset: int, length: int, message: str, label: str, next_step: str) -> Diagnostic:
        end = min(offset + length, len(self.text))
        return finding("RF0001", message, self.lines.span(offset, end), label, help=next_step)

    def _here(self, message: str, label: str, next_step: str, notes: tuple[str, ...] = ()) -> Diagnostic:
        return finding("RF0001", message, self._rest_of_line(), label, help=next_step, notes=notes)

    def _rest_of_line(self) -> Span:
        end = self.lines.line_end(self.lines.line_of(self.at))
        return self.lines.span(self.at, max(self.at, end))

    def _content_of_line(self, line: int) -> Span:
        text = self.lines.line_text(line)
        start = self.lines.line_start(line)
        return self.lines.span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
