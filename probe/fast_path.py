"""Ordinary arguments, read without click.

Nearly every run is a HEALTHCHECK with one or two plain options. A command-line library would take as long to read them
as the check itself. The fast path reads a part of the same grammar. It leaves the rest to `probe.cli`: help, every
error, every unusual spelling. Both give the same settings for every list that the fast path accepts.
"""

from probe.environment import merge_environment
from probe.errors import UsageError
from probe.expand import expand
from probe.options import SPELLINGS, URL
from probe.raw_value import RawValue
from probe.settings import Settings, parse_values


def parse(arguments: list[str], environ: dict[bytes, bytes]) -> Settings | None:
    """Return the settings of an ordinary argument list, None for every other one."""
    try:
        raw = _raw_values([expand(argument, environ) for argument in arguments])
        return None if raw is None else parse_values(merge_environment(raw, environ))
    except UsageError:
        return None


def _raw_values(arguments: list[str]) -> dict[str, RawValue] | None:
    """Return the raw values by option. Return None for an unknown spelling, or a value that looks like an option."""
    raw: dict[str, RawValue] = {}
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            if "url" in raw:
                return None
            raw["url"] = URL.given(argument)
            continue
        spelling, equals, text = argument.partition("=")
        option = SPELLINGS.get(spelling)
        if option is None or (equals and not option.metavar):
            return None
        if not option.metavar:
            raw[option.name] = option.given()
            continue
        if not equals:
            text = next(rest, "-")
            if text.startswith("-"):
                return None
        raw[option.name] = option.given(text)
    return raw
