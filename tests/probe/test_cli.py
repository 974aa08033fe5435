"""The command as its users run it: a process, its exit status, and both of its streams."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probe import __version__, cli, fast_path
from probe.errors import UsageError
from probe.options import OPTIONS, URL
from probe.settings import Settings
from testing import servers
from testing.arguments import EQUIVALENT, MISTAKES, full_width
from testing.certificates import Authority, self_signed
from testing.deadlines import ends_in_time
from testing.program import Healthchecker, runner
from testing.responses import response
from testing.servers import serving


@pytest.fixture
def healthy() -> Iterator[int]:
    with serving(servers.replying(servers.OK)) as port:
        yield port


@pytest.fixture
def closed() -> int:
    return servers.free_port()


@pytest.mark.parametrize("arguments", EQUIVALENT.values(), ids=list(EQUIVALENT))
def test_healthy_is_silent_and_0(healthchecker: Healthchecker, healthy: int, arguments: list[str]) -> None:
    run = healthchecker(*[argument.replace("PORT", str(healthy)) for argument in arguments])
    assert (run.status, run.stdout, run.stderr) == (0, "", "")


def test_the_installed_script_is_the_same_program(tmp_path: Path, healthy: int, closed: int) -> None:
    run = runner([str(Path(sys.executable).parent / "healthchecker")], tmp_path)
    assert run(f"-port={healthy}").status == 0
    assert "connection refused" in run(f"-p{closed}").stderr
    assert run("--version").stdout == f"healthchecker {__version__}\n"


def test_verbose_says_what_was_done_also_when_healthy(healthchecker: Healthchecker, healthy: int) -> None:
    run = healthchecker(f"-port={healthy}", "-v")
    assert (run.status, run.stderr) == (0, "")
    assert re.fullmatch(rf"healthy: GET http://127\.0\.0\.1:{healthy}/health: 200 OK \(\d+ ms\)\n", run.stdout)


UNHEALTHY = {
    "unavailable": (
        response("503 Service Unavailable", b'{"status":"Database unaccessible"}'),
        r'503 Service Unavailable, expected 200 \(\d+ ms\): \{"status":"Database unaccessible"\}',
    ),
    "no body": (response("500 Internal Server Error"), r"500 Internal Server Error, expected 200 \(\d+ ms\)"),
    "no reason": (response("404"), r"404, expected 200 \(\d+ ms\)"),
    "redirect": (
        response("302 Found", b"", "Location: http://elsewhere/"),
        r"302 Found to http://elsewhere/, expected 200 \(\d+ ms\)",
    ),
    "body of several lines": (response("500 No", b"a\r\n  b\tc\n"), r"500 No, expected 200 \(\d+ ms\): a b c"),
    "escapes": (
        response("500 \x1b[31mNo", "\x1b]0;x\a\u202e".encode()),
        r"500 \\x1b\[31mNo, expected 200 \(\d+ ms\): \\x1b\]0;x\\x07\\u202e",
    ),
    "nothing": (b"", r"connection closed without a reply; the service failed, or [^()]+ \(\d+ ms\)"),
    "not HTTP": (
        b"SSH-2.0-OpenSSH\r\n",
        r"not an HTTP reply but SSH; ask at another port: 'SSH-2\.0-OpenSSH' \(\d+ ms\)",
    ),
}


@pytest.mark.parametrize(("data", "words"), UNHEALTHY.values(), ids=list(UNHEALTHY))
def test_unhealthy_is_1_and_one_line_that_says_why(healthchecker: Healthchecker, data: bytes, words: str) -> None:
    with serving(servers.replying(data)) as port:
        run = healthchecker(f"-port={port}")
    assert (run.status, run.stdout) == (1, "")
    assert re.fullmatch(rf"unhealthy: GET http://127\.0\.0\.1:{port}/health: {words}\n", run.stderr)


def test_a_refused_connection_is_one_line(healthchecker: Healthchecker, closed: int) -> None:
    run = healthchecker(f"-port={closed}")
    assert (run.status, run.stdout) == (1, "")
    asked = rf"unhealthy: GET http://127\.0\.0\.1:{closed}/health"
    assert re.fullmatch(rf"{asked}: connection refused \(\d+ ms\)\n", run.stderr)


@pytest.mark.parametrize("body", [b"a" * 60_000, "ä".encode() * 30_000, b"\x1b" * 60_000], ids=["a", "ä", "escapes"])
def test_a_line_is_never_over_1000_bytes_and_keeps_what_matters(healthchecker: Healthchecker, body: bytes) -> None:
    data = response("503 " + "r" * 5000, body, "Location: " + "l" * 5000)
    with serving(servers.replying(data)) as port:
        run = healthchecker(f"-port={port}", "-path=/" + "p" * 5000, "-e", ",".join(["201"] * 500))
    assert run.status == 1
    assert len(run.stderr.encode()) <= 1000
    assert run.stderr.startswith(f"unhealthy: GET http://127.0.0.1:{port}/ppp")
    assert "…: 503 rrr" in run.stderr
    assert "…, expected 201,201" in run.stderr
    assert run.stderr.endswith("…\n")
    assert run.stderr.count("\n") == 1


EXPECTED = {
    "listed": ("204 No Content", "200,204", 0),
    "in a range": ("299 Odd", "200-299", 0),
    "in a class": ("204 No Content", "2xx", 0),
    "in a list of both": ("401 Unauthorized", "200-299,401", 0),
    "not listed": ("200 OK", "204", 1),
    "redirect that is listed": ("302 Found", "3xx", 0),
}


@pytest.mark.parametrize(("came", "expected", "status"), EXPECTED.values(), ids=list(EXPECTED))
def test_expected_statuses_decide(healthchecker: Healthchecker, came: str, expected: str, status: int) -> None:
    with serving(servers.replying(response(came))) as port:
        assert healthchecker(f"-port={port}", f"-expect={expected}").status == status


def test_the_timeout_ends_it_with_the_line(healthchecker: Healthchecker) -> None:
    with serving(servers.wait_for_close) as port:
        ends_in_time(lambda timeout: healthchecker(f"-port={port}", "-t", timeout), f"http://127.0.0.1:{port}/health")


@pytest.mark.parametrize(("arguments", "environ", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_1_and_one_line_that_says_what_is_right(
    healthchecker: Healthchecker, arguments: list[str], environ: dict[str, str], words: list[str]
) -> None:
    run = healthchecker(*arguments, **environ)
    assert (run.status, run.stdout) == (1, "")
    assert run.stderr.startswith("usage error: ")
    assert run.stderr.count("\n") == 1
    for word in words:
        assert word in run.stderr
    assert "secret" not in run.stderr


def test_a_mistake_sends_nothing(healthchecker: Healthchecker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        run = healthchecker(f"-port={listener.getsockname()[1]}", "-expect=99")
        assert run.status == 1
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_arguments_that_are_no_utf_8_are_one_line(healthchecker: Healthchecker, healthy: int) -> None:
    run = healthchecker(b"-port=\xff")
    assert (run.status, run.stderr[:26]) == (1, r"usage error: --port: '\xff"[:26])
    assert healthchecker(f"-port={healthy}", b"-path=/\xff").status == 0


# As Kubernetes and Docker set them, beside HEALTHCHECKER_PORT, for a service with that name.
SERVICE_LINKS = {
    "HEALTHCHECKER_SERVICE_HOST": "10.0.0.1",
    "HEALTHCHECKER_SERVICE_PORT": "80",
    "HEALTHCHECKER_SERVICE_PORT_HTTP": "80",
    "HEALTHCHECKER_PORT_80_TCP": "tcp://10.0.0.1:80",
    "HEALTHCHECKER_PORT_80_TCP_PROTO": "tcp",
    "HEALTHCHECKER_PORT_80_TCP_PORT": "80",
    "HEALTHCHECKER_PORT_80_TCP_ADDR": "10.0.0.1",
    "HEALTHCHECKER_NAME": "/web/healthchecker",
    "HEALTHCHECKER_ENV_PATH": "/bin",
}

ENVIRONMENTS = {
    "port": ({"HEALTHCHECKER_PORT": "PORT"}, []),
    "expanded": ({"HEALTHCHECKER_PORT": "${SERVICE:-1}", "SERVICE": "PORT"}, []),
    "URL": ({"HEALTHCHECKER_URL": "http://localhost:PORT/"}, []),
    "the command line wins": ({"HEALTHCHECKER_PORT": "1"}, ["-port=PORT"]),
    "the command line's URL wins": ({"HEALTHCHECKER_PORT": "1"}, ["http://127.0.0.1:PORT"]),
    "the command line wins over a URL": ({"HEALTHCHECKER_URL": "http://a/"}, ["-port=PORT"]),
    "a variable that is overruled is not looked at": ({"HEALTHCHECKER_PORT": "${NOPE}"}, ["-port=PORT"]),
    "a switch that is off": ({"HEALTHCHECKER_INSECURE": "0", "HEALTHCHECKER_VERBOSE": "no"}, ["-port=PORT"]),
    "empty counts as unset": ({"HEALTHCHECKER_TIMEOUT": "", "HEALTHCHECKER_PORT": "PORT"}, []),
    "URL without a scheme": ({"HEALTHCHECKER_URL": "localhost:PORT/health"}, []),
    "a link beside a URL": (
        {"HEALTHCHECKER_PORT": "tcp://10.0.0.1:80", "HEALTHCHECKER_URL": "http://127.0.0.1:PORT/"},
        [],
    ),
    "a link that is overruled": ({"HEALTHCHECKER_PORT": "tcp://10.0.0.1:80"}, ["-port=PORT"]),
    "a link that a URL overrules": ({"HEALTHCHECKER_PORT": "tcp://10.0.0.1:80"}, ["127.0.0.1:PORT"]),
    "links of a service of this name": (SERVICE_LINKS, ["-port=PORT"]),
    "proxies": ({"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}, ["-port=PORT"]),
    "CA bundles": ({"SSL_CERT_FILE": "/nonexistent", "REQUESTS_CA_BUNDLE": "/nonexistent"}, ["-p", "PORT"]),
    "locale": ({"LC_ALL": "tr_TR.ISO-8859-9", "LANG": "C", "TZ": "Mars/Phobos"}, ["-p", "PORT"]),
}


@pytest.mark.parametrize(("environ", "arguments"), ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))
def test_the_environment_says_what_it_should_and_no_more(
    healthchecker: Healthchecker, healthy: int, environ: dict[str, str], arguments: list[str]
) -> None:
    settings = {name: value.replace("PORT", str(healthy)) for name, value in environ.items()}
    run = healthchecker(*[argument.replace("PORT", str(healthy)) for argument in arguments], **settings)
    assert (run.status, run.stdout, run.stderr) == (0, "", "")


HTTPS = {
    "own authority": (["--cacert=CA"], {}, 0, ""),
    "insecure": (["-k"], {}, 0, ""),
    "not trusted": ([], {}, 1, "certificate not trusted: "),
    "variables of other programs": (
        ["--cacert=CA"],
        {"REQUESTS_CA_BUNDLE": "/nonexistent", "SSL_CERT_FILE": "/nonexistent", "https_proxy": "http://127.0.0.1:1"},
        0,
        "",
    ),
    "a bundle that would be trusted": ([], {"REQUESTS_CA_BUNDLE": "CA", "SSL_CERT_FILE": "CA"}, 1, "not trusted"),
    "a key log": (["-k"], {"SSLKEYLOGFILE": "keys"}, 0, ""),
}


@pytest.mark.parametrize(("arguments", "environ", "status", "words"), HTTPS.values(), ids=list(HTTPS))
def test_https_trusts_what_it_is_told_to_and_nothing_else(
    healthchecker: Healthchecker,
    authority: Authority,
    tmp_path: Path,
    arguments: list[str],
    environ: dict[str, str],
    status: int,
    words: str,
) -> None:
    settings = {name: value.replace("CA", str(authority.file)) for name, value in environ.items()}
    with serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port:
        options = [argument.replace("CA", str(authority.file)) for argument in arguments]
        run = healthchecker(f"https://localhost:{port}/", "-t=20", *options, **settings)
    assert (run.status, run.stdout, words in run.stderr) == (status, "", True)
    assert run.stderr.count("\n") == status
    assert list(tmp_path.iterdir()) == []


YESTERDAY = datetime.now(UTC) - timedelta(days=1)
REFUSED = {
    "expired": (["localhost"], YESTERDAY, "certificate not trusted: certificate has expired"),
    "wrong name": (["elsewhere"], None, "certificate not trusted: Hostname mismatch, certificate is not valid for"),
    "wrong address": (["127.0.0.2"], None, "certificate not trusted: Hostname mismatch, certificate is not valid for"),
    "self-signed": ([], None, "certificate not trusted: self-signed certificate"),
}


@pytest.mark.parametrize(("names", "expires", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_certificate_is_refused_with_the_reason_unless_insecure(
    healthchecker: Healthchecker, authority: Authority, names: list[str], expires: datetime | None, words: str
) -> None:
    context = authority.context(*names, expires=expires) if names else self_signed("localhost")
    with serving(servers.replying(servers.OK), tls=context) as port:
        arguments = [f"https://localhost:{port}/", "-t=20"]
        refused = healthchecker(*arguments, f"--cacert={authority.file}")
        accepted = healthchecker(*arguments, "--insecure")
    assert (refused.status, refused.stdout, words in refused.stderr) == (1, "", True), refused
    assert (accepted.status, accepted.stdout, accepted.stderr) == (0, "", "")


@pytest.mark.parametrize("spelling", ["--help", "-help", "-h"])
def test_the_help_names_every_option_and_variable(healthchecker: Healthchecker, spelling: str) -> None:
    run = healthchecker(spelling)
    assert (run.status, run.stderr) == (0, "")
    for option in (*OPTIONS, URL):
        assert option.long in run.stdout
        assert option.variable in run.stdout
        assert option.default in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 100


@pytest.mark.parametrize("spelling", ["--version", "-version"])
def test_the_version_is_printed(healthchecker: Healthchecker, spelling: str) -> None:
    run = healthchecker(spelling)
    assert (run.status, run.stdout, run.stderr) == (0, f"healthchecker {__version__}\n", "")


@pytest.mark.parametrize("closed_stream", [0, 1, 2])
def test_a_closed_stream_changes_no_verdict(
    command: list[str], healthy: int, closed_stream: int, tmp_path: Path
) -> None:
    for port, status in ((healthy, 0), (1, 1)):
        shell = ["sh", "-c", f'exec "$@" {closed_stream}>&-', "sh", *command, f"-port={port}", "-v", "-t=20"]
        done = subprocess.run(shell, cwd=tmp_path, env={}, capture_output=True, timeout=30)
        assert done.returncode == status


def test_a_reader_that_does_not_read_holds_nothing_up(command: list[str], tmp_path: Path, closed: int) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 65536)
    os.set_blocking(writer, True)
    assert (
        subprocess.run([*command, f"-port={closed}"], cwd=tmp_path, env={}, stderr=writer, timeout=30).returncode == 1
    )
    os.close(reader)
    os.close(writer)


SECRET = "s3cretMARK"
CREDENTIALS = [
    *(f"{before}user:{SECRET}{sign}h{behind}" for before in ("", "http://", "postgres://", "http//", "https:///")
      for sign in ("@", "%40", full_width("@")) for behind in ("/", "${", "/${NOPE}", " -k")),
    *(f"http://user:a{delimiter}{SECRET}@h/" for delimiter in "/?# \n\\:"),
    f"http://user:a@{SECRET}/@h/",
]  # fmt: skip
BEHIND_OPTIONS = [
    *([option, f"admin:{SECRET}{behind}"] for option in ("-u", "--user", "-fsSH", "--header") for behind in ("", "${")),
    *([f"{option}{SECRET}"] for option in ("-u", "-u ", "--user=", "-k -u ", "-fsS -H ", "--token", "--user:a:")),
    *([f'{option} "X: {SECRET}" -k'] for option in ("-H", "--header", "-p 80 --header", "-p80 -H", "-uadmin -H")),
    *([option, f"-k={SECRET}"] for option in ("--port", "--host")),
]
PLACES = [[], ["curl"], ["http://a/"], *([option.long] for option in OPTIONS)]


@given(st.sampled_from(CREDENTIALS), st.sampled_from(PLACES), st.sampled_from([[], ["-k"], ["http://b/"], ["-z"]]))
def test_no_credentials_are_repeated_wherever_they_stand(url: str, before: list[str], behind: list[str]) -> None:
    assume(before != ["--path"] or "://" in url)  # user:password@ may begin a path
    not_repeated([*before, url, *behind], {})
    not_repeated([*before, "${A}", *behind], {b"A": url.encode()})
    if len(before) == 1 and before[0].startswith("--"):
        not_repeated([f"{before[0]}={url}", *behind], {})
        not_repeated(behind, {f"HEALTHCHECKER_{before[0][2:].upper()}".encode(): url.encode()})
    not_repeated(behind, {b"HEALTHCHECKER_URL": url.encode()})


@given(st.sampled_from(BEHIND_OPTIONS), st.sampled_from(PLACES), st.sampled_from([[], ["-k"], ["http://b/"]]))
def test_nothing_behind_another_programs_option_is_repeated(
    arguments: list[str], before: list[str], behind: list[str]
) -> None:
    not_repeated([*before, *arguments, *behind], {})


def not_repeated(arguments: list[str], environ: dict[bytes, bytes]) -> None:
    """Neither a mistake's line nor a check's holds the secret."""
    shortcut = fast_path.parse(arguments, environ)
    assert SECRET not in str(shortcut and shortcut.check.request.target)
    try:
        asked = cli.parse(arguments, environ)
    except UsageError as error:
        assert SECRET not in str(error)  # noqa: PT017 - one of the two
    else:
        assert not isinstance(asked, Settings) or SECRET not in str(asked.check.request.target)
