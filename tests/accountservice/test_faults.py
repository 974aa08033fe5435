"""A damaged store, and clients that misbehave: health is right, and no account is wrong."""

import http.client
import json
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import lmdb
import pytest

from accountservice.store import FULL_CHECK_INTERVAL, SEEDS, Store, sealed
from testing.privileges import needs_root
from testing.servers import free_port
from testing.service import HELD_UP, Service
from testing.waiting import PATIENCE, wait_until

UP = (200, b'{"status":"UP"}')
DOWN = (503, b'{"status":"Database unaccessible"}')


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The file of a seeded store."""
    path = tmp_path / "accounts.db"
    Store(path).close()
    return path


@contextmanager
def running(folder: Path, *limits: str, **environ: str) -> Iterator[Service]:
    with Service(folder, *limits, **environ) as service:
        service.wait_until_up()
        yield service


def logged(service: Service) -> list[str]:
    """Return the lines of the log behind those of the start."""
    return service.log.read_text().splitlines()[3:]


def wait_for_health(service: Service, expected: tuple[int, bytes]) -> None:
    """Return when every worker answers so; all accounts are compared once a second."""
    wait_until(f"health is {expected}", lambda: service.ask("/health")[::2] == expected)
    assert {service.ask("/health")[::2] for _ in range(20)} == {expected}


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of the file in place."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data
    with path.open("r+b") as file:
        file.write(data.replace(old, new))


def write(path: Path, key: bytes, record: bytes | None) -> None:
    """Put another record into the store, or none, as another program might."""
    with lmdb.open(str(path), subdir=False, lock=False) as environment, environment.begin(write=True) as transaction:
        if record is None:
            transaction.delete(key)
        else:
            transaction.put(key, record)


def replace(path: Path) -> None:
    """Put another store in its place."""
    other = Path(f"{path}.other")
    Store(other).close()
    other.replace(path)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "the store is gone: no such file or directory"),
    "replaced": (replace, "the store is gone: '.*accounts.db' is another file now"),
    "truncated": (lambda path: os.truncate(path, 8192), "the store was cut short: 8192 bytes are left of "),
    "emptied": (lambda path: os.truncate(path, 0), "the store was cut short: 0 bytes are left of "),
    "another name": (lambda path: overwrite(path, b"Person_50", b"Person_70"), "the store has damaged account 10050"),
    "another key": (lambda path: overwrite(path, b"10050", b"1005x"), "the store has lost account 10050"),
    "another's record": (lambda path: write(path, b"10050", SEEDS[b"10051"]), "the store has damaged account 10050"),
    "no record": (lambda path: write(path, b"10050", None), "the store has lost account 10050"),
    "an empty record": (lambda path: write(path, b"10050", b""), "the store has damaged account 10050"),
    "a deep record": (lambda path: write(path, b"10050", b"[" * 9999), "the store has damaged account 10050"),
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_under_the_service_is_503_and_one_line(
    tmp_path: Path, fault: Callable[[Path], object], words: str
) -> None:
    with running(tmp_path) as service:
        wait_for_health(service, UP)
        fault(tmp_path / "accounts.db")
        wait_for_health(service, DOWN)
        assert service.ask("/accounts/10050")[::2] == DOWN
        (line,) = logged(service)
        assert re.match(f"Health check failed: {words}", line)
        assert service.stop() == 0


def test_recovery_is_logged_and_so_is_the_next_fault(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        for _ in range(2):
            (tmp_path / "accounts.db").rename(tmp_path / "away")
            wait_for_health(service, DOWN)
            (tmp_path / "away").rename(tmp_path / "accounts.db")
            wait_for_health(service, UP)
        fault = "Health check failed: the store is gone: no such file or directory"
        assert logged(service) == [fault, "Health check passes again"] * 2


@pytest.mark.parametrize("name", [name for name in FAULTS if " " in name])
def test_a_damaged_account_is_not_served_and_health_notices(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as service:
        FAULTS[name][0](tmp_path / "accounts.db")
        assert service.ask("/accounts/10050")[::2] == DOWN
        assert service.ask("/health")[::2] == DOWN
        assert service.ask("/accounts/10049").status == 200
        (line,) = logged(service)
        assert re.match(f"Account not served: {FAULTS[name][1]}", line)


def test_a_record_under_a_key_that_is_not_its_own_is_not_served(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        write(tmp_path / "accounts.db", b"99999", SEEDS[b"10003"])
        write(tmp_path / "accounts.db", b"99998", sealed(b"99998", b'{"id":"99998","name":"New"}'))
        assert service.ask("/accounts/99999").status == 503
        assert json.loads(service.ask("/accounts/99998").body)["name"] == "New"
        assert service.ask("/health")[::2] == UP


def test_a_page_that_is_not_there_ends_a_worker_and_its_successor_reports_it(tmp_path: Path) -> None:
    """The newer of LMDB's two first pages (mdb.c, struct MDB_meta) says that the accounts are behind the file's end."""
    with running(tmp_path) as service:
        wait_for_health(service, UP)
        with (tmp_path / "accounts.db").open("r+b") as file:
            file.seek(4096 + 128)
            root, last_page, transaction = struct.unpack("<QQQ", file.read(24))
            assert (root, transaction) == (last_page, 1)
            file.seek(4096 + 128)
            file.write(struct.pack("<QQ", 2000, 3000))
        with pytest.raises((http.client.HTTPException, OSError)):
            service.ask("/accounts/10050")
        wait_until("health fails", lambda: answered(service, "/health") == DOWN and "Health" in service.log.read_text())
        exits = [line for line in logged(service) if re.fullmatch(r"Unexpected exit from worker-\d", line)]
        assert exits
        (line,) = [line for line in logged(service) if line not in exits]
        assert line.startswith("Health check failed: the store was cut short: ")


def test_no_damage_to_the_file_gives_a_wrong_account(tmp_path: Path) -> None:
    dice = random.Random(1)
    for trial in range(10):
        folder = tmp_path / str(trial)
        folder.mkdir()
        with running(folder) as service:
            size = (folder / "accounts.db").stat().st_size
            with (folder / "accounts.db").open("r+b") as file:
                for _ in range(20):
                    file.seek(dice.randrange(size))
                    file.write(dice.randbytes(1))
            answers = [answered(service, f"/accounts/{10000 + number}") for number in range(100)]
            for number, (status, body) in enumerate(answers):
                assert status == 503 or json.loads(body)["name"] == f"Person_{number}"
            time.sleep(FULL_CHECK_INTERVAL)
            if answered(service, "/health") == UP:
                assert {status for status, _ in answers} == {200}


def answered(service: Service, path: str) -> tuple[int, bytes]:
    """Return the response; 503 where a worker has ended, or the service."""
    try:
        return service.ask(path)[::2]
    except (http.client.HTTPException, OSError):
        return DOWN


def instead(path: Path, make: Callable[[], None]) -> None:
    """Put something else in the file's place."""
    path.unlink()
    make()


