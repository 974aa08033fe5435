"""What can be wrong with a store, or come over a connection: health tells the truth, and no account is wrong."""

import http.client
import json
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import lmdb
import pytest

from accountservice.store import MAP_SIZE, SEEDS, Store, sealed
from testing.limits import limited_to
from testing.privileges import needs_root
from testing.servers import free_port
from testing.service import HELD_UP, Service
from testing.waiting import PATIENCE

UP = (200, b'{"status":"UP"}')
DOWN = (503, b'{"status":"Database unaccessible"}')


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The file of a seeded store."""
    path = tmp_path / "accounts.db"
    with Store(str(path)) as made:
        made.seed()
    return path


@contextmanager
def running(folder: Path, **environ: str) -> Iterator[Service]:
    with Service(folder, **environ) as service:
        service.wait_until_up()
        yield service


def told(service: Service) -> list[str]:
    """The lines of the log behind those of the start."""
    return service.log.read_text().splitlines()[3:]


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of the file in place."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data
    with path.open("r+b") as file:
        start = data.index(old)
        while start >= 0:
            file.seek(start)
            file.write(new)
            start = data.find(old, start + 1)


def write(path: Path, key: bytes, record: bytes | None) -> None:
    """Put another record into the store, or none, as a program of others might."""
    with lmdb.open(str(path), subdir=False) as environment, environment.begin(write=True) as transaction:
        if record is None:
            transaction.delete(key)
        else:
            transaction.put(key, record)


def replace(path: Path) -> None:
    """Another store in its place."""
    with Store(f"{path}.new") as other:
        other.seed()
    Path(f"{path}.new").replace(path)


FOREIGN = SEEDS[b"10051"]
UNDER_THE_SERVICE: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "the store is gone: "),
    "replaced": (replace, "the store is gone: '.*accounts.db' is another file now"),
    "truncated": (lambda path: os.truncate(path, 8192), "the store was cut short: 8192 bytes are left of "),
    "emptied": (lambda path: os.truncate(path, 0), "the store was cut short: 0 bytes are left of "),
    "another name": (lambda path: overwrite(path, b"Person_50", b"Person_70"), "the store has damaged account 10050"),
    "another key": (lambda path: overwrite(path, b"10050", b"1005x"), "the store has lost account 10050"),
    "another's record": (lambda path: write(path, b"10050", FOREIGN), "the store has damaged account 10050"),
    "no record": (lambda path: write(path, b"10050", None), "the store has lost account 10050"),
    "an empty record": (lambda path: write(path, b"10050", b""), "the store has damaged account 10050"),
    "a deep record": (lambda path: write(path, b"10050", b"[" * 9999), "the store has damaged account 10050"),
}


@pytest.mark.parametrize(("fault", "words"), UNDER_THE_SERVICE.values(), ids=list(UNDER_THE_SERVICE))
def test_a_fault_under_the_service_is_503_and_one_line(
    tmp_path: Path, fault: Callable[[Path], object], words: str
) -> None:
    with running(tmp_path) as service:
        assert service.ask("/health")[::2] == UP
        fault(tmp_path / "accounts.db")
        for _ in range(3):
            assert service.ask("/health")[::2] == DOWN
        assert len(told(service)) == 1
        assert re.match(f"Health check failed: {words}", told(service)[0])
        assert service.stop() == 0


DAMAGED = ["another name", "another key", "another's record", "no record", "an empty record", "a deep record"]


def test_health_that_passes_again_is_told_and_so_is_the_next_fault(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        for _ in range(2):
            (tmp_path / "accounts.db").rename(tmp_path / "away")
            assert service.ask("/health")[::2] == service.ask("/health")[::2] == DOWN
            (tmp_path / "away").rename(tmp_path / "accounts.db")
            assert service.ask("/health")[::2] == service.ask("/health")[::2] == UP
        fault = told(service)[0]
        assert fault.startswith("Health check failed: the store is gone: ")
        assert told(service) == [fault, "Health check passes again"] * 2


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_account_is_not_served(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as service:
        UNDER_THE_SERVICE[name][0](tmp_path / "accounts.db")
        assert service.ask("/accounts/10050")[::2] == DOWN
        assert service.ask("/accounts/10049").status == 200
        assert told(service)[0].startswith("Account not served: the store has ")


def test_a_record_under_a_key_that_is_not_its_own_is_not_served(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        write(tmp_path / "accounts.db", b"99999", SEEDS[b"10003"])
        write(tmp_path / "accounts.db", b"99998", sealed(b"99998", b'{"id":"99998","name":"New"}'))
        assert service.ask("/accounts/99999").status == 503
        assert json.loads(service.ask("/accounts/99998").body)["name"] == "New"
        assert service.ask("/health")[::2] == UP


def test_a_page_that_is_not_there_ends_the_process_with_one_line(tmp_path: Path) -> None:
    """The newer of LMDB's two first pages (mdb.c, struct MDB_meta) says that the accounts are behind the file's end."""
    with running(tmp_path) as service:
        with (tmp_path / "accounts.db").open("r+b") as file:
            file.seek(4096 + 128)
            root, last_page, transaction = struct.unpack("<QQQ", file.read(24))
            assert (root, transaction) == (last_page, 1)
            file.seek(4096 + 128)
            file.write(struct.pack("<QQ", 2000, 3000))
        with pytest.raises((http.client.HTTPException, OSError)):
            service.ask("/accounts/10050")
        assert service.process.wait(PATIENCE) == 1
        assert told(service) == [
            "Ended by SIGBUS: the store's file, or its lock file, is damaged, or was cut short while in use"
        ]


def test_no_damage_to_the_file_gives_a_wrong_account(tmp_path: Path) -> None:
    dice = random.Random(1)
    for trial in range(12):
        folder = tmp_path / str(trial)
        folder.mkdir()
        with running(folder) as service:
            size = (folder / "accounts.db").stat().st_size
            with (folder / "accounts.db").open("r+b") as file:
                for _ in range(20):
                    file.seek(dice.randrange(size))
                    file.write(dice.randbytes(1))
            assert_truthful(service)
        assert service.process.wait(PATIENCE) in (-signal.SIGKILL, 1, -signal.SIGABRT)
        if service.process.returncode == 1:
            assert told(service)[-1].startswith("Ended by SIG")


def assert_truthful(service: Service) -> None:
    """Each answer is right or 503, and no account is missing while health says up; until the process may end."""
    try:
        healthy = service.ask("/health")[::2] == UP
        for number in range(100):
            answer = service.ask(f"/accounts/{10000 + number}")
            assert answer.status == 200 if healthy else answer.status in (200, 503)
            if answer.status == 200:
                account = json.loads(answer.body)
                assert (account["id"], account["name"]) == (str(10000 + number), f"Person_{number}")
    except (http.client.HTTPException, OSError):
        assert service.process.wait(PATIENCE) in (1, -signal.SIGABRT)


def instead(path: Path, make: Callable[[], None]) -> None:
    """Something else in the file's place."""
    path.unlink()
    make()


