"""Parsers of single values. Each raises UsageError with the value and what is accepted."""

from probe.conditions.status import ExpectedStatus
from probe.errors import UsageError
from probe.http.response import is_status
from probe.text import is_digits, quote

LONGEST_TIMEOUT = 24 * 3600.0  # seconds; Docker's own check timeouts are seconds, and select() has an upper bound

# Longest first: a duration names its units in this order, each at most once.
UNITS = (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))

TRUE_WORDS = frozenset(("1", "t", "true", "yes", "y", "on"))
FALSE_WORDS = frozenset(("0", "f", "false", "no", "n", "off"))


def refusal(text: str, what: str, expected: str) -> UsageError:
    """Return the error that says what the text is not, and what is expected."""
    return UsageError(f"{quote(text)} is not {what}; expected {expected}", text)


def port(text: str) -> int:
    """Parse a TCP port, 1 to 65535, with or without leading zeros."""
    significant = text.lstrip("0")
    if is_digits(text) and 0 < len(significant) <= 5 and int(significant) < 65536:
        return int(significant)
    raise refusal(text, "a port", "a whole number from 1 to 65535")


def holds_link(text: str) -> bool:
    """Whether the text has an address such as `tcp://10.0.0.1:80`: Kubernetes and Docker links set NAME_PORT to it."""
    ends = [text.partition(scheme)[2][:1] for scheme in ("tcp://", "udp://", "sctp://")]
    return any(end == "[" or is_digits(end) for end in ends)


def link_hint(text: str) -> str:
    """Return where such an address comes from, and what to do; "" if the text has none."""
    if not holds_link(text):
        return ""
    return (
        "; Kubernetes and Docker links set this for a service of that name:"
        " set enableServiceLinks: false, or give the port yourself"
    )


def file(text: str) -> str:
    """Parse the path of a file, without a look at the file."""
    if text:
        return text
    raise refusal(text, "a file", "a file of PEM certificates")


def flag(text: str) -> bool:
    """Parse a switch as an environment variable spells it."""
    word = text.lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise refusal(text, "a switch", "1 or 0 (also true or false, yes or no, on or off)")


def duration(text: str) -> float:
    """Parse `3`, `0.5`, `500ms`, `3s`, `1m` or `1m30s` to seconds, more than 0 and at most 24h."""
    seconds = float(text) if _decimal(text) else _with_units(text)
    if 0 < seconds <= LONGEST_TIMEOUT:
        return seconds
    expected = "a duration above 0 and up to 24h, such as 3, 0.5, 500ms, 3s or 1m30s"
    raise refusal(text, "a timeout", expected)


def _decimal(text: str) -> bool:
    whole, _, fraction = text.partition(".")
    return is_digits(whole) and (fraction == "" or is_digits(fraction)) and not text.endswith(".")


def _with_units(text: str) -> float:
    """Return the sum of the text's numbers with units; 0 if it is not one."""
    total = 0.0
    units = list(UNITS)
    rest = text
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        name = rest[: len(rest) - len(rest.lstrip("hms"))]
        rest = rest[len(name) :]
        while units and units[0][0] != name:
            del units[0]
        if not units or not _decimal(number):
            return 0.0
        total += float(number) * units.pop(0)[1]
    return total


def statuses(text: str) -> ExpectedStatus:
    """Parse `200`, `200,204`, `200-299`, `2xx` or a list of those; codes are 100 to 599."""
    codes: set[int] = set()
    for item in text.split(","):
        low, dash, high = item.partition("-")
        if not dash and len(item) == 3 and item[0] in "12345" and item[1:].lower() == "xx":
            low, high = item[0] + "00", item[0] + "99"
        elif not dash:
            high = low
        if not (is_status(low) and is_status(high) and int(low) <= int(high)):
            expected = "codes from 100 to 599, such as 200, 200,204, 200-299 or 2xx"
            raise refusal(text, "a list of statuses", expected)
        codes.update(range(int(low), int(high) + 1))
    return ExpectedStatus(text, frozenset(codes))
