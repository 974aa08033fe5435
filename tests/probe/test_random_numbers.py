"""Where the kernel refuses random numbers, as it may for seccomp, the line says so and nothing is left."""

import os
import ssl
from pathlib import Path

import pytest

from probe.errors import CheckFailed
from probe.transport import trust
from testing import servers
from testing.certificates import Authority
from testing.limits import without_random_numbers
from testing.privileges import needs_root
from testing.program import runner
from testing.servers import serving

REFUSALS = {"ENOSYS": "function not implemented", "EPERM": "operation not permitted"}

# Runs a command in a namespace of its own for segments of shared memory, and lists those that it leaves there.
LISTING = ["unshare", "--ipc", "sh", "-c", '"$@"; status=$?; tail -n +2 /proc/sysvipc/shm; exit $status', "sh"]


@pytest.mark.parametrize(("error", "words"), REFUSALS.items(), ids=list(REFUSALS))
def test_it_is_said_that_tls_gets_no_random_numbers(command: list[str], tmp_path: Path, error: str, words: str) -> None:
    run = runner([*without_random_numbers(error), *command], tmp_path)(
        "https://127.0.0.1:1/", "-t=20", PATH=os.environ["PATH"]
    )
    assert f": TLS gets no random numbers: getrandom: {words}; allow this system call (seccomp) (" in run.failure()


@pytest.mark.parametrize("error", REFUSALS)
def test_http_needs_no_random_numbers(command: list[str], tmp_path: Path, error: str) -> None:
    with serving(servers.replying(servers.OK)) as port:
        run = runner([*without_random_numbers(error), *command], tmp_path)(
            f"-port={port}", "-t=20", PATH=os.environ["PATH"]
        )
    assert (run.status, run.stdout, run.stderr) == (0, "", "")


@needs_root
def test_no_shared_memory_is_left(command: list[str], tmp_path: Path) -> None:
    run = runner([*LISTING, *without_random_numbers("ENOSYS"), *command], tmp_path)(
        "https://127.0.0.1:1/", PATH=os.environ["PATH"]
    )
    assert (run.status, run.stdout) == (1, "")


@needs_root
def test_the_executable_leaves_no_shared_memory_in_an_old_kernel(
    binary: Path, authority: Authority, tmp_path: Path
) -> None:
    """Before Linux 4.8, OpenSSL takes /dev/urandom, and would note in a segment that it may."""
    old = ["setarch", "--uname-2.6", *without_random_numbers("ENOSYS"), str(binary)]
    with serving(servers.replying(servers.OK), tls=authority.context("localhost")) as port:
        arguments = (f"https://localhost:{port}/", "-t=20", f"--cacert={authority.file}")
        run = runner([*LISTING, *old], tmp_path)(*arguments, PATH=os.environ["PATH"])
    assert (run.status, run.stdout, run.stderr) == (0, "", "")


def fail(**_: object) -> None:
    """Fail as OpenSSL does, which does not say why."""
    raise ssl.SSLError("out of memory")


def test_the_reason_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(trust, "create_urllib3_context", fail)
    monkeypatch.setattr(os, "getrandom", refuse)
    with pytest.raises(CheckFailed, match="^TLS gets no random numbers: getrandom: operation not permitted; allow"):
        trust.any_certificate()


def test_another_failure_of_openssl_is_not_put_down_to_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "create_urllib3_context", fail)
    with pytest.raises(ssl.SSLError, match="out of memory"):
        trust.any_certificate()
