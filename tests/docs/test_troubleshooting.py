"""docs/troubleshooting.md tells of the lines that are really written, and of all of them."""

import _ssl
import ctypes
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import pytest

from probe import foreign_options
from probe.__main__ import run
from probe.verdict import UNHEALTHY
from testing import alerts, messages, servers, tls_servers, untrusted
from testing.certificates import Authority
from testing.executable import damaged, start
from testing.limits import without_random_numbers
from testing.network import full_port
from testing.privileges import needs_root
from testing.program import Healthchecker, in_network, runner, waiting
from testing.project import ROOT
from testing.responses import response
from testing.servers import Behaviour, serving
from testing.troubleshooting import ENTRIES, LINES, PAGE
from testing.waiting import PATIENCE, wait_until_caught

MODULE = [sys.executable, "-m", "probe"]


class Here(NamedTuple):
    """What a line is brought about with."""

    authority: Authority
    folder: Path
    request: pytest.FixtureRequest

    @property
    def binary(self) -> Path:
        """The executable; without one, what needs it is skipped."""
        path: Path = self.request.getfixturevalue("binary")
        return path


Case = Callable[[Here], str]


def said(*arguments: str, **environ: str) -> str:
    """What the program says, run in this process."""
    outcome = run(list(arguments), {name.encode(): value.encode() for name, value in environ.items()}, monotonic())
    assert outcome.exit_code == UNHEALTHY
    return outcome.output


def mistakes(*runs: str | tuple[str, ...], **environ: str) -> Case:
    """One line for each run: an argument, or several."""
    return lambda _: "".join(said(*([run] if isinstance(run, str) else run), **environ) for run in runs)


def against(behaviour: Behaviour, *arguments: str) -> Case:
    """Asked by http of a server with that behaviour."""

    def case(_: Here) -> str:
        with serving(behaviour) as port:
            return said(f"-port={port}", *arguments).replace(f":{port}/", ":6767/")

    return case


def answering(status: str, *headers: str, body: bytes = b"") -> Case:
    """Asked by http of a server with that answer."""
    return against(servers.replying(response(status, body, *headers)))


def greeting(*greetings: bytes) -> Case:
    """Asked by http of servers that begin with those bytes."""
    return in_turn(*(against(servers.replying(data)) for data in greetings))


def in_turn(*cases: Case) -> Case:
    """The lines of several cases."""
    return lambda here: "".join(case(here) for case in cases)


def securely(
    behaviour: Behaviour,
    *arguments: str,
    host: str = "localhost",
    tls: Callable[[Authority], ssl.SSLContext] | None = None,
) -> Case:
    """Asked by https of a server with that behaviour, behind that side of TLS, the test's authority trusted."""

    def case(here: Here) -> str:
        with serving(behaviour, tls=tls(here.authority) if tls else None) as port:
            url = f"https://{host}:{port}/health"
            return said(url, "-t=20", *(arguments or [f"--cacert={here.authority.file}"])).replace(
                f":{port}/", ":8443/"
            )

    return case


def presenting(name: str) -> Case:
    """Asked by https of one of the servers of the tests of TLS."""
    return securely(servers.replying(servers.OK), tls=tls_servers.SERVERS[name])


def alerting(*numbers: int) -> Case:
    """Asked by https of servers that end the handshake by an alert."""
    return in_turn(*[securely(alerts.refusing(number)) for number in numbers])


def garbled(here: Here) -> str:
    """Asked by https of a server that sends a record that no key has encrypted."""
    context = tls_servers.of_version(here.authority, "TLSv1_2")
    return securely(tls_servers.answering_without_tls(context, tls_servers.GARBLED))(here)


def leaving_for_a_certificate(here: Here) -> str:
    """Asked by https of a server that requests a client certificate, and ends by an alert behind the handshake."""
    context = tls_servers.asking(here.authority, tls_servers.of_version(here.authority, "TLSv1_3"))
    return securely(alerts.leaving(context, 42), "-k")(here)


def with_certificate(make: Callable[[], untrusted.Chain]) -> Case:
    """Asked by https of a server with that certificate, where the root of the tests' certificates is trusted."""

    def case(here: Here) -> str:
        certificate, chain = make()
        trusted = here.folder / "trusted.pem"
        trusted.write_bytes(untrusted.ROOT.pem)
        ask = securely(servers.replying(servers.OK), f"--cacert={trusted}", tls=lambda _: certificate.context(*chain))
        return ask(here)

    return case


