"""The service as its clients meet it: a running server."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accountservice import server
from accountservice.network import own_address
from testing.program import Healthchecker
from testing.servers import free_port
from testing.service import HELD_UP, Service, connected
from testing.waiting import PATIENCE


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service"), ACCOUNTSERVICE_TESTABILITY="1") as running:
        running.wait_until_up()
        yield running


ACCOUNT = json.dumps({"id": "10042", "name": "Person_42", "servedBy": own_address()}, separators=(",", ":")).encode()
ANSWERS = {
    "account": ("/accounts/10042", 200, ACCOUNT),
    "encoded account": ("/accounts/%31%30042", 200, ACCOUNT),
    "query": ("/accounts/10042?x=1", 200, ACCOUNT),
    "unknown account": ("/accounts/unknown", 404, b""),
    "no account": ("/accounts/", 404, b""),
    "account with a slash": ("/accounts/10042/", 404, b""),
    "account with NUL": ("/accounts/10042%00", 404, b""),
    "account that is no UTF-8": ("/accounts/%ff", 404, b""),
    "account with bad encoding": ("/accounts/%zz", 404, b""),
    "long account": ("/accounts/" + "1" * 5000, 404, b""),
    "health": ("/health", 200, b'{"status":"UP"}'),
    "health with a slash": ("/health/", 404, b""),
    "root": ("/", 404, b""),
    "no state": ("/testability/healthy/", 404, b""),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status", "body"), ANSWERS.values(), ids=list(ANSWERS))
def test_answers(service: Service, path: str, status: int, body: bytes, method: str) -> None:
    answer = service.ask(path, method)
    assert (answer.status, answer.body) == (status, b"" if method == "HEAD" else body)
    assert answer.fields["content-length"] == str(len(body))
    assert answer.fields.get("content-type") == ("application/json" if body else None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/health", "/accounts/10000", "/testability/healthy/true"])
def test_another_method_on_a_known_path_is_405(service: Service, path: str, method: str) -> None:
    answer = service.ask(path, method)
    assert (answer.status, answer.body, answer.fields["allow"]) == (405, b"", "GET, HEAD")


def test_another_method_on_an_unknown_path_is_404(service: Service) -> None:
    assert service.ask("/nothing", "POST").status == 404


def test_the_original_session_word_for_word(service: Service, healthchecker: Healthchecker) -> None:
    check = f"-port={service.port}"
    run = healthchecker(check)
    assert (run.status, run.stdout, run.stderr) == (0, "", "")
    for false, true in (("0", "1"), ("f", "t"), ("F", "T"), ("FALSE", "TRUE"), ("false", "true"), ("False", "True")):
        assert service.ask(f"/testability/healthy/{false}")[::2] == (200, b"")
        assert service.ask("/health")[::2] == (503, b'{"status":"Database unaccessible"}')
        assert service.ask(f"/testability/healthy/{true}")[::2] == (200, b"")
        assert service.ask("/health").status == 200
    service.ask("/testability/healthy/false")
    run = healthchecker(check)
    assert (run.status, run.stdout) == (1, "")
    assert "503 Service Unavailable, expected 200" in run.stderr
    assert run.stderr.endswith(': {"status":"Database unaccessible"}\n')
    service.ask("/testability/healthy/true")
    assert healthchecker(check).status == 0


@pytest.mark.parametrize("state", ["maybe", "yes", "tRUE", "2", "%00"])
def test_a_state_that_is_none_is_400_and_logged(service: Service, state: str) -> None:
    before = service.log.read_text()
    assert service.ask(f"/testability/healthy/{state}")[::2] == (400, b"")
    logged = service.log.read_text().removeprefix(before)
    assert logged == "Invalid request to SetHealthyState, allowed values are true or false\n"


ARGUMENTS = {"help": (["--help"], 0), "any": (["--port", "80"], 1)}


@pytest.mark.parametrize(("arguments", "status"), ARGUMENTS.values(), ids=list(ARGUMENTS))
def test_arguments_are_answered_with_what_is_right(tmp_path: Path, arguments: list[str], status: int) -> None:
    command = [sys.executable, "-m", "accountservice", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == status
    assert "takes no arguments; it is set by ACCOUNTSERVICE_PORT" in (done.stderr if status else done.stdout)
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from accountservice.__main__ import main
main()
"""


@pytest.mark.parametrize("package", ["httptools", "lmdb"])
def test_installed_without_the_extra_it_says_in_one_line_how_to_get_it(tmp_path: Path, package: str) -> None:
    command = [sys.executable, "-c", WITHOUT, package]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=PATIENCE)
    remedy = "install it, in a clone of the project: pip install '.[service]'"
    line = f"Cannot run: there is no package {package}; {remedy}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_the_log_tells_the_start(service: Service) -> None:
    assert service.log.read_text().splitlines()[:3] == [
        "Starting accountservice",
        "Seeded 100 fake accounts...",
        f"Starting HTTP service at {service.port}",
    ]


