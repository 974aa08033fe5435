"""The words for wrong arguments, from the most likely cause."""

from difflib import get_close_matches

from probe import foreign_options
from probe.errors import UsageError
from probe.options import OPTIONS, SPELLINGS, TEXTS, Option, spellings
from probe.protocols import SCHEMES
from probe.raw_value import variable_hint
from probe.text import ELLIPSIS, credentials_end, quote

SEE_HELP = "healthchecker --help lists all options"

SHELL_WORDS = {"||", "&&", "|", ";", "&", ">", "2>&1", ">/dev/null"}  # the exec form has no shell for them

NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz-_")  # of a long option after its first one

GUESS_CUTOFF = 0.75  # difflib's ratio: one letter of four is another, or two of eight

TEXT_SPELLINGS = spellings(TEXTS)


def extra_arguments(arguments: list[str]) -> UsageError:
    """Return the error for too many arguments. One with a colon that is not a URL may be credentials or a header."""
    first = arguments[0]
    hidden = ":" in first and first.partition("://")[0] not in SCHEMES
    several = "s, the first is" if len(arguments) > 1 else ""
    hint = "" if first else variable_hint(first)
    shown = quote("***" if hidden else first)
    return UsageError(f"got unexpected extra argument{several} {shown}{hint}; {SEE_HELP}")


def refuse_unknown(argument: str) -> None:
    """Raise UsageError for a dash and a word that is no option, unless all its letters are short options."""
    if not argument.startswith("-"):
        return
    first = SPELLINGS.get(argument[:2])
    name = argument.partition("=")[0]
    attached = first and first.metavar and argument[2:3].isalpha()
    if attached or foreign_options.option(name) or foreign_options.cluster(name):
        raise unknown_option(argument)


def refuse_foreign(arguments: list[str]) -> None:
    """Raise UsageError for another program's option with a value, before a message repeats a password after it.

    Call it only for arguments that were refused.
    """
    for argument in arguments:
        for word in argument.split():
            if foreign_options.takes_value(word):
                raise unknown_option(word)


def _option_name(argument: str) -> str:
    """Return what can be the name of an unknown option. A password may follow it."""
    dashes = len(argument) - len(argument.lstrip("-"))
    end = dashes + 1
    while end < len(argument) and argument[end] in NAME_CHARACTERS:
        end += 1
    return argument[:end]


def unknown_option(argument: str) -> UsageError:
    """Return the error for an option that does not exist."""
    name = argument.partition("=")[0]
    if answer := foreign_options.option(name):
        return UsageError(answer)
    names = [option.name for option in (*OPTIONS, *TEXTS)]
    close = get_close_matches(name.lstrip("-"), names, cutoff=GUESS_CUTOFF)
    shown_name = _option_name(name)
    if not close and (answer := foreign_options.cluster(name) or foreign_options.option(shown_name)):
        return UsageError(answer)
    meant = f"; did you mean {' or '.join(f'--{one}' for one in close)}?" if close else ""
    if shown_name != name:
        shown_name += ELLIPSIS
    return UsageError(f"{quote(shown_name)} is not an option{meant}; {SEE_HELP}")


def several_in_one(arguments: list[str]) -> UsageError | None:
    """Return the error for an argument that should have been several, or have no blank; None if there is none.

    Call it only for arguments that were refused: the name of a file may have blanks.
    """
    for argument in arguments:
        words = argument.split()
        options = [word for word in words if word.partition("=")[0] in foreign_options.OWN]
        for_a_shell = [word for word in words if word in SHELL_WORDS]
        if not (options or for_a_shell) or argument == words[0]:
            continue
        if credentials_end(argument) and not argument.startswith("-"):  # a URL, and the worse mistake
            continue
        option = foreign_options.OWN.get(words[0])
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


def require_value(spelling: str, option: Option, following: str | None) -> str:
    """Return the value after an option. Raises UsageError if it looks like an option: that needs an equals sign."""
    found = ""
    if following is not None:
        name = following.partition("=")[0]
        if not (following.startswith("--") or following in TEXT_SPELLINGS or name in SPELLINGS):
            return following
        found = f", not {quote(_option_name(name))}"
    raise UsageError(f"{spelling} needs a value{found}; expected {option.long}={option.metavar}. {option.help}")
