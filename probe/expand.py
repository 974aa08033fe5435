"""`${NAME}` and `${NAME:-default}` in arguments and variables.

Docker's exec form starts no shell, and a scratch image has none. So the program expands these two forms itself, and no
others. A default may have further expansions, as in a shell. The value of a variable is not expanded again.
"""

from probe.errors import UsageError
from probe.text import quote

# POSIX.1-2017, XBD 3.235 "Name".
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
DIGITS = frozenset("0123456789")

DEEPEST = 10  # defaults in defaults: each level reads the text once more


def expand(text: str, environ: dict[bytes, bytes]) -> str:
    """Return the text with every expansion made. A dollar sign that starts none stays.

    Raises UsageError for an unset variable without a default and for braces that hold something else.
    """
    if "$" not in text:
        return text
    parts = []
    position = 0
    while True:
        dollar = text.find("$", position)
        if dollar < 0:
            parts.append(text[position:])
            return "".join(parts)
        parts.append(text[position:dollar])
        follower = text[dollar + 1 : dollar + 2]
        if follower == "{":
            end = _closing_brace(text, dollar)
            parts.append(_value(text[dollar + 2 : end], environ))
            position = end + 1
        else:
            parts.append("$")
            position = dollar + (2 if follower == "$" else 1)


def _closing_brace(text: str, dollar: int) -> int:
    """Return where the expansion that starts at `dollar` ends, after those inside its default."""
    depth = 0
    position = dollar
    while position < len(text):
        if text.startswith("$$", position):
            position += 2
        elif text.startswith("${", position):
            depth += 1
            if depth > DEEPEST:
                raise UsageError(
                    f"{quote(text[dollar:])} is nested more than {DEEPEST} deep; use fewer defaults in defaults"
                )
            position += 2
        elif text[position] == "}" and depth == 1:
            return position
        else:
            depth -= text[position] == "}"
            position += 1
    raise UsageError(f"{quote(text[dollar:])} has no closing brace; write ${{NAME}} or ${{NAME:-default}}")


def _value(inside: str, environ: dict[bytes, bytes]) -> str:
    """Return the value of `${inside}`. An empty variable takes the default too, as in a shell."""
    name, colon_dash, default = inside.partition(":-")
    if not name or name[0] in DIGITS or not set(name) <= LETTERS | DIGITS:
        whole = "${" + inside + "}"
        raise UsageError(f"{quote(whole)} is not an expansion; write ${{NAME}} or ${{NAME:-default}}")
    value = environ.get(name.encode())
    if colon_dash and not value:
        return expand(default, environ)
    if value is None:
        raise UsageError(f"the environment variable {name} is not set; set it, or give a default: ${{{name}:-default}}")
    return value.decode("utf-8", "surrogateescape")
