"""The one table of options.

It feeds click's parser and help, the shortcut in `probe.hot`, the environment's names and the reference in docs/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from probe import values
from probe.errors import UsageError
from probe.expand import expand

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how it is spelled, what it takes, what it is for."""

    name: str
    short: str  # a letter, or "" where there is none
    metavar: str  # "" for a switch
    default: str  # as a user would write it; "" where there is none
    help: str

    @property
    def long(self) -> str:
        """The spelling that messages use; the URL has none, it is the argument."""
        return "URL" if self.name == "url" else f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that stands for the option."""
        return f"HEALTHCHECKER_{self.name.upper()}"


URL = Option(
    "url",
    "",
    "URL",
    "",
    "http://HOST[:PORT][PATH] or https://...: stands for host, port and path at once. Without a scheme it is http,"
    " where a port or a path follows the host.",
)

OPTIONS = (
    Option("port", "p", "PORT", "80", "Port to check, 1 to 65535."),
    Option("host", "", "HOST", "127.0.0.1", "Name or IPv4/IPv6 address; a name is tried at each of its addresses."),
    Option("path", "", "PATH", "/health", "Path and query to ask for; a missing leading slash is added."),
    Option("timeout", "t", "DURATION", "2s", "One deadline for the whole check: 3, 0.5, 500ms, 3s, 1m, 1m30s."),
    Option("expect", "e", "STATUS", "200", "Accepted statuses: 200 or 200,204 or 200-299 or 2xx or 200-299,401."),
    Option("cacert", "", "FILE", "", "For https: trust the certificates in this PEM file, and no others."),
    Option("insecure", "k", "", "", "For https: do not verify the server's certificate."),
    Option("verbose", "v", "", "", "Say what was done also when healthy."),
)

# Options that no check comes of, but a text. They have no variables.
TEXTS = (
    Option("version", "", "", "", "Show the version and exit."),
    Option("licenses", "", "", "", "Show what the program consists of, with the licences, and exit."),
    Option("help", "h", "", "", "Show this text and exit."),
)


def spellings(options: tuple[Option, ...]) -> dict[str, Option]:
    """Every way to write an option but the attached and clustered short forms: -port (as Go has it), --port, -p."""
    return {
        spelling: option
        for option in options
        for spelling in ([f"-{option.name}", option.long] + ([f"-{option.short}"] if option.short else []))
    }


SPELLINGS = spellings(OPTIONS)

# Each pair names one thing twice.
EXCLUSIVE = (("url", "host"), ("url", "port"), ("url", "path"), ("insecure", "cacert"))


@dataclass(slots=True)
class Given:
    """What was given for an option, and where: `--port` or `HEALTHCHECKER_PORT`."""

    text: str
    source: str


def settle(command_line: dict[str, Given], environ: dict[bytes, bytes]) -> dict[str, Given]:
    """What the command line and the environment give together; a switch is there if it is on.

    The command line wins: what it names, also by another option, is not even looked at in the environment. An empty
    variable counts as unset, as compose files leave it. Raises UsageError.
    """
    overruled = set(command_line)
    for one, other in EXCLUSIVE:
        if one in command_line or other in command_line:
            overruled |= {one, other}
    environment = {}
    for option in (*OPTIONS, URL):
        value = environ.get(option.variable.encode())
        if not value or option.name in overruled:
            continue
        written = Given(value.decode("utf-8", "surrogateescape"), option.variable)
        given = Given(parsed(written, lambda text: expand(text, environ)), option.variable)
        if option.metavar or parsed(given, values.flag):
            environment[option.name] = given
    if "url" in environment and "port" in environment and values.holds_link(environment["port"].text):
        del environment["port"]  # nobody's setting: Kubernetes made it
    for level in (command_line, environment):
        for one, other in EXCLUSIVE:
            if one in level and other in level:
                raise UsageError(f"{level[one].source} and {level[other].source} exclude each other; give one of them")
    return environment | command_line


def parsed(given: Given, parse: Callable[[str], Value]) -> Value:
    """The parser's value of what was given. Raises UsageError with where it was."""
    try:
        return parse(given.text)
    except UsageError as error:
        hint = "" if error.refused is None else variable_hint(error.refused)
        raise UsageError(f"{given.source}: {error}{hint}") from None


def variable_hint(text: str) -> str:
    """Say what compose or a shell may have made of a variable; nothing where the refused text has no sign of one.

    compose makes `$` of `$$` and a shell its process ID, so that `$${PORT}` is right in a compose file alone.
    """
    before, _, inside = text.partition("{")
    if not text:
        return (
            "; compose or a shell may have expanded an empty variable:"
            " write ${NAME:-default}, and $${NAME:-default} in a compose file"
        )
    if hint := values.link_hint(text):
        return hint
    if "${" in text:
        return "; the variable was not expanded: write ${NAME}, and $${NAME} in a compose file only"
    if values.digits(before[-1:]) and inside[:1].isidentifier():
        return "; a shell made its process ID of $$: write ${NAME}, and $${NAME} in a compose file only"
    return "; a variable is written ${NAME}" if "$" in text else ""
