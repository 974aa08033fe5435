"""The click command: every option, the help, and the words for every mistake."""

import os
import select
from difflib import get_close_matches

import click

from probe import __version__, check, foreign, licenses, target, verdict
from probe.check import Check
from probe.errors import UsageError, os_reason
from probe.expand import expand
from probe.options import OPTIONS, SPELLINGS, TEXTS, URL, Given, Option, parsed, settle, spellings, variable_hint
from probe.text import ELLIPSIS, credentials_end, printable, quote
from probe.verdict import HEALTHY, STDOUT, UNHEALTHY, Verdict

ABOUT = """Check the health of an HTTP service: one GET, one verdict, one exit status.

Exits with 0 where the service answers with an expected status in time. Exits with 1 otherwise, with one line on
standard error that says why."""

NOTES = """Both dash forms mean the same: -port=6767 is --port=6767. The command line wins over the environment.
${NAME} and ${NAME:-default} are expanded in every argument and variable, without a shell; $$ is a dollar sign."""

SEE_HELP = "healthchecker --help lists all options"

SHELL_WORDS = {"||", "&&", "|", ";", "&", ">", "2>&1", ">/dev/null"}  # no exec form has a shell for them

NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz-_")  # of a long option behind its first one

GUESS_CUTOFF = 0.75  # of difflib's likeness: one letter of four is another, or two of eight

TEXT_SPELLINGS = spellings(TEXTS)


def answer(arguments: list[str], environ: dict[bytes, bytes], started: float) -> Verdict:
    """The verdict on any argument list: the check's, the help, or what is wrong with it."""
    try:
        wanted = parse(arguments, environ)
    except UsageError as error:
        return verdict.misused(error)
    return wanted if isinstance(wanted, Verdict) else verdict.reach(wanted, started)


def parse(arguments: list[str], environ: dict[bytes, bytes]) -> Check | Verdict:
    """The check that the arguments ask for, or the help or version text. Raises UsageError."""
    try:
        expanded = [
            parsed(Given(argument, quote(argument)), lambda text: expand(text, environ)) for argument in arguments
        ]
    except UsageError:
        _refuse_others(arguments)
        raise
    try:
        return _parse_expanded(expanded, environ)
    except UsageError as error:
        _refuse_others(expanded)
        raise _several_in_one(expanded) or error from None


def _parse_expanded(arguments: list[str], environ: dict[bytes, bytes]) -> Check | Verdict:
    command = build_command()
    tokens = spell(arguments)
    try:
        context = command.make_context("healthchecker", tokens)
    except click.NoSuchOption as error:
        raise _unknown(error.option_name) from None
    except click.ClickException as error:
        message = " ".join(error.format_message().split()).rstrip(".")
        raise UsageError(f"{printable(message[:1].lower() + message[1:])}; {SEE_HELP}") from None
    if context.args:
        raise UsageError(f"{_extra(context.args)}; {SEE_HELP}")
    with context:
        if context.params["help"]:
            return Verdict(HEALTHY, context.get_help() + "\n")
    if context.params["version"]:
        return Verdict(HEALTHY, f"healthchecker {__version__}\n")
    if context.params["licenses"]:
        return shown(licenses.text())
    given = {
        option.name: Given("1" if text is True else text, option.long)
        for option in (*OPTIONS, URL)
        if (text := context.params[option.name]) not in (None, False)
    }
    if "url" in given:  # what is not a URL excludes nothing: the mistake is another
        parsed(given["url"], target.from_url)
    return check.build(settle(given, environ))


def _extra(arguments: list[str]) -> str:
    """Say which arguments are too many; what has a colon and is no URL may be credentials or a header field."""
    first = arguments[0]
    hidden = ":" in first and not first.startswith(("http://", "https://"))
    several = "s, the first is" if len(arguments) > 1 else ""
    hint = "" if first else variable_hint(first)
    return f"got unexpected extra argument{several} {quote('***' if hidden else first)}{hint}"


def shown(text: str) -> Verdict:
    """Write a long text, whose reader may take his time, or leave, or interrupt: what remains to be said."""
    data = text.encode()
    try:
        while data:
            select.select([], [STDOUT], [])
            data = data[os.write(STDOUT, data) :]
    except BrokenPipeError:
        pass
    except OSError as error:
        return Verdict(UNHEALTHY, f"cannot write the licences: {os_reason(error)}\n")
    return Verdict(HEALTHY, "")


