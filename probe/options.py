"""The one table of options.

It feeds click's parser and help, the shortcut in `probe.hot`, the environment's names and the README's table.
"""

from probe.errors import UsageError
from probe.expand import expand


class Option:
    """One option: how it is spelled, what it takes, what it is for."""

    __slots__ = ("default", "help", "metavar", "name", "short")

    def __init__(self, name: str, short: str, metavar: str, default: str, help: str) -> None:
        self.name = name
        self.short = short  # a letter, or "" where there is none
        self.metavar = metavar  # "" for a switch
        self.default = default  # as a user would write it; "" where there is none
        self.help = help

    @property
    def long(self) -> str:
        """The spelling that messages use; the URL has none, it is the argument."""
        return "URL" if self.name == "url" else f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that stands for the option."""
        return f"HEALTHCHECKER_{self.name.upper()}"


URL = Option("url", "", "URL", "", "http://HOST[:PORT][PATH] or https://...: stands for host, port and path at once.")

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

# Every way to write an option but the attached and clustered short forms: -port (the original's own), --port, -p.
SPELLINGS = {
    spelling: option
    for option in OPTIONS
    for spelling in ([f"-{option.name}", f"--{option.name}"] + ([f"-{option.short}"] if option.short else []))
}

# Each pair names one thing twice.
EXCLUSIVE = (("url", "host"), ("url", "port"), ("url", "path"), ("insecure", "cacert"))


class Given:
    """What was given for an option, and where: `--port` or `HEALTHCHECKER_PORT`."""

    __slots__ = ("source", "text")

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source


def from_environment(environ: "dict[bytes, bytes]") -> "dict[str, Given]":
    """What the environment gives, expanded. An empty variable counts as unset, as compose files leave it."""
    given = {}
    for option in (*OPTIONS, URL):
        value = environ.get(option.variable.encode())
        if value:
            given[option.name] = Given(expand(value.decode("utf-8", "surrogateescape"), environ), option.variable)
    return given


def settle(command_line: "dict[str, Given]", environment: "dict[str, Given]") -> "dict[str, Given]":
    """Both together: the command line wins, also where it names the same thing by another option.

    Raises UsageError where one of the two says one thing twice.
    """
    kept = dict(environment)
    for one, other in EXCLUSIVE:
        for level in (command_line, environment):
            if one in level and other in level:
                raise UsageError(f"{level[one].source} and {level[other].source} exclude each other; give one of them")
        if one in command_line:
            kept.pop(other, None)
        if other in command_line:
            kept.pop(one, None)
    return kept | command_line
