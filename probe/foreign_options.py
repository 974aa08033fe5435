"""The options of curl, wget and Docker, and what to write instead.

`probe.mistakes` and the cookbook use this table.
"""

from typing import NamedTuple

from probe.options import OPTIONS, TEXTS, spellings
from probe.text import quote

OWN = spellings((*OPTIONS, *TEXTS))


class Row(NamedTuple):
    """What to write instead of each program's options, such as `-m SECONDS, --max-time SECONDS`."""

    instead: str
    curl: str = ""
    wget: str = ""
    docker: str = ""


PROGRAMS = {"curl": "curl", "wget": "wget", "docker": "Docker"}  # the fields of a row, as messages name them

ROWS = (
    Row(
        "leave it out: every status that --expect does not list is unhealthy",
        curl="-f, --fail, --fail-with-body",
    ),
    Row(
        "leave it out: a healthy check prints nothing, any other prints one line",
        curl="-s, --silent, -S, --show-error, -N, --no-buffer, -#, --progress-bar, --no-progress-meter",
        wget="-q, --quiet, -nv, --no-verbose",
    ),
    Row(
        "leave it out: the body goes to no file",
        curl="-o FILE, --output FILE, -D FILE, --dump-header FILE, -c FILE, --cookie-jar FILE",
        wget="-O FILE, --output-document FILE, --output-file FILE",
    ),
    Row(
        "leave it out: --verbose shows the status",
        curl="-i, --include, -w FORMAT, --write-out FORMAT",
        wget="--server-response",
    ),
    Row(
        "write --timeout=DURATION, which is for the whole check",
        curl="-m SECONDS, --max-time SECONDS, --connect-timeout SECONDS",
        wget="-T SECONDS, --connect-timeout SECONDS, --read-timeout SECONDS, --dns-timeout SECONDS",
    ),
    Row(
        "not supported: a check asks once, and Docker repeats it by its own --interval and --retries",
        curl="--retry NUMBER, --retry-delay SECONDS, --retry-max-time SECONDS, --retry-connrefused, --retry-all-errors",
        wget="--tries NUMBER, --wait SECONDS, --waitretry SECONDS, --retry-connrefused, --retry-on-http-error STATUS",
    ),
    Row(
        "not supported: ask for what the redirect leads to, or take it for healthy by --expect=200-399",
        curl="-L, --location, --max-redirs NUMBER",
        wget="--max-redirect NUMBER",
    ),
    Row(
        "leave it out: a check does not wait for the body of its GET",
        curl="-I, --head",
        wget="--spider",
    ),
    Row(
        "not supported: the method is GET",
        curl="-X METHOD, --request METHOD, -G, --get",
        wget="--method METHOD",
    ),
    Row(
        "not supported: no body is sent",
        curl="-d DATA, --data DATA, --data-raw DATA, --data-binary DATA, --json DATA, -F DATA, --form DATA",
        wget="--post-data DATA, --post-file FILE, --body-data DATA, --body-file FILE",
    ),
    Row(
        "not supported: ask for a path that needs no header field of its own",
        curl="-H FIELD, --header FIELD, -A NAME, --user-agent NAME, -b DATA, --cookie DATA, -r RANGE, --range RANGE",
        wget="--header FIELD, -U NAME, --user-agent NAME",
    ),
    Row(
        "not supported: ask for a path that needs no credentials",
        curl="-u USER, --user USER, --oauth2-bearer TOKEN, -n, --netrc",
        wget="--user USER, --password PASSWORD, --http-user USER, --http-password PASSWORD",
    ),
    Row(
        "write --insecure",
        wget="--no-check-certificate",
    ),
    Row(
        "write --cacert=FILE",
        curl="--capath FOLDER",
        wget="--ca-certificate FILE, --ca-directory FOLDER",
    ),
    Row(
        "not supported: no client certificate is sent",
        curl="-E FILE, --cert FILE, --key FILE",
        wget="--certificate FILE, --private-key FILE",
    ),
    Row(
        "leave it out: no proxy is ever used",
        curl="-x URL, --proxy URL, --noproxy HOSTS, --proxy-user USER",
        wget="--no-proxy",
    ),
    Row(
        "not supported: ask at an address, by --host or a URL",
        curl="--resolve ADDRESS, --connect-to ADDRESS, --unix-socket FILE, --abstract-unix-socket NAME",
    ),
    Row(
        "write --host=127.0.0.1 or --host=::1",
        curl="-4, --ipv4, -6, --ipv6",
        wget="--inet4-only, --inet6-only",
    ),
    Row(
        "leave it out: the protocol is HTTP/1.1",
        curl="--http1.0, -0, --http1.1, --http2, --http2-prior-knowledge, --compressed",
        wget="--compression TYPE",
    ),
    Row(
        "leave it out: the oldest version of TLS is 1.2",
        curl="-1, --tlsv1, --tlsv1.2, --tlsv1.3",
        wget="--secure-protocol VERSION",
    ),
    Row(
        "leave it out: brackets and braces in a URL stand for themselves",
        curl="-g, --globoff",
    ),
    Row(
        "write --version",
        curl="-V",
        wget="-V",
    ),
    Row(
        "write the URL without an option",
        curl="--url URL",
    ),
    Row(
        "write it before CMD, as an option of HEALTHCHECK",
        docker="--interval DURATION, --retries NUMBER, --start-period DURATION, --start-interval DURATION",
    ),
    Row(
        "write it before the image, as an option of docker run",
        docker="--health-cmd COMMAND, --health-interval DURATION, --health-retries NUMBER, --health-timeout DURATION,"
        " --health-start-period DURATION, --health-start-interval DURATION, --no-healthcheck",
    ),
)


