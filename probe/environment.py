"""Options from environment variables."""

from functools import partial

from probe import parsers
from probe.errors import UsageError
from probe.expand import expand
from probe.options import EXCLUSIVE, PARAMETERS
from probe.raw_value import RawValue

VARIABLES = {option.variable.encode(): option for option in PARAMETERS}


def merge_environment(command_line: dict[str, RawValue], environ: dict[bytes, bytes]) -> dict[str, RawValue]:
    """Return the raw values of the command line and of the environment. A switch is in it if it is on.

    The command line wins: a variable for an option that it names, or excludes, is ignored. An empty variable counts as
    unset, as compose files leave it. Raises UsageError.
    """
    overruled = set(command_line)
    for one, other in EXCLUSIVE:
        if one in command_line or other in command_line:
            overruled |= {one, other}
    environment = {}
    for variable, option in VARIABLES.items():
        value = environ.get(variable)
        if not value or option.name in overruled:
            continue
        written = RawValue(value.decode("utf-8", "surrogateescape"), option.variable)
        raw = RawValue(written.parse(partial(expand, environ=environ)), option.variable)
        if option.metavar or raw.parse(option.parse):
            environment[option.name] = raw
    if "url" in environment and "port" in environment and parsers.holds_link(environment["port"].text):
        del environment["port"]  # Kubernetes set it, for a service of the name healthchecker
    for level in (command_line, environment):
        for one, other in EXCLUSIVE:
            if one in level and other in level:
                raise UsageError(f"{level[one].source} and {level[other].source} exclude each other; give one of them")
    return environment | command_line