def lacking_random_numbers(error: str) -> Case:
    """Run where getrandom fails so."""
    run = runner([*without_random_numbers(error), *MODULE], ROOT)
    return lambda _: ran(run, "https://localhost:8443/health", "-t=20", PATH=os.environ["PATH"])


def on_a_full_port(url: str, *arguments: str) -> Case:
    """Asked for the URL at a port that neither takes nor refuses a connection."""

    def case(_: Here) -> str:
        with full_port() as port:
            return said(url.replace("PORT", str(port)), *arguments).replace(f":{port}/", ":6767/")

    return case


def ran(run: Healthchecker, *arguments: str, **environ: str) -> str:
    """What a process of the program says."""
    done = run(*arguments, **environ)
    assert (done.status, done.stdout) == (1, "")
    return done.stderr


def in_a_network(resolver: str, *arguments: str, before: str = "true") -> Case:
    """Run in a network of its own, with that name server, behind a shell's command."""
    command = ["sh", "-c", f'{before} && exec "$0" "$@"', *MODULE]
    return lambda here: ran(in_network(resolver, command, here.folder), *arguments)


def behind(*command: str, arguments: tuple[str, ...]) -> Case:
    """The executable, run by another command."""
    return lambda here: ran(runner([*command, str(here.binary)], here.folder), *arguments)