def point_outside(path: Path) -> None:
    """Let the first two nodes of each page lie behind the end of the file."""
    with path.open("r+b") as file:
        for page in range(2 * 4096, path.stat().st_size, 4096):
            file.seek(page + 16)  # mp_ptrs (mdb.c)
            file.write(b"\xff" * 4)


BEFORE_THE_START: dict[str, tuple[Callable[[Path], object], str]] = {
    "not a store": (
        lambda path: path.write_bytes(b"no database" * 1000),
        "cannot open the store '.*': file is not an LMDB file",
    ),
    "a folder": (lambda path: instead(path, path.mkdir), "cannot open the store '.*': it is not a file"),
    "a pipe": (lambda path: instead(path, lambda: os.mkfifo(path)), "cannot open the store '.*': it is not a file"),
    "a link to nothing": (
        lambda path: instead(path, lambda: path.symlink_to("/nonexistent/store")),
        "cannot open the store '.*': no such file or directory",
    ),
    "empty": (lambda path: os.truncate(path, 0), "the store was cut short: 0 bytes are left of "),
    "cut off": (lambda path: os.truncate(path, 8192), "the store was cut short: 8192 bytes are left of "),
    "cut off within a page": (lambda path: os.truncate(path, 12289), "the store was cut short: 12289 bytes are left"),
    "zeros": (lambda path: path.write_bytes(bytes(path.stat().st_size)), "cannot open the store '.*': file is not an"),
    "damaged": FAULTS["another name"],
    "damaged so that LMDB crashes": (point_outside, "the store is damaged: reading it ended with SIGBUS"),
}


