"""What has to hold of any bytes: each target takes some and raises AssertionError where it does not.

A reply's and an argument's bytes come from outside, and so from anybody. The fuzzer looks for bytes that take new ways
through the code (libFuzzer, by atheris); what it has found is in corpus/, as test cases.
"""

import re
from contextlib import suppress

from probe import check, cli, expand, hot, http1, target, values, verdict
from probe.check import Check
from probe.errors import CheckFailed, UsageError
from probe.options import Given
from probe.reply import Reply, ReplyReader
from probe.text import LINE_LIMIT
from probe.verdict import Verdict

WANTED = check.build({"verbose": Given("1", "--verbose")})

# RFC 9112, section 4, and RFC 9110, section 15: an oracle written otherwise than the parser is.
INTERIM = rb"HTTP/1\.[0-9] 1(?!01)[0-9]{2}(?:\r| [^\n]*)?\n(?:(?!\r?\n)[^\n]*\n)*\r?\n"
FINAL = rb"HTTP/1\.[0-9] (101|[2-5][0-9]{2})(?:\r| [^\n]*)?\n(?:(?!\r?\n)[^\n]*\n)*\r?\n"
REPLY = re.compile(rb"(?:%b)*%b" % (INTERIM, FINAL))


def reply(data: bytes) -> None:
    """A reply's verdict is the oracle's, however it is cut into pieces, and its line is fit to be printed."""
    size, content = (data[0] % 16 + 1, data[1:]) if data else (1, b"")
    whole = read([content])
    pieces = read([content[start : start + size] for start in range(0, len(content), size)])
    assert isinstance(whole, Reply) == isinstance(pieces, Reply)
    expected = REPLY.match(content)
    assert isinstance(whole, Reply) == bool(expected)
    if isinstance(whole, Reply) and isinstance(pieces, Reply) and expected:
        assert whole.status == pieces.status == int(expected[1])
        assert whole.reason == pieces.reason
        assert whole.location == pieces.location
        assert whole.body == pieces.body
        outcome = verdict.replied(WANTED, whole, 0.001)
        assert outcome.status == (0 if whole.status == 200 else 1)
    else:
        assert isinstance(whole, CheckFailed)
        assert str(whole) == str(pieces)
        outcome = verdict.failed(WANTED, whole, 0.001)
        assert outcome.status == 1
    assert_line(outcome.output)


def read(pieces: list[bytes]) -> Reply | CheckFailed:
    """The reply in these pieces, or what is wrong with it."""
    reader = ReplyReader()
    for piece in pieces:
        if piece and not reader.complete:
            reader.feed(piece)
    reader.end()
    try:
        return reader.reply()
    except CheckFailed as error:
        return error


def arguments(data: bytes) -> None:
    """Any argument list is a check, the same one to both parsers, or a line."""
    texts, environ = argument_list(data)
    outcome = parsed(texts, environ)
    shortcut = hot.parse(texts, environ)
    if shortcut:
        assert shortcut == outcome
    if isinstance(outcome, Check):
        assert_request(http1.request(outcome.target))
        assert 0 < outcome.timeout <= values.LONGEST_TIMEOUT
        assert str(outcome.target).isprintable()
    else:
        assert outcome.status == 0 or assert_line(outcome.output)


def argument_list(data: bytes) -> tuple[list[str], dict[bytes, bytes]]:
    """Read arguments, which end with NUL, and the variables that follow them.

    The bytes 1 to 9 stand for what is long to write, for the fuzzer to be quick.
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


def parsed(texts: list[str], environ: dict[bytes, bytes]) -> Check | Verdict:
    """What click makes of the arguments, a mistake told as a line."""
    try:
        return cli.parse(texts, environ)
    except UsageError as error:
        return verdict.misused(error)


def texts(data: bytes) -> None:
    """Each option's parser gives a value that means the same when it is read again, or says what would be right."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(UsageError):
        assert target.path(target.path(text)) == target.path(text)
    with suppress(UsageError):
        assert target.host(target.host(text)) == target.host(text)
    with suppress(UsageError):
        assert str(target.from_url(str(target.from_url(text)))) == str(target.from_url(text))
        assert_request(http1.request(target.from_url(text)))
    with suppress(UsageError):
        seconds = values.duration(text)
        assert abs(values.duration(values.show_duration(seconds)) - seconds) <= seconds * 0.00001
    with suppress(UsageError):
        assert 0 < values.port(text) < 65536
    with suppress(UsageError):
        assert values.statuses(text).codes <= set(range(100, 600))
    with suppress(UsageError):
        expand.expand(text, {b"A": b"${B}", b"_": b"\xff"})


def assert_request(request: bytes) -> None:
    """It is one request, and nothing of a user's is in it that could be read otherwise."""
    assert re.fullmatch(
        rb"GET /[!-~]* HTTP/1\.1\r\nHost: [0-9A-Za-z._:\[\]-]+\r\nUser-Agent: [!-~]+\r\nAccept: \*/\*\r\n"
        rb"Connection: close\r\n\r\n",
        request,
    )


def assert_line(output: str) -> bool:
    """One line that any terminal and any log takes."""
    assert output.endswith("\n")
    assert output[:-1].isprintable()
    assert len(output.encode()) <= LINE_LIMIT
    return True


TARGETS = {"reply": reply, "arguments": arguments, "texts": texts}
