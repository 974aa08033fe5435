"""Texts of options made into typed values. Each parser raises UsageError with the value and what is accepted."""

from dataclasses import dataclass

from probe.errors import UsageError
from probe.text import quote

LONGEST_TIMEOUT = 24 * 3600.0  # seconds; Docker's own check timeouts are seconds, and select() has an upper bound

# Longest first: a duration names its units in this order, each at most once.
UNITS = (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))

TRUE_WORDS = frozenset(("1", "t", "true", "yes", "y", "on"))
FALSE_WORDS = frozenset(("0", "f", "false", "no", "n", "off"))


@dataclass(slots=True)
class Statuses:
    """The accepted status codes, and the text they were written as."""

    text: str
    codes: set[int]

    def __contains__(self, status: int) -> bool:
        return status in self.codes

    def __str__(self) -> str:
        return self.text


def digits(text: str) -> bool:
    """Nothing but ASCII digits, and at least one: int() would take signs, underscores and other scripts' digits."""
    return text.isascii() and text.isdigit()


def refusal(text: str, what: str, expected: str) -> UsageError:
    """Say that a text is not what it should be, and what would be."""
    return UsageError(f"{quote(text)} is not {what}; expected {expected}", text)


def port(text: str) -> int:
    """Parse a TCP port, 1 to 65535; leading zeros do not count."""
    significant = text.lstrip("0")
    if digits(text) and 0 < len(significant) <= 5 and int(significant) < 65536:
        return int(significant)
    raise refusal(text, "a port", "a whole number from 1 to 65535")


def holds_link(text: str) -> bool:
    """Find the address that Kubernetes and Docker links set `NAME_PORT` to, such as `tcp://10.0.0.1:80`."""
    ends = [text.partition(scheme)[2][:1] for scheme in ("tcp://", "udp://", "sctp://")]
    return any(end == "[" or digits(end) for end in ends)


def link_hint(text: str) -> str:
    """Say where such an address comes from, and what helps; "" where the text holds none."""
    if not holds_link(text):
        return ""
    return (
        "; Kubernetes and Docker links set this for a service of that name:"
        " set enableServiceLinks: false, or give the port yourself"
    )


def file(text: str) -> str:
    """The path of a file; the file is not looked at."""
    if text:
        return text
    raise refusal(text, "a file", "a file of PEM certificates")


def flag(text: str) -> bool:
    """A switch as an environment variable spells it."""
    word = text.lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise refusal(text, "a switch", "1 or 0 (also true or false, yes or no, on or off)")


def duration(text: str) -> float:
    """Seconds, from `3`, `0.5`, `500ms`, `3s`, `1m` or `1m30s`: more than 0, at most 24h."""
    seconds = float(text) if _decimal(text) else _with_units(text)
    if 0 < seconds <= LONGEST_TIMEOUT:
        return seconds
    expected = "a duration above 0 and up to 24h, such as 3, 0.5, 500ms, 3s or 1m30s"
    raise refusal(text, "a timeout", expected)


def _decimal(text: str) -> bool:
    whole, _, fraction = text.partition(".")
    return digits(whole) and (fraction == "" or digits(fraction)) and not text.endswith(".")


def _with_units(text: str) -> float:
    """The sum of the text's numbers and units; 0 where it is not one."""
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


def show_duration(seconds: float) -> str:
    """A duration as the verdict line names it: `2s`, `1m30s`, `500ms`, `1.5s`."""
    if seconds < 1:
        return f"{seconds * 1000:.6g}ms"
    minutes, rest = divmod(seconds, 60)
    parts = f"{minutes:.0f}m" if minutes else ""
    return parts + (f"{rest:.6g}s" if rest or not parts else "")


def statuses(text: str) -> Statuses:
    """Accepted statuses, from `200`, `200,204`, `200-299`, `2xx` or a list of those; codes are 100 to 599."""
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
    return Statuses(text, codes)


def is_status(text: str) -> bool:
    """A status code, 100 to 599: three digits, so that a leading zero counts (RFC 9110, section 15)."""
    return len(text) == 3 and digits(text) and "100" <= text <= "599"
