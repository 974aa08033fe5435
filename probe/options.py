"""The one table of options.

It feeds click's parser and help, the fast path, the environment's names and the reference. To add an option, add a row
here, and a field of `Check` for what it does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from probe import parsers, url
from probe.raw_value import RawValue

ON = "1"  # a switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its spelling, its parser, its help."""

    name: str
    short: str = ""  # a letter
    metavar: str = ""  # empty for a switch
    default: str = ""  # as a user would write it
    parse: Callable[[str], Any] = parsers.flag
    help: str

    @property
    def long(self) -> str:
        """The spelling that messages use. The URL has none: it is the argument."""
        return "URL" if self.name == "url" else f"--{self.name}"

    @property
    def spellings(self) -> list[str]:
        """The spellings that the help shows."""
        return [self.long, f"-{self.short}"] if self.short else [self.long]

    @property
    def variable(self) -> str:
        """The environment variable that stands for the option."""
        return f"HEALTHCHECKER_{self.name.upper()}"

    def given(self, text: str = ON) -> RawValue:
        """Return the raw value that the command line gives: a text, or a switch that is on."""
        return RawValue(text, self.long)


URL = Option(
    name="url",
    metavar="URL",
    parse=url.parse_url,
    help=f"{url.FORMS}: stands for host, port and path at once. Without a scheme it is http, where a port or a path"
    " follows the host.",
)

OPTIONS = (
    Option(
        name="port",
        short="p",
        metavar="PORT",
        default="80",
        parse=parsers.port,
        help="Port to check, 1 to 65535.",
    ),
    Option(
        name="host",
        metavar="HOST",
        default="127.0.0.1",
        parse=url.host,
        help="Name or IPv4/IPv6 address; a name is tried at each of its addresses.",
    ),
    Option(
        name="path",
        metavar="PATH",
        default="/health",
        parse=url.path,
        help="Path and query to ask for; a missing leading slash is added.",
    ),
    Option(
        name="timeout",
        short="t",
        metavar="DURATION",
        default="2s",
        parse=parsers.duration,
        help="One deadline for the whole check: 3, 0.5, 500ms, 3s, 1m, 1m30s.",
    ),
    Option(
        name="expect",
        short="e",
        metavar="STATUS",
        default="200",
        parse=parsers.statuses,
        help="Accepted statuses: 200 or 200,204 or 200-299 or 2xx or 200-299,401.",
    ),
    Option(
        name="cacert",
        metavar="FILE",
        parse=parsers.file,
        help="For https: trust the certificates in this PEM file, and no others.",
    ),
    Option(name="insecure", short="k", help="For https: do not verify the server's certificate."),
    Option(name="verbose", short="v", help="Say what was done also when healthy."),
)

PARAMETERS = (*OPTIONS, URL)  # of a check; each has a variable

# Options that print a text instead of making a check. They have no variables.
TEXTS = (
    Option(name="version", help="Show the version and exit."),
    Option(name="licenses", help="Show what the program consists of, with the licences, and exit."),
    Option(name="help", short="h", help="Show this text and exit."),
)


def spellings(options: tuple[Option, ...]) -> dict[str, Option]:
    """Return every spelling but attached and clustered short forms: -port (as in Go), --port, -p."""
    return {spelling: option for option in options for spelling in [f"-{option.name}", *option.spellings]}


SPELLINGS = spellings(OPTIONS)

# Each pair names one thing twice.
EXCLUSIVE = (("url", "host"), ("url", "port"), ("url", "path"), ("insecure", "cacert"))