BEFORE_THE_START: dict[str, Callable[[Path], object]] = {
    "no store": lambda path: path.write_bytes(b"no database" * 1000),
    "a byte": lambda path: path.write_bytes(b"x"),
    "a folder": lambda path: instead(path, path.mkdir),
    "a pipe": lambda path: instead(path, lambda: os.mkfifo(path)),
    "a link to nothing": lambda path: instead(path, lambda: path.symlink_to("/nonexistent/store")),
    "cut off": lambda path: os.truncate(path, 8192),
    "cut off within a page": lambda path: os.truncate(path, 12289),
    "one page": lambda path: os.truncate(path, 4096),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("fault", BEFORE_THE_START.values(), ids=list(BEFORE_THE_START))
def test_a_store_that_cannot_be_used_is_one_line_and_1(store: Path, fault: Callable[[Path], object]) -> None:
    Path(f"{store}-lock").unlink()
    fault(store)
    before = sorted(store.parent.iterdir())
    with Service(store.parent) as service:
        assert service.process.wait(PATIENCE) == 1
        first, line = service.log.read_text().splitlines()
    assert first == "Starting accountservice"
    assert line.startswith(("Cannot run: cannot open the store '", "Ended by SIGBUS: the store's file"))
    if line.startswith("Cannot"):
        assert sorted(store.parent.iterdir()) == sorted([*before, service.log])


def test_a_store_that_was_emptied_is_seeded_anew(store: Path) -> None:
    os.truncate(store, 0)
    with running(store.parent) as service:
        assert service.ask("/accounts/10099").status == 200


def test_a_damaged_account_is_seeded_anew_at_the_start(store: Path) -> None:
    write(store, b"10050", b"x")
    with running(store.parent) as service:
        assert service.ask("/accounts/10050").status == 200


def test_a_store_that_is_whole_is_not_written(store: Path) -> None:
    before = store.read_bytes()
    for _ in range(3):
        with running(store.parent):
            pass
    assert store.read_bytes() == before


@needs_root
@pytest.mark.parametrize("pages", [13, 14, 15, 16])
def test_a_full_disk_is_one_line_and_leaves_nothing_that_would_not_start(tmp_path: Path, pages: int) -> None:
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
    assert done.stderr.count("\n") == 2
    assert done.stderr.splitlines()[1].startswith("Cannot run: cannot ")


@needs_root
def test_a_store_that_cannot_be_written_is_one_line_and_1(store: Path) -> None:
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    log = Path(f"{store.parent}.log")
    with log.open("wb") as errors:
        status = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, str(store.parent), sys.executable, "-m", "accountservice"],
            env={"PATH": os.environ["PATH"], "ACCOUNTSERVICE_PORT": str(free_port()), "ACCOUNTSERVICE_DB": str(store)},
            stderr=errors,
            timeout=PATIENCE,
        ).returncode
    line = f"Cannot run: cannot open the store '{store}': read-only file system"
    assert (status, log.read_text().splitlines()[1:]) == (1, [line])


