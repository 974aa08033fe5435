"""The text that was given for an option, and what a refused one may come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from probe.errors import UsageError
from probe.parsers import link_hint
from probe.text import is_digits

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RawValue:
    """A text and its source: `--port` or `HEALTHCHECKER_PORT`."""

    text: str
    source: str

    def parse(self, parser: Callable[[str], Value]) -> Value:
        """Return the parser's value of the text. Raises UsageError that begins with the source."""
        try:
            return parser(self.text)
        except UsageError as error:
            hint = "" if error.refused is None else variable_hint(error.refused)
            raise UsageError(f"{self.source}: {error}{hint}") from None


def variable_hint(text: str) -> str:
    """Return what compose or a shell may have made of a variable; "" if the refused text has no sign of one.

    compose turns `$$` into `$`, and a shell into its process ID. So `$${PORT}` is right in a compose file only.
    """
    before, _, inside = text.partition("{")
    if not text:
        return (
            "; compose or a shell may have expanded an empty variable:"
            " write ${NAME:-default}, and $${NAME:-default} in a compose file"
        )
    if hint := link_hint(text):
        return hint
    if "${" in text:
        return "; the variable was not expanded: write ${NAME}, and $${NAME} in a compose file only"
    if is_digits(before[-1:]) and inside[:1].isidentifier():
        return "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only"
    return "; a variable is written ${NAME}" if "$" in text else ""
