"""docs/troubleshooting.md has each line that others bring the program to write: users, servers, the system, OpenSSL.

The program is given all that they can say. What it writes then is on the page, by itself or with REASON in the place of
their words: in a block under the comment `stands for others`.
"""

import ctypes
import ctypes.util
import errno
import os
import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from probe import process, report
from probe.check import Outcome
from probe.deadline import Deadline
from probe.errors import CheckFailed, UsageError, os_reason
from probe.options import OPTIONS
from probe.protocols import https
from probe.raw_value import RawValue
from probe.transport import trust
from probe.transport.resolve import resolve
from probe.verdict import Verdict
from testing.checks import judged, parse, read, settings_of
from testing.fuzz import targets
from testing.fuzz.cases import SEEDS, found
from testing.servers import closing, serving
from testing.troubleshooting import LINES, PAGE

TEMPLATES = "".join(re.findall(r"^<!-- stands for others -->\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))

# What differs from one reader's line to the next: as it stands on the page, and what may stand there instead.
VARYING = {
    r"GET \S+:(?= )": r"GET \S+:",
    r" \(\d+ ms\).*": r" \(\d+ ms\)(?:: .*)?",
    r"(?<=usage error: )(?:'[^']*'|--[a-z]+|[A-Z_]+): (?:in '[^']*' )?": r"(?:'.*'|--[a-z]+|[A-Z_]+): (?:in '.*' )?",
    r"\b(?:curl|wget|Docker)$": r"(?:curl|wget|Docker)(?: and wget)?",
    r"^-\w(?:, -\w)*: |^(?=leave it out: |not supported: |write )": r"(?:-\w(?:, -\w)*: )?",
    r"'[^']*'": r"'.*'",
    r"(?<=/health: )REASON": r"[^:\d][^:]*",  # the system's; neither a status nor words of the program before them
    r"\b(?:REASON|LOCATION)\b": r".+",
    r"\bSTATUS\b": r"\d{3}",
    "|".join(re.escape(option.help) for option in OPTIONS): r".+",
    r"(?<!\w)(?:-host|--[a-z]+(?: or --[a-z]+)*|URL|HEALTHCHECKER_[A-Z]+)(?!\w)": r"\S+(?: or --[a-z]+)*",
    r"(?<=arguments )\(.+\)|(?<=argument )\(.+\)": r"\(.*\)",
    r"(?<==)[A-Z]+(?=\.)|(?<=variable )[A-Z]+|(?<=\{)PORT(?=:)": r"\w*",
    r"\\n(?=;)|%0A": r"\S+",
}
PART = re.compile("|".join(f"({part})" for part in VARYING))


def as_pattern(line: str) -> re.Pattern[str]:
    """Turn a line of the page into a pattern for that line of any reader."""
    pattern, behind = "", 0
    for part in PART.finditer(line):
        pattern += re.escape(line[behind : part.start()]) + list(VARYING.values())[(part.lastindex or 0) - 1]
        behind = part.end()
    return re.compile(pattern + re.escape(line[behind:]))


ON_PAGE = (LINES + TEMPLATES).splitlines()
WHOLE = [as_pattern(line) for line in ON_PAGE]
PARTS = [as_pattern(part) for part in {part for line in ON_PAGE for part in line.split("; ")}]


def is_there(line: str) -> bool:
    """Look for a line on the page: whole, or what is wrong and each hint, for any hint may be behind it."""
    before, _, part = line.rpartition("; ")
    return fits(WHOLE, line) or (fits(PARTS, part) and (not before or is_there(before)))


def fits(patterns: list[re.Pattern[str]], text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in patterns)


def missing(lines: Iterable[str]) -> list[str]:
    """List what the page does not have."""
    return sorted({line for line in lines if not is_there(line.rstrip("\n"))})


CHECK = settings_of("https://localhost:8443/health").check


def failed(reason: str) -> str:
    return report.report(CHECK, Outcome(None, (), CheckFailed(reason), 0.001)).output


def test_what_is_said_of_arguments_is_there() -> None:
    lists = [targets.argument_list(data) for data in [*SEEDS["arguments"], *found("arguments")]]
    lists += [([option.long], {}) for option in OPTIONS]
    outcomes = [parse(*given) for given in lists]
    lines = [outcome.output for outcome in outcomes if isinstance(outcome, Verdict) and outcome.exit_code]
    assert len(lines) > 100
    assert missing(lines) == []


def test_what_is_said_of_replies_is_there() -> None:
    replies = [b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus]
    replies += [b"HTTP/1.1 599\r\n", b"HTTP/1.1 599 What no standard knows\r\n"]
    replies = [head + header + b"\r\nbody" for head in replies for header in (b"", b"Location: /x\r\n")]
    outcomes = [read([data]) for data in [*replies, *SEEDS["response"], *found("response")]]
    lines = [
        failed(str(outcome)) if isinstance(outcome, CheckFailed) else judged(CHECK, outcome).output
        for outcome in outcomes
    ]
    assert len(set(lines)) > 100
    assert missing(filter(None, lines)) == []


def test_what_the_system_says_of_a_connection_is_there() -> None:
    numbers = errno.errorcode.keys() - {errno.ETOOMANYREFS}  # of passing files on, with a colon in its words
    reasons = [os_reason(OSError(number, os.strerror(number))) for number in numbers]
    assert missing(map(failed, reasons)) == []
    assert missing(failed(f"127.0.0.1: {reason}; ::1: connection refused") for reason in reasons) == []


def test_what_the_resolver_says_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ctypes.CDLL(None).gai_strerror
    words.restype = ctypes.c_char_p
    codes = [number for name, number in vars(socket).items() if name.startswith("EAI_")]
    lines = []
    for code in codes:
        error = socket.gaierror(code, words(code).decode())
        monkeypatch.setattr("socket.getaddrinfo", partial(refuse, error))
        with pytest.raises(CheckFailed) as refused:
            resolve("db.example", 80, Deadline(30, monotonic()))
        lines.append(failed(str(refused.value)))
    assert len(set(lines)) > 5
    assert missing(lines) == []


def refuse(error: Exception, *_: object, **__: object) -> None:
    raise error


def test_what_the_system_says_of_an_output_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    for number in errno.errorcode:
        error = OSError(number, os.strerror(number))
        monkeypatch.setattr(process, "os", SimpleNamespace(write=partial(refuse, error)))
        lines.append(process.page("text", "the licences").output)  # empty for a reader that has left
    assert len(set(lines)) > 50
    assert missing(filter(None, lines)) == []


class Unreadable(ssl.SSLContext):
    """A TLS that cannot read a file of certificates, by that error."""

    error: OSError

    def load_verify_locations(self, *_: Any, **__: Any) -> None:
        raise self.error


def test_what_the_system_says_of_certificates_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = Unreadable(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(trust, "create_urllib3_context", lambda **_: trusting)
    monkeypatch.setattr(trust, "TRUST_STORES", [__file__])
    lines = []
    for number in errno.errorcode:
        trusting.error = OSError(number, os.strerror(number))
        with pytest.raises(UsageError) as misuse:
            RawValue(__file__, "--cacert").parse(trust.from_file)
        with pytest.raises(CheckFailed) as refused:
            trust.system_store()
        lines += [report.usage_error(misuse.value).output, failed(str(refused.value))]
    assert missing(lines) == []


class Refusing(ssl.SSLContext):
    """A TLS that comes to nothing, by that error."""

    error: Exception

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        sock.close()
        raise self.error


def refused_by(errors: Iterable[Exception]) -> list[str]:
    """Ask a server by https, for each error, and have TLS end by it."""
    lines = []
    with serving(closing) as port:
        check = settings_of(f"https://localhost:{port}/health").check
        for error in errors:
            trusted = Refusing(ssl.PROTOCOL_TLS_CLIENT)
            trusted.error = error
            with pytest.raises(CheckFailed) as refused:
                https.fetch(replace(check.request, trusted=trusted), check.expected, Deadline(30, monotonic()))
            lines.append(failed(str(refused.value)))
    return lines


HEADERS = [*Path("/usr/include/openssl").glob("*err.h")]


@pytest.mark.skipif(not HEADERS, reason="the headers of OpenSSL have its reasons; install Debian's package libssl-dev")
def test_what_openssl_says_of_a_handshake_is_there() -> None:
    reasons = sorted({name for header in HEADERS for name in re.findall(r"# *define \w+_R_(\w+)", header.read_text())})
    errors = [ssl.SSLError(1, f"[SSL: {reason}] words of its own (_ssl.c:992)") for reason in reasons]
    for error, reason in zip(errors, reasons, strict=True):
        error.reason = reason
    assert len(errors) > 500
    assert missing(refused_by(errors)) == []


def test_what_openssl_says_of_a_certificate_is_there() -> None:
    words = ctypes.CDLL(ctypes.util.find_library("crypto")).X509_verify_cert_error_string
    words.restype = ctypes.c_char_p
    errors = []
    for code in range(1, 100):
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        vars(error).update(verify_code=code, verify_message=words(code).decode())
        errors.append(error)
    lines = refused_by(errors)
    assert len(set(lines)) > 50
    assert missing(lines) == []


def test_what_libraries_say_is_there() -> None:
    assert missing(refused_by([ValueError("words of a library"), ValueError("words: of a library")])) == []


@pytest.mark.parametrize(
    "error", [ValueError("its words"), ValueError(), ValueError("its: words"), MemoryError()], ids=repr
)
def test_internal_errors_are_there(error: Exception) -> None:
    assert missing([report.internal_error(error).output]) == []