def test_a_store_that_is_full_is_one_line_and_1_and_stays_as_it_is(store: Path) -> None:
    write(store, b"10050", None)
    with lmdb.open(str(store), subdir=False, map_size=MAP_SIZE) as environment:
        for size in (4096, 64, 1):
            with suppress(lmdb.MapFullError):
                for number in range(10_000):
                    with environment.begin(write=True) as transaction:
                        transaction.put(f"{size}-{number}".encode(), bytes(size))
    before = store.stat().st_size
    with Service(store.parent) as service:
        assert service.process.wait(PATIENCE) == 1
        (line,) = service.log.read_text().splitlines()[1:]
    assert line.startswith("Cannot run: cannot seed the store: ")
    assert "MDB_MAP_FULL" in line
    assert store.stat().st_size == before


HOLDER = """
import lmdb, sys, time
environment = lmdb.open(sys.argv[1], subdir=False, map_size=1 << 24)
transaction = environment.begin(write=True)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(store: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the store's write transaction."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(store)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    try:
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def test_a_start_that_another_process_keeps_waiting_is_one_line_and_1(store: Path) -> None:
    write(store, b"10050", b"x")  # so that there is something to write
    with held(store), Service(store.parent) as service:
        assert service.process.wait(PATIENCE) == 1
        assert service.log.read_text().splitlines()[1:] == [
            "Cannot run: another process has kept the store locked for 5 seconds; end it, or wait"
        ]


def test_sigterm_ends_a_start_that_waits(store: Path) -> None:
    write(store, b"10050", b"x")
    with held(store), Service(store.parent) as service:
        wait_for_line(service, "Starting accountservice")
        assert service.stop() == 0


def test_a_killed_holder_of_the_lock_keeps_nobody_waiting(store: Path) -> None:
    write(store, b"10050", b"x")
    with held(store) as holder, Service(store.parent) as service:
        wait_for_line(service, "Starting accountservice")
        holder.kill()
        service.wait_until_up()
        assert service.ask("/accounts/10050").status == 200


def wait_for_line(service: Service, line: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while line not in service.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_store_in_use_by_others_is_served_all_the_same(store: Path) -> None:
    folder = store.parent / "second"
    folder.mkdir()
    with running(store.parent) as one, held(store), running(folder, ACCOUNTSERVICE_DB=str(store)) as other:
        for service in (one, other):
            assert service.ask("/health")[::2] == UP
            assert service.ask("/accounts/10042").status == 200


READERS = """
import lmdb, sys, time
environment = lmdb.open(sys.argv[1], subdir=False, map_size=1 << 24, readonly=True, max_spare_txns=0)
transactions = []
try:
    while True:
        transactions.append(environment.begin())
except lmdb.ReadersFullError:
    pass