@pytest.mark.parametrize("value", ["", "0", "true"])
def test_testability_exists_only_where_it_is_asked_for(tmp_path: Path, value: str) -> None:
    with Service(tmp_path, ACCOUNTSERVICE_TESTABILITY=value) as running:
        running.wait_until_up()
        assert running.ask("/testability/healthy/false").status == 404
        assert running.ask("/health").status == 200


def test_sigterm_ends_it_within_a_second_also_with_clients_that_stay(tmp_path: Path) -> None:
    with Service(tmp_path) as running:
        running.wait_until_up()
        with (
            socket.create_connection(("127.0.0.1", running.port)) as idle,
            socket.create_connection(("127.0.0.1", running.port)) as slow,
        ):
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200 OK")
            slow.sendall(b"GET /hea")
            started = time.monotonic()
            assert running.stop() == 0
            assert time.monotonic() - started < HELD_UP
    assert server.ACCEPTED_GRACE < server.STOP_LIMIT < 1  # which is what it takes on a quiet machine


def test_a_stop_under_load_leaves_no_taken_connection_without_its_answer(tmp_path: Path) -> None:
    outcomes: list[bytes] = []
    with Service(tmp_path) as running:
        running.wait_until_up()

        def load() -> None:
            while True:
                try:
                    connection = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)
                except OSError:
                    return
                with connection:
                    try:
                        connection.sendall(b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        data = b""
                        while piece := connection.recv(65536):
                            data += piece
                    except ConnectionResetError:  # not yet taken by the server, so not in flight
                        continue
                    outcomes.append(data)

        loads = [threading.Thread(target=load) for _ in range(4)]
        for thread in loads:
            thread.start()
        deadline = time.monotonic() + PATIENCE
        while len(outcomes) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert running.stop() == 0
        for thread in loads:
            thread.join(PATIENCE)
        assert len(running.log.read_text().splitlines()) == 3
    assert len(outcomes) >= 100
    assert [data for data in outcomes if not data.endswith(b'"}')] == []


# A service whose answers take their time, so that a request is certainly in flight.
SLOW_SERVICE = """
import sys, time
from accountservice.app import App
from accountservice.server import claim, serve
from accountservice.signals import Signals
from accountservice.store import Store

class SlowApp(App):
    def answer(self, method, path):
        print("asked", flush=True)
        time.sleep(0.4)
        return super().answer(method, path)

with Store(sys.argv[1]) as store, claim(int(sys.argv[2])) as listener:
    store.seed()
    serve(SlowApp(store, "", False), listener, Signals(), 100)
"""


def test_a_request_in_flight_is_answered_at_a_stop(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_SERVICE, str(tmp_path / "a.db"), str(port)], stdout=subprocess.PIPE
    )
    try:
        with connected(port, process) as client:
            client.sendall(b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert process.stdout
            assert process.stdout.readline() == b"asked\n"
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'"name":"Person_0","servedBy":""}')
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - started < HELD_UP
    finally:
        process.kill()
        process.communicate()


FAILURES = {
    "port that is a word": ({"ACCOUNTSERVICE_PORT": "abc"}, "Cannot run: ACCOUNTSERVICE_PORT: 'abc' is not a port"),
    "no such folder": (
        {"ACCOUNTSERVICE_DB": "/nonexistent/a.db"},
        "Cannot run: cannot open the store '/nonexistent/a.db': no such file or directory",
    ),
    "store is a folder": ({"ACCOUNTSERVICE_DB": "/"}, "Cannot run: cannot open the store '/': it is not a file"),
}


@pytest.mark.parametrize(("environ", "words"), FAILURES.values(), ids=list(FAILURES))
def test_what_cannot_run_is_one_line_and_1(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    with Service(tmp_path, **environ) as failing:
        assert failing.process.wait(PATIENCE) == 1
        first, line = failing.log.read_text().splitlines()
    assert first == "Starting accountservice"
    assert line.startswith(words)


def test_a_port_in_use_is_one_line_and_1(service: Service, tmp_path: Path) -> None:
    with Service(tmp_path, ACCOUNTSERVICE_PORT=str(service.port)) as second:
        assert second.process.wait(PATIENCE) == 1
        assert second.log.read_text().splitlines()[1:] == [f"Cannot run: port {service.port}: address already in use"]
    assert service.ask("/health").status == 200


def test_of_two_that_start_at_once_on_one_port_one_runs(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    port = str(free_port())
    with Service(folders[0], ACCOUNTSERVICE_PORT=port) as one, Service(folders[1], ACCOUNTSERVICE_PORT=port) as other:
        deadline = time.monotonic() + PATIENCE
        while one.process.poll() is None and other.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sorted([one.process.poll() is None, other.process.poll() is None]) == [False, True]


def test_a_service_killed_under_load_starts_again(tmp_path: Path) -> None:
    for _ in range(3):
        with Service(tmp_path) as running:
            running.wait_until_up()
            assert running.ask("/accounts/10099").status == 200
            assert running.ask("/health").status == 200
            os.kill(running.process.pid, signal.SIGKILL)
