"""The service as its clients meet it: running processes and sockets."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from accountservice.__main__ import MOST_WORKERS
from accountservice.network import own_address
from testing.program import Healthchecker
from testing.servers import free_port
from testing.service import HELD_UP, Service
from testing.waiting import PATIENCE, wait_until

UP = (200, b'{"status":"UP"}')
DOWN = (503, b'{"status":"Database unaccessible"}')


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
    "account in UTF-8": ("/accounts/%e2%82%ac", 404, b""),
    "account that is not UTF-8": ("/accounts/%ff", 404, b""),
    "account with bad encoding": ("/accounts/%zz", 404, b""),
    "long account": ("/accounts/" + "1" * 5000, 404, b""),
    "health": ("/health", 200, b'{"status":"UP"}'),
    "health with a slash": ("/health/", 404, b""),
    "root": ("/", 404, b""),
    "no state": ("/testability/healthy/", 404, b""),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status", "body"), ANSWERS.values(), ids=list(ANSWERS))
def test_each_route_gives_its_response(service: Service, path: str, status: int, body: bytes, method: str) -> None:
    answer = service.ask(path, method)
    assert (answer.status, answer.body) == (status, b"" if method == "HEAD" else body)
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers.get("content-type") == ("application/json" if body else None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/health", "/accounts/10000", "/testability/healthy/true"])
def test_another_method_on_a_known_path_is_405(service: Service, path: str, method: str) -> None:
    answer = service.ask(path, method)
    assert (answer.status, answer.body, answer.headers["allow"]) == (405, b"", "GET, HEAD")


def test_another_method_on_an_unknown_path_is_404(service: Service) -> None:
    assert service.ask("/nothing", "POST").status == 404


def health(service: Service) -> set[tuple[int, bytes]]:
    """Ask over so many connections that every worker is asked."""
    return {service.ask("/health")[::2] for _ in range(20)}


def test_the_original_session_word_for_word(service: Service, healthchecker: Healthchecker) -> None:
    check = f"-port={service.port}"
    run = healthchecker(check)
    assert (run.status, run.stdout, run.stderr) == (0, "", "")
    for false, true in (("0", "1"), ("f", "t"), ("F", "T"), ("FALSE", "TRUE"), ("false", "true"), ("False", "True")):
        assert service.ask(f"/testability/healthy/{false}")[::2] == (200, b"")
        assert health(service) == {DOWN}
        assert service.ask(f"/testability/healthy/{true}")[::2] == (200, b"")
        assert health(service) == {UP}
    service.ask("/testability/healthy/false")
    run = healthchecker(check)
    assert (run.status, run.stdout) == (1, "")
    assert "503 Service Unavailable, expected 200" in run.stderr
    assert run.stderr.endswith(': {"status":"Database unaccessible"}\n')
    service.ask("/testability/healthy/true")
    assert healthchecker(check).status == 0


@pytest.mark.parametrize("state", ["maybe", "yes", "tRUE", "2", "%00"])
def test_an_invalid_state_is_400_and_logged(service: Service, state: str) -> None:
    before = service.log.read_text()
    assert service.ask(f"/testability/healthy/{state}")[::2] == (400, b"")
    logged = service.log.read_text().removeprefix(before)
    assert logged == "Invalid request to SetHealthyState, allowed values are true or false\n"


@pytest.mark.parametrize("value", ["", "0", "true"])
def test_testability_exists_only_on_demand(tmp_path: Path, value: str) -> None:
    with Service(tmp_path, ACCOUNTSERVICE_TESTABILITY=value) as running:
        running.wait_until_up()
        assert running.ask("/testability/healthy/false").status == 404
        assert running.ask("/health").status == 200


def test_the_log_has_the_start_once(service: Service) -> None:
    assert [line for line in service.log.read_text().splitlines() if not line.startswith("Invalid request")] == [
        "Starting accountservice",
        "Seeded 100 fake accounts...",
        f"Starting HTTP service at {service.port}",
    ]


def test_a_dead_worker_is_replaced_and_the_state_stays(tmp_path: Path) -> None:
    with Service(tmp_path, ACCOUNTSERVICE_TESTABILITY="1") as running:
        running.wait_until_up()
        running.ask("/testability/healthy/false")
        wait_until("all workers run", lambda: len(running.workers()) == min(len(os.sched_getaffinity(0)), MOST_WORKERS))
        before = running.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(
            "the worker is replaced",
            lambda: set(before[1:]) < set(running.workers()) and before[0] not in running.workers(),
        )
        assert len(running.workers()) == len(before)
        running.wait_until_up()
        assert health(running) == {DOWN}
        assert running.log.read_text().splitlines()[3:] == ["Unexpected exit from worker-1"]
        assert running.stop() == 0


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"], ids=["full", "closed"])
def test_a_log_that_takes_no_line_is_no_fault(tmp_path: Path, redirection: str) -> None:
    with Service(tmp_path, "sh", "-c", f'exec "$@" {redirection}', "sh") as running:
        running.wait_until_up()
        worker = running.workers()[0]
        os.kill(worker, signal.SIGKILL)
        wait_until("the worker is replaced", lambda: worker not in (running.workers() or [worker]))
        running.wait_until_up()
        assert health(running) == {UP}
        assert running.stop() == 0


def test_a_log_without_a_reader_holds_nothing_up(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    redirected = Service(tmp_path, "sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{writing}', "sh")
    with redirected as running:
        running.wait_until_up()
        assert health(running) == {UP}
        assert running.stop() == 0
    os.close(reading)
    os.close(writing)


def test_workers_that_end_again_and_again_are_one_line_and_1(tmp_path: Path) -> None:
    with Service(tmp_path) as running:
        running.wait_until_up()

        def kill_workers() -> bool:
            with suppress(OSError):  # one has ended meanwhile
                for worker in running.workers():
                    os.kill(worker, signal.SIGKILL)
            return running.process.poll() is not None

        wait_until("the service gives up", kill_workers)
        assert running.process.returncode == 1
        exits = [line for line in running.log.read_text().splitlines()[3:] if not line.startswith("Unexpected exit")]
        assert exits == ["Worker crash loop detected, exiting"]


def test_workers_end_with_a_service_that_is_killed(tmp_path: Path) -> None:
    with Service(tmp_path) as running:
        running.wait_until_up()
        running.process.kill()
        wait_until("no worker listens", lambda: not running.listens())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_many_signals_are_one_stop_within_a_second(tmp_path: Path, number: int) -> None:
    with Service(tmp_path) as running:
        running.wait_until_up()
        with (
            socket.create_connection(("127.0.0.1", running.port)) as idle,
            socket.create_connection(("127.0.0.1", running.port)) as stuck,
        ):
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200 OK")
            stuck.sendall(b"GET /hea")
            started = time.monotonic()
            for _ in range(40):
                running.process.send_signal(number)
            assert running.process.wait(PATIENCE) == 0
            assert time.monotonic() - started < HELD_UP
        assert len(running.log.read_text().splitlines()) == 3


def test_a_terminals_interrupt_is_a_stop(tmp_path: Path) -> None:
    """It reaches all processes of the group."""
    with Service(tmp_path, "setsid") as running:
        running.wait_until_up()
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.process.wait(PATIENCE) == 0
        assert len(running.log.read_text().splitlines()) == 3


def test_a_terminal_that_closes_ends_the_service(tmp_path: Path) -> None:
    with Service(tmp_path, "env", "--default-signal=HUP") as running:  # also if the tests ignore it
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        assert running.process.wait(PATIENCE) == -signal.SIGHUP
        wait_until("no worker listens", lambda: not running.listens())


def test_nohup_keeps_the_service_from_a_terminals_end(tmp_path: Path) -> None:
    with Service(tmp_path, "nohup") as running:
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        assert running.ask("/health")[::2] == UP
        started = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - started < HELD_UP


def test_a_stop_under_load_cuts_no_response(tmp_path: Path) -> None:
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
                    except OSError:  # not yet accepted by the server, so not in flight
                        continue
                    outcomes.append(data)

        loads = [threading.Thread(target=load) for _ in range(4)]
        for thread in loads:
            thread.start()
        wait_until("there are 100 responses", lambda: len(outcomes) >= 100)
        assert running.stop() == 0
        for thread in loads:
            thread.join(PATIENCE)
        assert len(running.log.read_text().splitlines()) == 3
    # An empty outcome is a connection that the server closed before it read the request: at most one of each client's.
    assert outcomes.count(b"") <= len(loads)
    assert [data for data in outcomes if data and not data.endswith(b'"}')] == []


# A service whose health check takes its time, so that a request is certainly in flight.
SLOW_SERVICE = """
import os, sys, time
from accountservice.__main__ import main
from accountservice.store import Store

