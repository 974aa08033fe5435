"""Check the account service in each of its states, and show every step: `make demo`.

Starts the service on a free port, checks it, requests an account, makes the service unhealthy and healthy again with a
check each, and stops it. Exits with 0 only if every step succeeded.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

COMMANDS = Path(sys.executable).parent
PATIENCE = 10.0  # seconds for the service to start or to stop, on a busy machine


class StepError(Exception):
    """A step failed."""


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        return port


@contextmanager
def account_service(port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the service. It ends with the block at the latest."""
    settings = {
        "ACCOUNTSERVICE_PORT": str(port),
        "ACCOUNTSERVICE_DB": "accounts.db",
        "ACCOUNTSERVICE_TESTABILITY": "1",
    }
    print("$", *(f"{name}={value}" for name, value in settings.items()), "accountservice &")
    service = subprocess.Popen([COMMANDS / "accountservice"], cwd=folder, env=os.environ | settings, text=True)
    try:
        yield service
    finally:
        service.kill()
        service.wait()


def probe(port: int, expected_status: int, expected_error: str) -> None:
    """Check the service, and compare the exit code and the output. Raises StepError."""
    command = ["healthchecker", f"-port={port}"]
    print("$", shlex.join(command))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCHECKER_")}
    done = subprocess.run(
        [COMMANDS / command[0], *command[1:]], env=environ, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    print(done.stdout + done.stderr + f"exit status {done.returncode}")
    if done.returncode != expected_status or done.stdout or expected_error not in done.stderr:
        raise StepError(f"expected exit status {expected_status} and {expected_error or 'no output'!r}")
    if not expected_error and done.stderr:
        raise StepError("expected no output")


def ask(url: str, expected: str) -> None:
    """Send a GET request. The response must be 200, with the expected start of a body. Raises StepError."""
    print("$ GET", url)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=PATIENCE)
    print(f"{answer.status_code} {answer.reason} {answer.text}".rstrip())
    if answer.status_code != 200 or not answer.text.startswith(expected):
        raise StepError(f"expected 200 and a body that starts with {expected!r}")


def wait_until_listening(port: int, service: subprocess.Popen[str]) -> None:
    """Wait until the service accepts connections. Raises StepError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise StepError(f"the service ended with exit status {service.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise StepError(f"the service does not listen on port {port} after {PATIENCE:.0f} s")


def stop(service: subprocess.Popen[str]) -> None:
    """Stop the service as Docker does. Raises StepError."""
    print("$ kill -TERM, and wait")
    service.send_signal(signal.SIGTERM)
    status = service.wait(PATIENCE)
    print(f"exit status {status}")
    if status != 0:
        raise StepError("expected exit status 0")


def session(folder: Path) -> None:
    """Take all steps in order. Raises StepError at the first that fails."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    probe(port, 1, "connection refused")
    with account_service(port, folder) as service:
        wait_until_listening(port, service)
        probe(port, 0, "")
        ask(f"{base}/accounts/10000", '{"id":"10000","name":"Person_0","servedBy":"')
        ask(f"{base}/testability/healthy/false", "")
        probe(port, 1, "503 Service Unavailable, expected 200")
        ask(f"{base}/testability/healthy/true", "")
        probe(port, 0, "")
        stop(service)


def main() -> None:
    """Run the session in a temporary folder."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(prefix="healthchecker-demo-") as folder:
        try:
            session(Path(folder))
        except (StepError, OSError, subprocess.SubprocessError) as error:
            sys.exit(f"demo: {error}")
    print("demo: every step did what it should")


if __name__ == "__main__":
    main()