class Known(NamedTuple):
    """One option of other programs."""

    programs: tuple[str, ...]
    takes_value: bool
    instead: str


def _known() -> dict[str, Known]:
    """Find each option of the table by its spelling."""
    found: dict[str, Known] = {}
    for row in ROWS:
        for field, program in PROGRAMS.items():
            for listed in filter(None, getattr(row, field).split(", ")):
                spelling, _, value = listed.partition(" ")
                others = found[spelling].programs if spelling in found else ()
                found[spelling] = Known((*others, program), bool(value), row.instead)
    return found


KNOWN = _known()


def _find(name: str) -> Known | None:
    """Look an option up. One dash may begin a long one, as everywhere here. compose writes underscores in them."""
    dashed = name.replace("_", "-")
    return KNOWN.get(dashed) or KNOWN.get(f"-{dashed}")


def option(name: str) -> str:
    """Return what to write instead of that option of another program; "" if it is none."""
    known = _find(name)
    return f"{quote(name)} is an option of {' and '.join(known.programs)}; {known.instead}" if known else ""


def takes_value(word: str) -> bool:
    """Whether a word is another program's option with a value, or short options that end with one."""
    name = word.partition("=")[0]
    if not word.startswith("-") or name in OWN:
        return False
    known = _find(name)
    if not known and not word.startswith("--"):
        known = KNOWN.get(f"-{_letters(word[1:])[-1:]}")
    return bool(known and known.takes_value)


def cluster(argument: str) -> str:
    """Return what to write instead of short options in one argument, such as `-fsSL`; "" if all are our own.

    The text leaves out their value, which may be a password.
    """
    letters = "" if argument.startswith("--") else _letters(argument[1:])
    foreign = [f"-{letter}" for letter in letters if f"-{letter}" in KNOWN]
    if len(foreign) < 2:
        return "".join(option(only) for only in foreign)
    meanings: dict[str, list[str]] = {}
    for short in foreign:
        meanings.setdefault(KNOWN[short].instead, []).append(short)
    programs = " and ".join(dict.fromkeys(program for short in foreign for program in KNOWN[short].programs))
    instead = "; ".join(f"{', '.join(shorts)}: {meaning}" for meaning, shorts in meanings.items())
    return f"{quote(f'-{letters}')} has options of {programs}; {instead}"


def _letters(text: str) -> str:
    """Return the short options in one argument, without the last one's value; "" if one of them is unknown."""
    letters = ""
    for letter in text:
        letters += letter
        short = f"-{letter}"
        if short not in KNOWN and short not in OWN:
            return ""
        if KNOWN[short].takes_value if short in KNOWN else OWN[short].metavar:
            break
    return letters