def on_a_full_device(*arguments: str) -> Case:
    """Run with an output that nothing more goes into."""

    def case(_: Here) -> str:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run([*MODULE, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        return done.stderr

    return case


def at_a_route(kind: str) -> Case:
    """Run where the kernel has such a route to the address."""

    def case(here: Here) -> str:
        ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if not ip:
            pytest.skip("routes are made by ip, of the package iproute2")
        enter = f'{ip} link set lo up && {ip} route add {kind} 192.0.2.1 && exec "$0" "$@"'
        return behind("unshare", "--net", "sh", "-c", enter, arguments=("http://192.0.2.1:6767/health",))(here)

    return case


def in_a_shell(*commands: str) -> Case:
    """What Debian's shell says of commands, which Docker hands to it as they stand."""

    def said_of(command: str) -> str:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 127
        return done.stderr

    def case(_: Here) -> str:
        if Path("/bin/sh").resolve().name != "dash":
            pytest.skip("the words are those of dash, which is /bin/sh in Debian")
        return "".join(said_of(command) for command in commands)

    return case


def signalled(number: signal.Signals) -> Case:
    """The executable, waiting for a reply when the signal comes."""

    def case(here: Here) -> str:
        with waiting([str(here.binary)]) as process:
            wait_until_caught(process.pid, number)
            process.send_signal(number)
            _, line = process.communicate(timeout=30)
        assert process.returncode == 1
        return line

    return case


def certificates(here: Here) -> str:
    """Files that are none of certificates."""
    big = here.folder / "big.pem"
    with big.open("wb") as file:
        file.truncate(17 << 20)
    files = ("/ca.pem", "/etc", "/etc/passwd", str(big), "")
    return "".join(said("https://localhost:1/", f"--cacert={file}", "-t=20") for file in files).replace(
        str(big), "/big.pem"
    )


def unusable_store(_: Here) -> str:
    """In a system whose file of certificates holds none."""
    store = "/etc/ssl/certs/ca-certificates.crt"
    make = f'mount -t tmpfs none /etc && mkdir -p {Path(store).parent} && echo x >{store} && exec "$0" "$@"'
    run = runner(["unshare", "--mount", "sh", "-c", make, *MODULE], ROOT)
    return ran(run, "https://localhost:8443/health", "-t=20")


def cut_short(here: Here) -> str:
    """The executable, without its last byte."""
    return damaged(here.binary, here.folder / "copy", here.binary.read_bytes()[:-1], "-port=1").stderr.decode()


def short_of_memory(here: Here) -> str:
    """The executable, with less and less address space: the lines that it has for that, without further words."""
    lines = set()
    many = {f"VARIABLE_{number}": "x" * 500 for number in range(2000)}
    size = here.binary.stat().st_size  # all of it is mapped
    for more in range(2_000_000, 0, -50_000):
        for environ in ({}, many):
            done = start(["prlimit", f"--as={size + more}", str(here.binary), "--licenses"], env=environ)
            lines.add(re.sub(r"(?<=MemoryError): .*", "", done.stderr.decode()))
    return "".join(sorted((line for line in lines if line.startswith("internal error: MemoryError")), reverse=True))


# The first option of each row.
FOREIGN = [next(filter(None, row[1:])).partition(",")[0].partition(" ")[0] for row in foreign_options.ROWS]
DEEP = "-path=" + "${A:-" * 11 + "}" * 11

CASES: dict[str, Case] = {
    # No connection
    "connection refused": lambda _: said(f"-port={(port := servers.free_port())}").replace(f":{port}/", ":6767/"),
    "cannot assign requested address": in_a_network(
        "absent",
        "http://localhost:6767/health",
        before="echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6",
    ),
    "connection timed out, at one of several addresses": on_a_full_port("http://localhost:PORT/health"),
    "network is unreachable": in_turn(
        behind("unshare", "--net", arguments=("http://192.0.2.1:6767/health",)),
        behind("unshare", "--net", arguments=("-port=6767",)),
    ),
    "no route to host": at_a_route("unreachable"),
    "permission denied, without a file's name": at_a_route("prohibit"),
    "connection reset by peer": in_turn(
        against(servers.resetting(b"")),
        against(servers.resetting(b"HTTP/1.1 200 OK\r\n")),
        securely(servers.resetting(b""), tls=lambda authority: authority.context("localhost")),
    ),
    "too many open files": behind("prlimit", "--nofile=3", arguments=("-port=6767",)),
    # No reply in time
    "no reply within": against(servers.wait_for_close),
    "still connecting to": on_a_full_port("http://127.0.0.1:PORT/health"),
    "still looking up": in_a_network("silent", "http://db.example:6767/health", "-t=2"),
    "still in the TLS handshake": securely(servers.wait_for_close, "-t=2s"),
    "still getting ready for TLS": lambda _: ran(runner(MODULE, ROOT), "https://localhost:8443/health", "-t=1ms"),
    # The server answered something else
    "503 Service Unavailable": answering("503 Service Unavailable", body=b'{"status":"Database unaccessible"}'),
    "404 Not Found": answering("404 Not Found"),
    "400 Bad Request": answering("400 Bad Request"),
    "401 Unauthorized": answering("401 Unauthorized"),
    "a redirect": in_turn(
        answering("302 Found", "Location: https://127.0.0.1/login"),
        answering("301 Moved Permanently", "Location: /health/"),
        answering("308 Permanent Redirect", "Location: https://127.0.0.1/health"),
    ),
    "another status": in_turn(
        answering("204 No Content"),
        answering("403 Forbidden"),
        answering("405 Method Not Allowed"),
        answering("429 Too Many Requests"),
        answering("500 Internal Server Error"),
        answering("502 Bad Gateway"),
        answering("504 Gateway Timeout"),
    ),
    "a body in the line": in_turn(
        answering("503 Service Unavailable", "Content-Type: text/html", body=b"<h1>Down for maintenance</h1>"),
        answering("503 Service Unavailable", "Content-Encoding: br", body=bytes(1234)),
    ),
    # Not HTTP
    "connection closed without a reply": in_turn(
        against(servers.replying(b"")),
        securely(servers.closing, tls=lambda authority: authority.context("localhost")),
    ),
    "connection closed in the middle of the reply": against(servers.replying(b"HTTP/1.1 200 OK\r\nServer: a\r\n")),
    "not an HTTP reply but TLS": against(servers.replying(b"\x15\x03\x03\x00\x02\x02\x0a")),
    "the server speaks HTTP/2 only": greeting(b"\0\0\0\4\0\0\0\0\0"),
    "not an HTTP reply but another protocol": greeting(
        *(b"\1\3\0\1\0\x08\0\0", b"J\0\0\0\x0a8.0.36", b"E\0\0\0=SFATAL", b"AMQP\0\0\x09\1", b" \2\0\1"),
        *(b"ERROR\r\n", b"-ERR unknown command\r\n", b"220 mail.example ESMTP\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"),
        *(b"RTSP/1.0 400 Bad Request\r\n", b"ICY 200 OK\r\n"),
    ),
    "not an HTTP/1 reply": greeting(b"hello\r\n"),
    "the reply has no status line": greeting(b'{"status":"UP"}'),
    "the reply begins with an empty line": greeting(b"\r\nHTTP/1.1 200 OK\r\n\r\n"),
    "malformed status line": against(servers.replying(b"HTTP/1.1 OK\r\n\r\n")),
    "the reply's status line is over 64 KiB": against(servers.flooding(b"HTTP/1.1 200 ", b"a" * 65536)),
    "the reply's header section is over 64 KiB": against(servers.flooding(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 10000)),
    # https
    "not a TLS server": securely(servers.greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "connection closed in the TLS handshake": in_turn(securely(servers.closing), securely(servers.breaking_off)),
    "self-signed certificate": presenting("self-signed"),
    "unable to get local issuer certificate": presenting("of another authority"),
    "certificate has expired": presenting("expired"),
    "certificate is not yet valid": presenting("not yet valid"),
    "Hostname mismatch": presenting("wrong name"),
    "IP address mismatch": securely(
        servers.replying(servers.OK), host="127.0.0.1", tls=lambda authority: authority.context("localhost")
    ),
    "is only its common name": in_turn(
        with_certificate(lambda: (untrusted.common_name("localhost"), [])),
        with_certificate(lambda: (untrusted.common_name("localhost", untrusted.ADDRESS), [])),
    ),
    "certificate not trusted": in_turn(*[with_certificate(make) for make in untrusted.UNTRUSTED.values()]),
    "it wants a client certificate": in_turn(
        presenting("client certificate, TLS 1.3"),
        presenting("client certificate, TLS 1.2"),
        alerting(41, 42, 43, 44, 45, 46, 48, 49, 111, 114),
        leaving_for_a_certificate,
        securely(servers.closing, "-k", tls=tls_servers.asking),
        securely(servers.breaking_off, "-k", tls=tls_servers.asking),
        lambda here: securely(tls_servers.stopping(here.authority, servers.closing), "-k")(here),
        lambda here: securely(tls_servers.stopping(here.authority, servers.breaking_off), "-k")(here),
    ),
    "no cipher in common": in_turn(presenting("no cipher in common"), alerting(60, 71)),
    "speaks no TLS 1.2 or newer": in_turn(presenting("TLS 1.1"), securely(tls_servers.answering_in_an_old_version)),
    "no certificate for the name": alerting(80, 109, 112),
    "HTTP/2 only": alerting(120),
    "it did not accept the bytes": alerting(10, 20, 21, 22, 30, 47, 50, 51, 86, 110),
    "other alerts of TLS": alerting(52, 90, 100, 113, 115, 117, 121, 255),
    "TLS failed": garbled,
    "TLS gets no random numbers": in_turn(*map(lacking_random_numbers, ("EPERM", "ENOSYS"))),
    "cannot use the certificates in": unusable_store,
    # Name look-up
    "name or service not known": in_a_network("unknowing", "http://db.example:6767/health"),
    "temporary failure in name resolution": in_a_network("absent", "http://db.example:6767/health"),
    "no address associated with hostname": in_a_network("without addresses", "http://db.example:6767/health"),
    # Usage errors
    "is not a port": lambda _: said("-port=8080/tcp") + said(HEALTHCHECKER_PORT="0") + said("http://web:http/"),
    "Kubernetes and Docker links set this": lambda _: (
        said(HEALTHCHECKER_PORT="tcp://10.0.0.1:80")
        + said("-port=${ACCOUNTSERVICE_PORT:-6767}", ACCOUNTSERVICE_PORT="tcp://172.17.0.2:6767")
        + said("-host=${ACCOUNTSERVICE_PORT}", ACCOUNTSERVICE_PORT="tcp://172.17.0.2:6767")
    ),
    "a variable is written": mistakes("-port=$PORT"),
    "compose or a shell may have expanded an empty variable": mistakes(
        "-port=", "http://localhost:/health", "-host=", "-expect=", "-timeout=", ""
    ),
    "the variable was not expanded": mistakes("-port=$${PORT}", "http://localhost:$${PORT}/health"),
    "a shell made its process ID of $$": mistakes("-port=6{PORT}", "http://localhost:6{PORT}/health"),
    "the environment variable is not set": mistakes("-port=${PORT}"),
    "is not an expansion": mistakes("-port=${PORT-80}"),
    "has no closing brace": mistakes("-port=${PORT"),
    "is nested more than 10 deep": mistakes(DEEP),
    "is not a host": mistakes("-host=http://web/", "http:///health"),
    "is not an international host name": mistakes("-host=💩.example"),
    "is not a URL to check": mistakes(
        ("-port=8080", "/health"), "8080", "health", ":8080/health", "8080/health", "::1", "tcp://web:80"
    ),
    "is not a host and port": mistakes("http://::1:8080/", "http://[::1:8080/"),
    "holds credentials": mistakes("http://user:password@web/", "-host=user:password@web"),
    "holds a space": mistakes("-path=/health check", "http://web/\n"),
    "is not a timeout": mistakes("-timeout=2 s"),
    "is not a list of statuses": mistakes("-expect=ok"),
    "is not a switch": mistakes((), HEALTHCHECKER_INSECURE="maybe"),
    "expected a file of PEM certificates": certificates,
    "exclude each other": lambda _: (
        said("http://web/", "-port=80")
        + said(HEALTHCHECKER_URL="http://web/", HEALTHCHECKER_PORT="80")
        + said("https://web/", "-k", "--cacert=/ca.pem")
    ),
    "is not an option": mistakes("-prot=6767", "-z", "--token:password"),
    "is an option of curl, wget or Docker": mistakes(*FOREIGN, "-fsSL"),
    "needs a value": mistakes("--port", ("-host", "-port=6767")),
    "is one argument with a blank in it": mistakes(
        "-timeout 30s", "--expect 200 204", "--port=8080 --path=/x", " -port=80", "http://localhost:8000/ || exit 1"
    ),
    "got unexpected extra argument": mistakes(
        ("http://a/", "http://b/"), ("http://a/", "user:password"), ("a", "b", "c"), ("-port=6767", "||", "exit", "1")
    ),
    "does not take a value": mistakes("--verbose=1"),
    # The executable itself
    "interrupted": signalled(signal.SIGTERM),
    "cannot write the licences": on_a_full_device("--licenses"),
    "this executable is damaged": cut_short,
    "crashed": signalled(signal.SIGSEGV),
    "MemoryError": short_of_memory,
    # Docker's side
    "not found, says /bin/sh": in_a_shell("['/healthchecker', '-port=6767']", "/nope -port=6767"),
}

AS_ROOT = {
    "cannot assign requested address",
    "network is unreachable",
    "no route to host",
    "permission denied, without a file's name",
    "still looking up",
    "cannot use the certificates in",
    "name or service not known",
    "temporary failure in name resolution",
    "no address associated with hostname",
}


def comparable(lines: str) -> str:
    """Without what differs from run to run, and from one Python or OpenSSL to the next."""
    return re.sub(r"\(\d+ ms\)| or the system clock is incorrect", "", lines)


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=needs_root if title in AS_ROOT else ()) for title in CASES]
)
def test_the_lines_are_as_the_program_writes_them(
    title: str, authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lines = CASES[title](Here(authority, tmp_path, request))
    assert comparable(lines) == comparable(ENTRIES[title].lines)


def test_every_line_is_brought_about_or_says_why_not() -> None:
    to_bring_about = [title for title, found in ENTRIES.items() if found.lines and not found.reason]
    assert to_bring_about == list(CASES)


def reasons_of_openssl() -> set[str]:
    """All that this OpenSSL can say of a certificate that it does not trust."""
    openssl = ctypes.CDLL(getattr(_ssl, "__file__", None))  # some builds of Python have it linked in
    openssl.X509_verify_cert_error_string.restype = ctypes.c_char_p
    return {openssl.X509_verify_cert_error_string(number).decode() for number in range(1, 200)}


def test_every_reason_not_to_trust_a_certificate_is_there() -> None:
    """Under a heading of its own, in the table, or among those that no check asks for."""
    titles = [title for title in ENTRIES if title.lower() in {reason.lower() for reason in reasons_of_openssl()}]
    assert len(titles) > 5
    text = " ".join(PAGE.partition("### certificate not trusted\n")[2].partition("\n### ")[0].split())
    listed = {reason.strip(" |.") for reason in re.split(r"[;|]|\. |: ", text)}
    known = {reason.lower() for reason in (*listed, *titles)}
    missing = [reason for reason in reasons_of_openssl() if reason.removeprefix("Suite B: ").lower() not in known]
    assert missing == []


@pytest.mark.parametrize("text", messages.of_python("probe/**/*.py", without="licenses.py"))
def test_every_message_of_the_program_is_there(text: str) -> None:
    options = run(["--help"], {}, monotonic()).output
    assert messages.is_in(text, LINES) or messages.is_in(" ".join(text.split()), " ".join(options.split()))


@pytest.mark.parametrize("text", messages.of_c("build/bootloader/*.[ch]"))
def test_every_message_of_the_bootloader_is_there(text: str) -> None:
    assert messages.is_in(text, LINES)