print("full", flush=True)
time.sleep(60)
"""


def test_readers_that_were_killed_keep_no_place(store: Path) -> None:
    with running(store.parent) as service:
        readers = subprocess.Popen([sys.executable, "-c", READERS, str(store)], stdout=subprocess.PIPE)
        assert readers.stdout
        assert readers.stdout.readline() == b"full\n"
        assert service.ask("/health").status in (200, 503)
        readers.kill()
        readers.communicate()
        assert service.ask("/health")[::2] == UP


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
def test_a_thousand_clients_do_not_keep_the_health_check_out(tmp_path: Path, data: bytes) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    with running(tmp_path) as service, connections(service, 1000, data):
        assert_soon_healthy(service)
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < HELD_UP


def assert_soon_healthy(service: Service) -> None:
    """See it answer within two seconds, of which those do not count that other processes have the cores."""
    started = time.monotonic() - delayed(service)
    assert service.ask("/health")[::2] == UP
    assert time.monotonic() - delayed(service) - started < 2


def delayed(service: Service) -> float:
    """Return for how long the process was ready to run and had no core (Linux, Documentation/scheduler/sched-stats)."""
    _, nanoseconds, _ = Path(f"/proc/{service.process.pid}/schedstat").read_text().split()
    return int(nanoseconds) / 1e9


def test_a_client_that_is_slow_is_given_up(tmp_path: Path) -> None:
    with running(tmp_path) as service, connections(service, 1, b"GET /hea") as (client,):
        started = time.monotonic()
        while client.recv(1000):
            pass
        assert time.monotonic() - started < 15


def test_a_client_that_takes_no_answers_is_given_up(tmp_path: Path) -> None:
    requests = b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
    with running(tmp_path) as service, connections(service, 1) as (client,):
        given_up = time.monotonic() + 15
        with suppress(ConnectionResetError, BrokenPipeError):
            while time.monotonic() < given_up:
                client.sendall(requests)
        assert time.monotonic() < given_up
        assert service.ask("/health")[::2] == UP


def test_of_many_that_come_at_once_all_are_answered_where_there_are_few_places(tmp_path: Path) -> None:
    with Service(tmp_path, "prlimit", "--nofile=64") as service:
        service.wait_until_up()
        service.process.send_signal(signal.SIGSTOP)
        with connections(service, 60, b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\n\r\n") as clients:
            service.process.send_signal(signal.SIGCONT)
            assert [client.recv(12) for client in clients] == [b"HTTP/1.1 200"] * 60


def test_more_open_files_than_reckoned_with_are_no_matter(tmp_path: Path) -> None:
    files = 'for i in $(seq 3 60); do eval "exec $i</dev/null"; done; exec "$@"'
    with Service(tmp_path, "prlimit", "--nofile=100", "bash", "-c", files, "bash") as service:
        service.wait_until_up()
        with connections(service, 90):
            assert service.ask("/health")[::2] == UP
            used = processor_seconds(service)
            time.sleep(0.5)
            assert processor_seconds(service) - used < 0.3


def test_a_store_that_was_found_wrong_is_not_read(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        os.truncate(tmp_path / "accounts.db", 0)
        requests = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" + 3 * b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\n\r\n"
        with connections(service, 1, requests) as (client,):
            replies = b""
            while replies.count(b"HTTP/1.1 ") < 4 and (piece := client.recv(65536)):
                replies += piece
        assert replies.count(b"HTTP/1.1 503") == 4


@pytest.mark.parametrize("taken", [0, 1], ids=["at once", "when the reply begins"])
def test_clients_that_break_off_are_no_matter(tmp_path: Path, taken: int) -> None:
    request = b"GET /accounts/10000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with running(tmp_path) as service:
        for _ in range(1000):
            with connections(service, 1, request) as (client,):
                client.recv(taken)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert service.ask("/health")[::2] == UP
        assert told(service) == []


def test_where_all_places_are_taken_who_waits_longest_makes_room(tmp_path: Path) -> None:
    with Service(tmp_path, "prlimit", "--nofile=64") as service:
        service.wait_until_up()
        with connections(service, 100):
            assert_soon_healthy(service)


def test_few_open_files_are_enough_and_never_run_out(tmp_path: Path) -> None:
    with Service(tmp_path, "prlimit", "--nofile=64") as service:
        service.wait_until_up()
        with connections(service, 100):
            used = processor_seconds(service)
            time.sleep(0.5)
            assert processor_seconds(service) - used < 0.3
        assert service.ask("/health")[::2] == UP
        with connections(service, 100):
            assert service.stop() == 0


@pytest.mark.parametrize("files", [20, 40, 63])
def test_too_few_open_files_are_one_line_and_1(tmp_path: Path, files: int) -> None:
    with Service(tmp_path, "prlimit", f"--nofile={files}") as service:
        assert service.process.wait(PATIENCE) == 1
        assert service.log.read_text().splitlines()[1:] == [
            f"Cannot run: {files} open files are too few; allow 64 at least (ulimit -n)"
        ]


@needs_root
def test_no_thread_to_be_had_is_one_line_and_1(tmp_path: Path) -> None:
    with Service(tmp_path, *limited_to(1)) as service:
        assert service.process.wait(PATIENCE) == 1
        assert service.log.read_text().splitlines()[1:] == ["Cannot run: RuntimeError: can't start new thread"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_many_stops_are_one(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as service:
        for _ in range(40):
            service.process.send_signal(number)
        assert service.process.wait(PATIENCE) == 0
        assert told(service) == []


def processor_seconds(service: Service) -> float:
    """What the process has used of a processor's time."""
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


