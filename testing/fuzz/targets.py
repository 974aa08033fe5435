"""Promises that hold for any bytes. A target takes bytes, and raises AssertionError if they break its promise.

Responses and arguments come from outside. The fuzzer (libFuzzer, by atheris) looks for bytes that reach new code. What
it has found is in corpus/, as test cases.
"""

import re
from contextlib import suppress

from probe import expand, fast_path, parsers, report, url
from probe.check import Outcome
from probe.errors import CheckFailed, UsageError
from probe.http.request import Request, encode
from probe.http.response import Response
from probe.settings import Settings
from probe.text import LINE_LIMIT, format_duration
from testing.checks import judged, parse, read, settings_of

CHECK = settings_of(verbose="1").check

# RFC 9112, section 4, and RFC 9110, section 15: an oracle that is not written as the parser is.
INTERIM = rb"HTTP/1\.[0-9] 1(?!01)[0-9]{2}(?:\r| [^\n]*)?\n(?:(?!\r?\n)[^\n]*\n)*\r?\n"
FINAL = rb"HTTP/1\.[0-9] (101|[2-5][0-9]{2})(?:\r| [^\n]*)?\n(?:(?!\r?\n)[^\n]*\n)*\r?\n"
RESPONSE = re.compile(rb"(?:%b)*%b" % (INTERIM, FINAL))


def response(data: bytes) -> None:
    """Agree with the oracle on a response, whatever its pieces, in one printable line."""
    size, content = (data[0] % 16 + 1, data[1:]) if data else (1, b"")
    whole = read([content])
    pieces = read([content[start : start + size] for start in range(0, len(content), size)])
    assert isinstance(whole, Response) == isinstance(pieces, Response)
    expected = RESPONSE.match(content)
    assert isinstance(whole, Response) == bool(expected)
    if isinstance(whole, Response) and isinstance(pieces, Response) and expected:
        assert whole.status == pieces.status == int(expected[1])
        assert whole.reason == pieces.reason
        assert whole.location == pieces.location
        assert whole.body == pieces.body
        verdict = judged(CHECK, whole)
        assert verdict.exit_code == (0 if whole.status == 200 else 1)
    else:
        assert isinstance(whole, CheckFailed)
        assert str(whole) == str(pieces)
        verdict = report.report(CHECK, Outcome(None, (), whole, 0.001))
        assert verdict.exit_code == 1
    assert_line(verdict.output)


def arguments(data: bytes) -> None:
    """Make a check of any arguments, the same one by both parsers, or print one line."""
    texts, environ = argument_list(data)
    outcome = parse(texts, environ)
    shortcut = fast_path.parse(texts, environ)
    if shortcut:
        assert shortcut == outcome
    if isinstance(outcome, Settings):
        assert_request(outcome.check.request)
        assert 0 < outcome.check.timeout <= parsers.LONGEST_TIMEOUT
        assert str(outcome.check.request.target).isprintable()
    else:
        assert outcome.exit_code == 0 or assert_line(outcome.output)


def argument_list(data: bytes) -> tuple[list[str], dict[bytes, bytes]]:
    """Read arguments, with NUL between them, and the variables behind a line feed.

    The bytes 1 to 9 stand for WORDS, so that the fuzzer finds them soon.
    """
    for byte, word in enumerate(WORDS, 1):
        data = data.replace(bytes([byte]), word)
    given, _, variables = data.partition(b"\n")
    texts = [argument.decode("utf-8", "surrogateescape") for argument in given.split(b"\0")][:8]
    return texts, dict(variable.partition(b"=")[::2] for variable in variables.split(b"\0"))


WORDS = (
    *(b"--port=", b"-p\0", b"-path=", b"-host=", b"-timeout=", b"--expect="),
    *(b"http://", b"HEALTHCHECKER_", b"${"),
)


def texts(data: bytes) -> None:
    """Parse the text for each option: the value means the same when it is parsed again, or the text is refused."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(UsageError):
        assert url.path(url.path(text)) == url.path(text)
    with suppress(UsageError):
        assert url.host(url.host(text)) == url.host(text)
    with suppress(UsageError):
        assert str(url.parse_url(str(url.parse_url(text)))) == str(url.parse_url(text))
        assert_request(Request(url.parse_url(text)))
    with suppress(UsageError):
        seconds = parsers.duration(text)
        assert abs(parsers.duration(format_duration(seconds)) - seconds) <= seconds * 0.00001
    with suppress(UsageError):
        assert 0 < parsers.port(text) < 65536
    with suppress(UsageError):
        assert parsers.statuses(text).codes <= set(range(100, 600))
    with suppress(UsageError):
        expand.expand(text, {b"A": b"${B}", b"_": b"\xff"})


def assert_request(request: Request) -> None:
    """Assert that its bytes are one request, in which no text of the user has another meaning."""
    assert re.fullmatch(
        rb"GET /[!-~]* HTTP/1\.1\r\nHost: [0-9A-Za-z._:\[\]-]+\r\nUser-Agent: [!-~]+\r\nAccept: \*/\*\r\n"
        rb"Connection: close\r\n\r\n",
        encode("GET", request.target.path, request.headers),
    )


def assert_line(output: str) -> bool:
    """Assert that this is one line for any terminal and any log."""
    assert output.endswith("\n")
    assert output[:-1].isprintable()
    assert len(output.encode()) <= LINE_LIMIT
    return True


TARGETS = {"response": response, "arguments": arguments, "texts": texts}
