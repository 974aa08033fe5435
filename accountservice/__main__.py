"""`python -m accountservice` and the console script: the settings, the store, and a worker for each core."""

import ctypes
import logging
import multiprocessing
import os
import re
import resource
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from accountservice.network import own_address

try:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from accountservice.app import App
    from accountservice.store import SEEDED_ACCOUNTS, Store, StoreError
except ModuleNotFoundError as error:  # installed without the extra
    sys.exit(
        f"Cannot run: there is no package {error.name}; install it, in a clone of the project: pip install '.[service]'"
    )

USAGE = (
    "accountservice takes no arguments; it is set by ACCOUNTSERVICE_PORT (default: 6767), "
    "ACCOUNTSERVICE_DB (default: accounts.db) and ACCOUNTSERVICE_TESTABILITY (1 or nothing)"
)

ADDRESS = "0.0.0.0"  # noqa: S104 - a container's service is for the network that it is attached to
MOST_WORKERS = 4  # 8 MB each, beside 20 MB: they fit into the 128 MB of compose.yaml on a host with many cores
MOST_CONNECTIONS = 4096  # of each worker: a client that only holds one must not keep the health check out
OTHER_FILES = 32  # that a worker has open
FEWEST_FILES = 64  # with which the service runs
HEADER_TIMEOUT = 5000  # milliseconds for a client to send a request, also the first and the next one
STOP_LIMIT = 0.7  # seconds from SIGTERM until a worker that still waits for a client is killed
CRASHES = (signal.SIGBUS, signal.SIGSEGV, signal.SIGABRT)  # LMDB on a damaged file, which it maps
STDERR = 2
PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a process gets when its parent dies

# The server's own errors, in the form of the other lines: a worker that ended, and one that ends again at once.
LOGGING = {"loggers": {"_granian": {"handlers": [], "propagate": True}}}

logger = logging.getLogger("accountservice")


class StandardError(logging.Handler):
    """A handler that writes to standard error, and drops a line if that is full, closed or not read.

    logging's own would wait for a reader. It would also leave the line in a buffer, which multiprocessing must be able
    to flush before it starts a worker.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        if sys.stderr and select.select([], [STDERR], [], 0)[1]:  # None if it was closed at the start
            with suppress(OSError):
                os.write(STDERR, f"{self.format(record)}\n".encode())


class SettingsError(Exception):
    """The service cannot run as it is set; the text gives the reason."""


def parsed_port(text: str) -> int:
    """Parse a TCP port, 1 to 65535. Raises SettingsError."""
    if re.fullmatch("0*[0-9]{1,5}", text) and 0 < int(text) < 65536:
        return int(text)
    reason = f"ACCOUNTSERVICE_PORT: {text!r} is not a port; expected a whole number from 1 to 65535"
    if "://" in text:
        reason += (
            "; Kubernetes and Docker links set this for a service of that name:"
            " set enableServiceLinks: false, or give the port yourself"
        )
    raise SettingsError(reason)


@contextmanager
def claimed(port: int) -> Iterator[None]:
    """Make sure that the port is free, and keep other account services from it. Raises SettingsError.

    The workers bind it with SO_REUSEPORT, which lets a second service share it. So the service also takes a name in the
    abstract namespace, which belongs to the network namespace as ports do (unix(7)).
    """
    with socket.socket(socket.AF_UNIX) as name, socket.socket() as listener:
        try:
            name.bind(f"\0accountservice:{port}")
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as connections of an earlier process
            listener.bind((ADDRESS, port))
        except OSError as error:
            raise SettingsError(f"port {port}: {(error.strerror or str(error)).lower()}") from error
        listener.close()
        yield


def main() -> NoReturn:
    """Run until SIGTERM or SIGINT; the exit code is 0 then, and 1 if the service cannot run."""
    # Until the server handles it: a container's first process ignores a signal without a handler (pid_namespaces(7)).
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if arguments := sys.argv[1:]:
        help_requested = arguments in (["--help"], ["-h"])
        print(USAGE, file=sys.stdout if help_requested else sys.stderr)
        sys.exit(0 if help_requested else 1)
    logging.basicConfig(format="%(message)s", level=logging.INFO, handlers=[StandardError()])
    logger.info("Starting accountservice")
    try:
        port = parsed_port(os.environ.get("ACCOUNTSERVICE_PORT") or "6767")
        with claimed(port):
            serve(port)
    except (SettingsError, StoreError, OSError, RuntimeError) as error:  # the last one if no thread can start
        logger.error("Cannot run: %s", error)
        os._exit(1)  # at once: multiprocessing's clean-up would wait for a worker that runs
    os._exit(0)  # at once: a second signal during the interpreter's clean-up would give another exit code


def serve(port: int) -> None:
    """Open the store, and serve it until a signal. Raises SettingsError, StoreError, OSError, RuntimeError."""
    connections = affordable_connections()
    with crashes_reported():
        store = Store(Path(os.environ.get("ACCOUNTSERVICE_DB") or "accounts.db"))
    logger.info("Seeded %d fake accounts...", SEEDED_ACCOUNTS)
    app = App(store, own_address(), testability=os.environ.get("ACCOUNTSERVICE_TESTABILITY") == "1")
    store.close()
    logger.info("Starting HTTP service at %d", port)
    multiprocessing.set_start_method("fork")  # the workers inherit the application and its state
    server = Granian(
        "accountservice",
        address=ADDRESS,
        port=port,
        interface=Interfaces.WSGI,
        workers=min(len(os.sched_getaffinity(0)), MOST_WORKERS),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT, max_buffer_size=16 * 1024),
        backlog=MOST_CONNECTIONS,
        backpressure=connections,
        blocking_threads=1,
        log_level=LogLevels.error,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_LIMIT,  # type: ignore[arg-type]  # a fraction works as well
    )
    # The server would reload at SIGHUP, for seconds in which SIGTERM has no effect. It calls this after it handles it.
    server.on_startup(partial(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP)))
    server.serve(target_loader=partial(prepared, app, os.getpid()), wrap_loader=False)


@contextmanager
def crashes_reported() -> Iterator[None]:
    """End the process with one line if LMDB crashes. A handler in Python would run only after LMDB returns."""
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(report_crash)
    for number in CRASHES:
        ctypes.CDLL(None).signal(number, handler)
    yield
    for number in CRASHES:
        signal.signal(number, signal.SIG_DFL)


def report_crash(number: int) -> NoReturn:
    """End the process: LMDB crashed while it read the store."""
    logger.error("Cannot run: the store is damaged: reading it ended with %s", signal.Signals(number).name)
    os._exit(1)


def affordable_connections() -> int:
    """Raise the limit on open files as far as allowed; return how many connections a worker may hold.

    A server that may accept one but not open it would try again at once, without an end. Raises SettingsError if the
    limit is too low.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < FEWEST_FILES:
        raise SettingsError(f"{most} open files are too few; allow {FEWEST_FILES} at least (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(MOST_CONNECTIONS, most - OTHER_FILES)


def prepared(app: App, parent: int) -> App:
    """Prepare a worker: Ctrl-C reaches its parent alone, which stops it, and it does not outlive its parent."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)
    return app


if __name__ == "__main__":
    main()
