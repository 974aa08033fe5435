"""Nothing in the environment changes a verdict but the variables of this program."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import clock, servers
from testing.certificates import Authority
from testing.limits import limited_to
from testing.privileges import needs_root
from testing.program import Healthchecker, runner
from testing.project import ROOT
from testing.servers import serving
from testing.waiting import PATIENCE


@pytest.fixture(scope="module")
def http() -> Iterator[int]:
    with serving(servers.replying(servers.OK)) as port:
        yield port


@pytest.fixture(scope="module")
def https(authority: Authority) -> Iterator[int]:
    with serving(servers.replying(servers.OK), tls=authority.context("localhost", "127.0.0.1")) as port:
        yield port


@pytest.fixture
def checks(http: int, https: int, authority: Authority) -> dict[str, tuple[list[str], int, str]]:
    """Arguments, and how they have to end, wherever they are given."""
    url = f"https://localhost:{https}"
    return {
        "healthy": ([f"-port={http}", "-t=20"], 0, ""),
        "refused": ([f"-port={servers.free_port()}", "-t=20"], 1, "connection refused"),
        "own authority": ([url, f"--cacert={authority.file}", "-t=20"], 0, ""),
        "insecure": ([url, "-k", "-t=20"], 0, ""),
        "not trusted": ([url, "-t=20"], 1, "certificate not trusted"),
        "mistake": (["--prot=1"], 1, "did you mean --port"),
    }


Checks = dict[str, tuple[list[str], int, str]]


def assert_no_difference(run: Healthchecker, checks: Checks, **environ: str) -> None:
    """Every check ends as it has to."""
    for arguments, status, words in checks.values():
        done = run(*arguments, **environ)
        assert (done.status, done.stdout, done.stderr.count("\n")) == (status, "", status), done
        assert words in done.stderr


DEAD_PROXY = "http://127.0.0.1:1"
SCHEMES = ("http", "https", "all", "ftp")
LOWER, UPPER = [f"{scheme}_proxy" for scheme in SCHEMES], [f"{scheme.upper()}_PROXY" for scheme in SCHEMES]
CAS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
VARIABLES = {
    "proxies": dict.fromkeys(LOWER, DEAD_PROXY),  # any of them would end a check that heard it
    "proxies in capitals": dict.fromkeys(UPPER, DEAD_PROXY),
    "proxies for every host": {**dict.fromkeys(LOWER + UPPER, DEAD_PROXY), "no_proxy": "", "NO_PROXY": ""},
    "proxy for CGI": {"REQUEST_METHOD": "GET", "HTTP_PROXY": DEAD_PROXY},
    "proxy that is none": dict.fromkeys(LOWER + UPPER, "://\udcff"),
    "other certificates": dict.fromkeys(CAS, "/nonexistent"),
    "the authority's certificates": dict.fromkeys(CAS, "AUTHORITY"),
    "key log": {"SSLKEYLOGFILE": "keys.log"},
    "netrc": {"NETRC": "netrc", "HOME": "."},
    "nobody's home": {"HOME": "/nonexistent", "USER": "", "LOGNAME": "\udcff", "TMPDIR": "/nonexistent"},
    "locale": {"LC_ALL": "tr_TR.ISO-8859-9", "LANG": "xx", "LANGUAGE": "xx"},
    "time zone": {"TZ": ":/nonexistent"},
    "time zone far away": {"TZ": "XXX-167:59:59YYY"},
    "terminal": {"TERM": "\x1b", "COLUMNS": "1", "LINES": "x", "NO_COLOR": "", "FORCE_COLOR": "1"},
    "click's": {"_HEALTHCHECKER_COMPLETE": "bash_source", "HEALTHCHECKER": "x", "_PROBE_COMPLETE": "bash_source"},
}


@pytest.mark.parametrize("environ", VARIABLES.values(), ids=list(VARIABLES))
def test_no_variable_of_others_has_an_effect(
    command: list[str], tmp_path: Path, authority: Authority, checks: Checks, environ: dict[str, str]
) -> None:
    for name in (".netrc", "netrc"):
        (tmp_path / name).write_text("default login user password secret\n")
        (tmp_path / name).chmod(0o600)
    settings = {name: value.replace("AUTHORITY", str(authority.file)) for name, value in environ.items()}
    assert_no_difference(runner(command, tmp_path), checks, **settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".netrc", "netrc"]


def test_no_credentials_of_a_netrc_are_sent(command: list[str], tmp_path: Path, authority: Authority) -> None:
    (tmp_path / ".netrc").write_text("default login user password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    requests: list[bytes] = []
    for scheme, tls in (("http", None), ("https", authority.context("localhost"))):
        with serving(servers.recording(requests), tls=tls) as port:
            home = {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
            assert runner(command, tmp_path)(f"{scheme}://localhost:{port}", "-k", "-t=20", **home).status == 0
    assert len(requests) == 2
    assert not any(b"uthorization" in request for request in requests)


LIMITS = {
    "files": ["--nofile=16"],
    "file sizes": ["--fsize=0"],
    "core files": ["--core=0"],
    "stack": ["--stack=524288"],
    "locked memory": ["--memlock=0"],
    "signals": ["--sigpending=0"],
    "address space": ["--as=300000000"],
    "data": ["--data=300000000"],
}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))
def test_limits_change_no_verdict(command: list[str], tmp_path: Path, checks: Checks, limit: list[str]) -> None:
    assert_no_difference(runner(["prlimit", *limit, *command], tmp_path), checks)


@needs_root
def test_a_limit_on_processes_changes_no_verdict(binary: Path, tmp_path: Path, checks: Checks) -> None:
    assert_no_difference(runner([*limited_to(0), str(binary)], tmp_path), checks)


@pytest.mark.parametrize("files", range(8))
def test_too_few_open_files_are_one_line(binary: Path, tmp_path: Path, http: int, files: int) -> None:
    run = runner(["prlimit", f"--nofile={files}", str(binary)], tmp_path)(f"-port={http}")
    assert run.status == (0 if files > 3 else 1)
    assert ("too many open files" in run.stderr, run.stderr.count("\n")) == (files <= 3, int(files <= 3))


def test_a_full_disk_takes_no_line_and_changes_no_verdict(command: list[str], checks: Checks) -> None:
    for arguments, status, _ in checks.values():
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [*command, *arguments, "-v"], env={}, stdout=full, stderr=full, timeout=PATIENCE, check=False
            )
        assert done.returncode == status


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_closed_streams_change_no_verdict(command: list[str], tmp_path: Path, checks: Checks, closed: str) -> None:
    close = " ".join(f"{stream}>&-" for stream in closed.split())
    for arguments, status, words in checks.values():
        run = runner(["sh", "-c", f'exec "$0" "$@" {close}', *command], tmp_path)(*arguments)
        assert (run.status, words in run.stderr or "2" in closed) == (status, True)


@needs_root
def test_an_empty_etc_changes_no_verdict(command: list[str], tmp_path: Path, checks: Checks) -> None:
    bare = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc && exec "$0" "$@"', *command]
    assert_no_difference(runner(bare, tmp_path), checks)


# The authority's certificates are valid from 2000 to 3000.
TIMES = {
    "1966": (-100_000_000, "certificate is not yet valid"),
    "1970": (0, "certificate is not yet valid"),
    "2039": (2_200_000_000, ""),
    "2106": (4_300_000_000, ""),
}


@pytest.mark.skipif(os.uname().machine != clock.ARCHITECTURE, reason="the clock is turned in this machine's registers")
@pytest.mark.parametrize(("seconds", "reason"), TIMES.values(), ids=list(TIMES))
def test_the_time_of_day_changes_nothing_but_what_certificates_say_of_it(
    command: list[str], checks: Checks, seconds: int, reason: str
) -> None:
    turned = [sys.executable, "-m", "testing.clock", str(seconds), *command]
    run = runner(turned, ROOT)
    arguments = checks["own authority"][0]
    checks["own authority"] = (arguments, int(bool(reason)), f"certificate not trusted: {reason}" if reason else "")
    assert_no_difference(run, checks)