def spell(arguments: list[str]) -> list[str]:
    """The arguments with every long option behind two dashes, as click likes them.

    click would read a mistyped `-prot=1` as `-p` with the value `rot=1`, and in `--host --port 80` take `--port` for
    the host; both are refused here. Raises UsageError.
    """
    spelled: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, text = argument.partition("=")
        option = SPELLINGS.get(name)
        if argument == "--":
            return [*spelled, argument, *rest]
        if name in TEXT_SPELLINGS:
            spelled.append(TEXT_SPELLINGS[name].long + equals + text)
        elif option is None:
            _refuse_unknown(argument)
            spelled.append(argument)
        elif equals or not option.metavar:
            spelled.append(option.long + equals + text)
        else:
            spelled.append(f"{option.long}={_next_value(argument, option, next(rest, None))}")
    return spelled


def _refuse_unknown(argument: str) -> None:
    """A single dash and a word is a long option that does not exist, unless all its letters are short ones."""
    if not argument.startswith("-"):
        return
    first = SPELLINGS.get(argument[:2])
    name = argument.partition("=")[0]
    if foreign.option(name) or foreign.cluster(name) or (first and first.metavar and argument[2:3].isalpha()):
        raise _unknown(argument)


def _refuse_others(arguments: list[str]) -> None:
    """Refuse options with which other programs take a value, before a password behind one is in another message.

    Asked only where the arguments were refused. Raises UsageError.
    """
    for argument in arguments:
        for word in argument.split():
            if foreign.takes_value(word):
                raise _unknown(word)


def _option_name(argument: str) -> str:
    """Cut an unknown option to what can be its name: a password may follow it."""
    dashes = len(argument) - len(argument.lstrip("-"))
    end = dashes + 1
    while end < len(argument) and argument[end] in NAME_CHARACTERS:
        end += 1
    return argument[:end]


def _unknown(argument: str) -> UsageError:
    """What to say of an option that there is not."""
    name = argument.partition("=")[0]
    if answer := foreign.option(name):
        return UsageError(answer)
    long_names = [option.long.removeprefix("--") for option in (*OPTIONS, *TEXTS)]
    close = get_close_matches(name.lstrip("-"), long_names, cutoff=GUESS_CUTOFF)
    shown_name = _option_name(name)
    if not close and (answer := foreign.cluster(name) or foreign.option(shown_name)):
        return UsageError(answer)
    meant = f"; did you mean {' or '.join(f'--{one}' for one in close)}?" if close else ""
    if shown_name != name:
        shown_name += ELLIPSIS
    return UsageError(f"{quote(shown_name)} is not an option{meant}; {SEE_HELP}")


def _several_in_one(arguments: list[str]) -> UsageError | None:
    """What to say of an argument that should have been several, or none of its blanks; None where there is none such.

    Asked only where the arguments were refused: a file's name may hold blanks.
    """
    for argument in arguments:
        words = argument.split()
        options = [word for word in words if word.partition("=")[0] in foreign.OWN]
        for_a_shell = [word for word in words if word in SHELL_WORDS]
        if not (options or for_a_shell) or argument == words[0]:
            continue
        if credentials_end(argument) and not argument.startswith("-"):  # a URL, and the worse mistake
            continue
        option = foreign.OWN.get(words[0])
        if for_a_shell:
            advice = f"leave out {quote(argument[argument.index(for_a_shell[0]) :])}, which is for a shell"
        elif len(words) == 1:
            advice = "leave the blank out"
        elif len(options) > 1 or options[0] != words[0] or (option and not option.metavar):
            advice = "write each of them as an argument of its own"
        elif option:
            advice = "write two arguments" + (f", or {quote('='.join(words))}" if len(words) == 2 else "")
        else:
            continue  # a value with a blank in it
        return UsageError(f"{quote(argument)} is one argument with a blank in it; {advice}")
    return None


def _next_value(spelling: str, option: Option, following: str | None) -> str:
    """The value behind an option, which needs an equals sign to look like an option itself. Raises UsageError."""
    found = ""
    if following is not None:
        name = following.partition("=")[0]
        if not (following.startswith("--") or following in TEXT_SPELLINGS or name in SPELLINGS):
            return following
        found = f", not {quote(_option_name(name))}"
    raise UsageError(f"{spelling} needs a value{found}; expected {option.long}={option.metavar}. {option.help}")


def build_command() -> click.Command:
    """The command, built from the table of options."""
    parameters: list[click.Parameter] = [
        click.Option(
            [f"--{option.name}", *([f"-{option.short}"] if option.short else [])],
            metavar=option.metavar or None,
            is_flag=not option.metavar,
            default=None if option.metavar else False,
            type=click.UNPROCESSED if option.metavar else None,
            help=_help(option),
        )
        for option in OPTIONS
    ]
    parameters += [
        click.Option([text.long, *([f"-{text.short}"] if text.short else [])], is_flag=True, help=text.help)
        for text in TEXTS
    ]
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
