"""The click command: every argument list, the help and the texts."""

from functools import partial

import click

from probe import __version__, licenses, mistakes
from probe.environment import merge_environment
from probe.errors import UsageError
from probe.expand import expand
from probe.options import OPTIONS, PARAMETERS, SPELLINGS, TEXTS, URL, Option
from probe.process import page
from probe.raw_value import RawValue
from probe.settings import Settings, parse_values
from probe.text import printable, quote
from probe.verdict import HEALTHY, Verdict

ABOUT = """Check the health of an HTTP service: one GET, one verdict, one exit status.

Exits with 0 where the service answers with an expected status in time. Exits with 1 otherwise, with one line on
standard error that says why."""

NOTES = """Both dash forms mean the same: -port=6767 is --port=6767. The command line wins over the environment.
${NAME} and ${NAME:-default} are expanded in every argument and variable, without a shell; $$ is a dollar sign."""


def parse(arguments: list[str], environ: dict[bytes, bytes]) -> Settings | Verdict:
    """Return the settings of the arguments, or the verdict of an option that prints a text. Raises UsageError."""
    try:
        expanded = [
            RawValue(argument, quote(argument)).parse(partial(expand, environ=environ)) for argument in arguments
        ]
    except UsageError:
        mistakes.refuse_foreign(arguments)
        raise
    try:
        return _parse_expanded(expanded, environ)
    except UsageError as error:
        mistakes.refuse_foreign(expanded)
        raise mistakes.several_in_one(expanded) or error from None


def _parse_expanded(arguments: list[str], environ: dict[bytes, bytes]) -> Settings | Verdict:
    context = _click(normalise(arguments))
    with context:
        if context.params["help"]:
            return Verdict(HEALTHY, context.get_help() + "\n")
    if context.params["version"]:
        return Verdict(HEALTHY, f"healthchecker {__version__}\n")
    if context.params["licenses"]:
        return page(licenses.text(), "the licences")
    raw = {
        option.name: option.given() if text is True else option.given(text)
        for option in PARAMETERS
        if (text := context.params[option.name]) not in (None, False)
    }
    if "url" in raw:  # an argument that is not a URL excludes no option: the mistake is another
        raw["url"].parse(URL.parse)
    return parse_values(merge_environment(raw, environ))


def _click(arguments: list[str]) -> click.Context:
    """Return click's result. Raises UsageError."""
    try:
        context = build_command().make_context("healthchecker", arguments)
    except click.NoSuchOption as error:
        raise mistakes.unknown_option(error.option_name) from None
    except click.ClickException as error:
        message = " ".join(error.format_message().split()).rstrip(".")
        raise UsageError(f"{printable(message[:1].lower() + message[1:])}; {mistakes.SEE_HELP}") from None
    if context.args:
        raise mistakes.extra_arguments(context.args)
    return context


def normalise(arguments: list[str]) -> list[str]:
    """Return the arguments with two dashes before every long option, as click expects them.

    click would read a mistyped `-prot=1` as `-p` with the value `rot=1`, and in `--host --port 80` take `--port` for
    the host. Both raise UsageError here.
    """
    spelled: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, text = argument.partition("=")
        option = SPELLINGS.get(name)
        if argument == "--":
            return [*spelled, argument, *rest]
        if name in mistakes.TEXT_SPELLINGS:
            spelled.append(mistakes.TEXT_SPELLINGS[name].long + equals + text)
        elif option is None:
            mistakes.refuse_unknown(argument)
            spelled.append(argument)
        elif equals or not option.metavar:
            spelled.append(option.long + equals + text)
        else:
            spelled.append(f"{option.long}={mistakes.require_value(argument, option, next(rest, None))}")
    return spelled


def build_command() -> click.Command:
    """Return the command that the table of options describes."""
    parameters: list[click.Parameter] = [
        click.Option(
            option.spellings,
            metavar=option.metavar or None,
            is_flag=not option.metavar,
            default=None if option.metavar else False,
            type=click.UNPROCESSED if option.metavar else None,
            help=_help(option),
        )
        for option in OPTIONS
    ]
    parameters += [click.Option(text.spellings, is_flag=True, help=text.help) for text in TEXTS]
    parameters.append(click.Argument([URL.name], metavar=f"[{URL.metavar}]", required=False, type=click.UNPROCESSED))
    return click.Command(
        "healthchecker",
        params=parameters,
        help=ABOUT,
        epilog=f"{URL.metavar}: {URL.help} [{URL.variable}]\n\n{NOTES}",
        add_help_option=False,
        context_settings={"max_content_width": 100, "terminal_width": 100, "allow_extra_args": True},
    )


def _help(option: Option) -> str:
    default = f"; default: {option.default}" if option.default else ""
    return f"{option.help}  [{option.variable}{default}]"