def slow(store):
    os.write(1, b"asked")
    time.sleep(0.3)

Store.check = slow
sys.argv[1:] = []
main()
"""


def test_a_request_in_flight_is_answered_at_a_stop(tmp_path: Path) -> None:
    with Service(tmp_path, sys.executable, "-c", SLOW_SERVICE) as running:
        running.wait_until_up()
        asked = running.log.read_text().count("asked")
        with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until("the request is in flight", lambda: running.log.read_text().count("asked") > asked)
            running.process.send_signal(signal.SIGTERM)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'{"status":"UP"}')
        assert running.process.wait(PATIENCE) == 0


ARGUMENTS = {"help": (["--help"], 0), "any": (["--port", "80"], 1)}


@pytest.mark.parametrize(("arguments", "status"), ARGUMENTS.values(), ids=list(ARGUMENTS))
def test_arguments_are_answered_with_the_usage(tmp_path: Path, arguments: list[str], status: int) -> None:
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


@pytest.mark.parametrize("package", ["granian", "lmdb"])
def test_installed_without_the_extra_it_says_in_one_line_how_to_get_it(tmp_path: Path, package: str) -> None:
    command = [sys.executable, "-c", WITHOUT, package]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=PATIENCE)
    remedy = "install it, in a clone of the project: pip install '.[service]'"
    line = f"Cannot run: there is no package {package}; {remedy}\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


FAILURES = {
    "port that is a word": ({"ACCOUNTSERVICE_PORT": "abc"}, "Cannot run: ACCOUNTSERVICE_PORT: 'abc' is not a port"),
    "port out of range": ({"ACCOUNTSERVICE_PORT": "65536"}, "Cannot run: ACCOUNTSERVICE_PORT: '65536' is not a port"),
    "no such folder": (
        {"ACCOUNTSERVICE_DB": "/nonexistent/a.db"},
        "Cannot run: cannot open the store '/nonexistent/a.db': no such file or directory",
    ),
    "store is a folder": ({"ACCOUNTSERVICE_DB": "/"}, "Cannot run: cannot open the store '/': it is not a file"),
    "store with a line end": (
        {"ACCOUNTSERVICE_DB": "/nonexistent/a\nCannot run: \x1b[31m"},
        r"Cannot run: cannot open the store '/nonexistent/a\nCannot run: \x1b[31m': no such file or directory",
    ),
}


@pytest.mark.parametrize(("environ", "words"), FAILURES.values(), ids=list(FAILURES))
def test_a_service_that_cannot_run_is_one_line_and_1(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    with Service(tmp_path, **environ) as failing:
        assert failing.process.wait(PATIENCE) == 1
        first, line = failing.log.read_text().splitlines()
    assert first == "Starting accountservice"
    assert line.startswith(words)


def test_too_few_open_files_are_one_line_and_1(tmp_path: Path) -> None:
    with Service(tmp_path, "prlimit", "--nofile=63") as failing:
        assert failing.process.wait(PATIENCE) == 1
        line = failing.log.read_text().splitlines()[1:]
    assert line == ["Cannot run: 63 open files are too few; allow 64 at least (ulimit -n)"]


@pytest.mark.parametrize("holder", ["another account service", "another program"])
def test_a_port_in_use_is_one_line_and_1(service: Service, tmp_path: Path, holder: str) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as program:
        port = service.port if holder == "another account service" else program.getsockname()[1]
        with Service(tmp_path, ACCOUNTSERVICE_PORT=str(port)) as second:
            assert second.process.wait(PATIENCE) == 1
            assert second.log.read_text().splitlines()[1:] == [f"Cannot run: port {port}: address already in use"]
    assert service.ask("/health").status == 200


def test_of_two_that_start_at_once_on_one_port_one_runs(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    port = str(free_port())
    with Service(folders[0], ACCOUNTSERVICE_PORT=port) as one, Service(folders[1], ACCOUNTSERVICE_PORT=port) as other:
        wait_until("one has ended", lambda: one.process.poll() is not None or other.process.poll() is not None)
        assert sorted([one.process.poll() is None, other.process.poll() is None]) == [False, True]


def test_a_service_that_was_killed_starts_again_with_every_account_right(tmp_path: Path) -> None:
    for _ in range(3):
        with Service(tmp_path) as running:
            running.wait_until_up()
            for number in range(100):
                assert f'"Person_{number}"'.encode() in running.ask(f"/accounts/{10000 + number}").body
            assert running.ask("/health")[::2] == UP
            running.process.kill()