ODD = {
    "1 MB of path": (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (b"414", b"431", b"")),
    "1 MB of header": (b"GET /health HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n", (b"431", b"")),
    "100,000 headers": (b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 100_000 + b"\r\n", (b"431", b"")),
    "bad encoding": (b"GET /accounts/% HTTP/1.1\r\nHost: a\r\n\r\n", (b"404", b"400")),
    "NUL": (b"GET /accounts/10000%00 HTTP/1.1\r\nHost: a\r\n\r\n", (b"404",)),
    "raw NUL": (b"GET /accounts/10000\0 HTTP/1.1\r\nHost: a\r\n\r\n", (b"400", b"")),
    "overlong encoding": (b"GET /accounts/%c0%ae HTTP/1.1\r\nHost: a\r\n\r\n", (b"404", b"400")),
    "escapes": (b"GET /accounts/%1b%5b31m%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", (b"404",)),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, (b"400", b"")),
    "garbage": (b"\xff" * 1000 + b"\r\n\r\n", (b"400", b"")),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (b"400", b"404", b"")),
    "asterisk": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", (b"400", b"404", b"")),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("odd")) as service:
        yield service


@pytest.mark.parametrize(("data", "statuses"), ODD.values(), ids=list(ODD))
def test_an_odd_request_is_refused_and_nothing_more(service: Service, data: bytes, statuses: tuple[bytes, ...]) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as client:
        reply = b""
        try:
            client.sendall(data)
            reply = client.recv(1000)
        except OSError:
            pass
    assert reply[9:12] in statuses
    assert service.ask("/health")[::2] == UP
    assert told(service) == []


def assert_not_held_up(service: Service) -> None:
    """It logs more than any pipe or terminal takes, and answers and stops as always."""
    service.wait_until_up()
    for _ in range(2000):
        assert service.ask("/testability/healthy/x").status == 400
    assert service.ask("/health")[::2] == UP
    assert service.stop() == 0


class UnreadService(Service):
    """One whose log goes to a pipe that nobody reads."""

    errors = subprocess.PIPE


def test_a_terminal_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    try:

        class OnTerminal(Service):
            errors = terminal

        with OnTerminal(tmp_path, ACCOUNTSERVICE_TESTABILITY="1") as service:
            assert_not_held_up(service)
    finally:
        os.close(reader)
        os.close(terminal)


def test_a_log_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    with UnreadService(tmp_path, ACCOUNTSERVICE_TESTABILITY="1") as service:
        assert_not_held_up(service)


def test_a_name_of_the_store_cannot_forge_a_line(tmp_path: Path) -> None:
    with Service(tmp_path, ACCOUNTSERVICE_DB="/nonexistent/a\nCannot run: \x1b[31m") as service:
        assert service.process.wait(PATIENCE) == 1
        lines = service.log.read_text()
    assert lines.count("\n") == 2
    assert lines.replace("\n", "").isprintable()


def test_killed_under_load_it_starts_again_with_every_account_right(tmp_path: Path) -> None:
    wrong: list[bytes] = []
    for _ in range(5):
        with running(tmp_path) as service:
            stop = threading.Event()

            def load(service: Service = service, stop: threading.Event = stop) -> None:
                while not stop.is_set():
                    try:
                        answer = service.ask("/accounts/10007")
                    except (http.client.HTTPException, OSError):  # it was killed meanwhile
                        return
                    if answer.status != 200 or b'"id":"10007","name":"Person_7"' not in answer.body:
                        wrong.append(answer.body)

            loads = [threading.Thread(target=load) for _ in range(4)]
            for thread in loads:
                thread.start()
            for number in range(100):
                assert f'"Person_{number}"'.encode() in service.ask(f"/accounts/{10000 + number}").body
            assert service.ask("/health")[::2] == UP
            service.process.kill()
            service.process.wait()
            stop.set()
            for thread in loads:
                thread.join(PATIENCE)
    assert wrong == []
