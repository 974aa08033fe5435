"""`python -m accountservice` and the console script: settings from the environment, the log, the exit status."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from accountservice import log
from accountservice.network import own_address
from accountservice.signals import Signals
from probe import values
from probe.errors import UsageError

try:
    from accountservice.app import App
    from accountservice.server import LimitError, PortTakenError, affordable_connections, claim, serve
    from accountservice.store import LOCK_PATIENCE, Store, StoreError
except ModuleNotFoundError as error:  # installed without what the health check does not need
    sys.exit(
        f"Cannot run: there is no package {error.name}; install it, in a clone of the project: pip install '.[service]'"
    )

USAGE = (
    "accountservice takes no arguments; it is set by ACCOUNTSERVICE_PORT (default: 6767), "
    "ACCOUNTSERVICE_DB (default: accounts.db) and ACCOUNTSERVICE_TESTABILITY (1 or nothing)"
)

logger = logging.getLogger("accountservice")


class Settings(NamedTuple):
    """What the environment decides."""

    port: int
    database: str
    testability: bool

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises UsageError for a port that is none."""
        try:
            port = values.port(text := environ.get("ACCOUNTSERVICE_PORT") or "6767")
        except UsageError as error:
            raise UsageError(f"ACCOUNTSERVICE_PORT: {error}{values.link_hint(text)}") from None
        return cls(
            port=port,
            database=environ.get("ACCOUNTSERVICE_DB") or "accounts.db",
            testability=environ.get("ACCOUNTSERVICE_TESTABILITY") == "1",
        )


def main() -> NoReturn:
    """Run until SIGTERM or SIGINT; the exit status is 0 then, and 1 where the service could not run.

    The process ends without the interpreter's clean-up, during which one signal more would give another exit status.
    """
    os._exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run until a signal; the exit status."""
    if arguments:
        asked = arguments in (["--help"], ["-h"])
        print(USAGE, file=sys.stdout if asked else sys.stderr, flush=True)
        return 0 if asked else 1
    log.start()
    try:
        logger.info("Starting accountservice")
        connections = affordable_connections()
        signals = Signals()
        settings = Settings.from_environment(os.environ)
        with claim(settings.port) as listener, Store(settings.database) as store:
            logger.info("Seeded %d fake accounts...", store.seed(locked=give_up))
            app = App(store, own_address(), settings.testability)
            serve(app, listener, signals, connections)
    except (UsageError, LimitError, StoreError, PortTakenError) as error:
        logger.error("Cannot run: %s", error)
        return 1
    except (MemoryError, OSError, RuntimeError) as error:  # of limits too low for a thread, a file or a page more
        logger.error("Cannot run: %s: %s", type(error).__name__, error)
        return 1
    return 0


def give_up() -> NoReturn:
    """End the process while its main thread waits for the store: LMDB's lock has no limit of time."""
    logger.error("Cannot run: another process has kept the store locked for %g seconds; end it, or wait", LOCK_PATIENCE)
    os._exit(1)


if __name__ == "__main__":
    main()