@pytest.mark.parametrize(("fault", "words"), BEFORE_THE_START.values(), ids=list(BEFORE_THE_START))
def test_a_store_that_cannot_be_used_is_one_line_and_1_and_stays(
    store: Path, fault: Callable[[Path], object], words: str
) -> None:
    fault(store)
    before = sorted(store.parent.iterdir())
    with Service(store.parent) as service:
        assert service.process.wait(PATIENCE) == 1
        first, line = service.log.read_text().splitlines()
    assert first == "Starting accountservice"
    assert re.match(f"Cannot run: {words}", line)
    assert sorted(store.parent.iterdir()) == sorted([*before, service.log])


@needs_root
@pytest.mark.parametrize("pages", [13, 14, 15])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, pages: int) -> None:
    script = f"""
        mount -t tmpfs -o size=64k none {tmp_path} && cd {tmp_path}
        head -c {pages * 4096} /dev/zero >filler
        {sys.executable} -m accountservice; echo $?; ls
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env={"PATH": os.environ["PATH"], "ACCOUNTSERVICE_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.split() == ["1", "filler"]
    (line,) = done.stderr.splitlines()[1:]
    words = "Cannot run: cannot open the store 'accounts.db': (no space left on device|input/output error)"
    assert re.fullmatch(words, line)


@needs_root
def test_a_store_on_a_read_only_file_system_is_served(store: Path) -> None:
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    folder = store.parent / "log"
    folder.mkdir()
    limits = ["unshare", "--mount", "sh", "-c", script, str(store.parent)]
    with running(folder, *limits, ACCOUNTSERVICE_DB=str(store)) as service:
        assert service.ask("/health")[::2] == UP
        assert service.ask("/accounts/10099").status == 200


def test_a_store_that_another_process_writes_to_is_served(store: Path) -> None:
    with (
        lmdb.open(str(store), subdir=False) as environment,
        environment.begin(write=True) as transaction,
        running(store.parent) as service,
    ):
        transaction.put(b"other", b"record")
        assert service.ask("/health")[::2] == UP
        assert service.ask("/accounts/10042").status == 200


@contextmanager
def connections(service: Service, number: int, data: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many clients that have connected and sent this."""
    with ExitStack() as stack:
        clients = []
        for _ in range(number):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE))
            client.sendall(data)
            clients.append(client)
        yield clients


HOLDERS = {
    "idle": b"",
    "never reading": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 400,
    "in the middle of a request": b"GET /hea",
    "kept alive": b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("data", HOLDERS.values(), ids=list(HOLDERS))
def test_a_thousand_clients_hold_up_neither_health_nor_a_stop(tmp_path: Path, data: bytes) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    with running(tmp_path) as service, connections(service, 1000, data):
        started = time.monotonic()
        assert service.ask("/health")[::2] == UP
        assert time.monotonic() - started < HELD_UP
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < HELD_UP


@pytest.mark.parametrize("data", [b"", b"GET /hea"], ids=["idle", "slow"])
def test_a_client_that_sends_no_request_is_given_up(tmp_path: Path, data: bytes) -> None:
    with running(tmp_path) as service, connections(service, 1, data) as (client,):
        started = time.monotonic()
        while client.recv(1000):
            pass
        assert time.monotonic() - started < 15


def test_at_the_limit_on_open_files_the_service_waits_and_serves_on(tmp_path: Path) -> None:
    with running(tmp_path, "prlimit", "--nofile=64") as service:
        with connections(service, 200):
            used = processor_seconds(service)
            time.sleep(0.5)
            assert processor_seconds(service) - used < 0.3
        assert service.ask("/health")[::2] == UP
        assert service.stop() == 0


def processor_seconds(service: Service) -> float:
    """Return what the workers have used of the processors' time."""
    fields = [Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split() for worker in service.workers()]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")
