"""The ordinary arguments, answered without click.

Nearly every run is a HEALTHCHECK with one or two plain options. To read those by a command-line library would take as
long as the check. It is a shortcut, never a second opinion. Whatever is not plainly ordinary, help and every error
included, is left to `probe.cli`, which comes to the same check for every list accepted here.
"""

from probe import check, verdict
from probe.check import Check
from probe.errors import UsageError
from probe.expand import expand
from probe.options import SPELLINGS, Given, settle
from probe.verdict import Verdict


def answer(arguments: list[str], environ: dict[bytes, bytes], started: float) -> Verdict | None:
    """The verdict on an ordinary argument list; None for every other."""
    wanted = parse(arguments, environ)
    return verdict.reach(wanted, started) if wanted else None


def parse(arguments: list[str], environ: dict[bytes, bytes]) -> Check | None:
    """The check that an ordinary argument list asks for; None where click has to look at it."""
    try:
        given = _given([expand(argument, environ) for argument in arguments])
        if given is None:
            return None
        return check.build(settle(given, environ))
    except UsageError:
        return None


def _given(arguments: list[str]) -> dict[str, Given] | None:
    """What the arguments give, by option; None for help, a spelling unknown here, or a value that looks like one."""
    given: dict[str, Given] = {}
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            if "url" in given:
                return None
            given["url"] = Given(argument, "URL")
            continue
        spelling, equals, text = argument.partition("=")
        option = SPELLINGS.get(spelling)
        if option is None:
            return None
        if not option.metavar:
            if equals:
                return None
            text = "1"
        elif not equals:
            text = next(rest, "-")
            if text.startswith("-"):
                return None
        given[option.name] = Given(text, option.long)
    return given
