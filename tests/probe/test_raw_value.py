"""What is said of a value that is refused, wherever it was given."""

from collections.abc import Callable

import pytest

from probe import parsers, url
from probe.errors import UsageError
from probe.raw_value import RawValue, variable_hint
from probe.transport import trust

LINK = "; Kubernetes and Docker links set this for a service of that name: set enableServiceLinks: false, or give the"

VARIABLES = {
    "": "; compose or a shell may have expanded an empty variable: write ${NAME:-default}, and $${NAME:-default} in",
    "${PORT}": "; the variable was not expanded: write ${NAME}, and $${NAME} in a compose file only",
    "6${PORT}": "; the variable was not expanded: write ${NAME}, and $${NAME} in a compose file only",
    "6{PORT}": "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only",
    "/a/123{_a:-b}": "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only",
    "$PORT": "; a variable is written ${NAME}",
    "$(PORT)": "; a variable is written ${NAME}",
    "tcp://10.0.0.1:80": LINK,
    "udp://172.17.0.2:53": LINK,
    "sctp://[fd00::1]:80": LINK,
    "http://web:tcp://10.0.0.1:80/": LINK,
    "tcp://web:80": "",
    "a6{A}": "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only",
    "6{A}{": "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only",
    "6{A-b}": "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only",
    "{PORT}": "",
    "a{PORT}": "",
    "2{00,04}": "",
    "abc": "",
}


@pytest.mark.parametrize(("text", "hint"), VARIABLES.items(), ids=lambda text: text[:20])
def test_what_compose_or_a_shell_made_of_a_variable_is_said(text: str, hint: str) -> None:
    assert variable_hint(text).startswith(hint)
    assert bool(variable_hint(text)) == bool(hint)


PARSERS = [parsers.port, parsers.flag, parsers.duration, parsers.statuses, url.host, url.parse_url]
REFUSED = [(parser, text) for parser in PARSERS for text in ("", "${A}", "6{A}", "$A", "tcp://10.0.0.1:80")]


@pytest.mark.parametrize(
    ("parser", "text"),
    [*REFUSED, (parsers.file, ""), *((trust.from_file, text) for text in ("${A}", "6{A}", "$A"))],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_every_value_that_is_refused_says_it(parser: Callable[[str], object], text: str) -> None:
    with pytest.raises(UsageError, match="^--option: ") as error:
        RawValue(text, "--option").parse(parser)
    assert str(error.value).endswith(variable_hint(text))


NO_VALUES = [url.path, url.parse_url]


@pytest.mark.parametrize("parser", NO_VALUES, ids=lambda one: one.__name__)
def test_where_no_value_is_refused_nothing_is_said_of_variables(parser: Callable[[str], object]) -> None:
    with pytest.raises(UsageError, match="write it percent-encoded, as %20$"):
        RawValue("http://a/${A} $B", "--option").parse(parser)
