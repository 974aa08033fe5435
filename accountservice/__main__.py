"""`python -m accountservice` and the console script: settings from the environment, the log, the exit status."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from accountservice import log
from accountservice.app import App
from accountservice.network import own_address
from accountservice.server import PortTakenError, claim, serve
from accountservice.signals import Signals, end
from accountservice.store import Store, StoreError
from probe import values
from probe.errors import UsageError

USAGE = (
    "accountservice takes no arguments; it is set by ACCOUNTSERVICE_PORT (default: 6767), "
    "ACCOUNTSERVICE_DB (default: accounts.db) and ACCOUNTSERVICE_TESTABILITY (1 or nothing)"
)

LOCK_PATIENCE = 5.0  # seconds that another process may keep the store locked

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
            port = values.port(environ.get("ACCOUNTSERVICE_PORT") or "6767")
        except UsageError as error:
            raise UsageError(f"ACCOUNTSERVICE_PORT: {error}") from None
        return cls(
            port=port,
            database=environ.get("ACCOUNTSERVICE_DB") or "accounts.db",
            testability=environ.get("ACCOUNTSERVICE_TESTABILITY") == "1",
        )


def main() -> NoReturn:
    """Run until SIGTERM or SIGINT; the exit status is 0 then, and 1 where the service could not run.

    The process ends without the interpreter's clean-up: the server's own threads still run, and one that asks for the
    interpreter while it is taken down aborts the process (PEP 788 has the background).
    """
    end(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run until a signal; the exit status."""
    if arguments:
        asked = arguments in (["--help"], ["-h"])
        print(USAGE, file=sys.stdout if asked else sys.stderr, flush=True)
        return 0 if asked else 1
    log.start()
    signals = Signals()
    logger.info("Starting accountservice")
    waiting = threading.Timer(LOCK_PATIENCE, give_up)
    waiting.daemon = True
    try:
        settings = Settings.from_environment(os.environ)
        waiting.start()
        with claim(settings.port), Store(settings.database) as store:
            seeded = store.seed()
            waiting.cancel()
            logger.info("Seeded %d fake accounts...", seeded)
            app = App(store, own_address(), settings.testability)
            asyncio.run(serve(app, settings.port, signals))
    except (UsageError, StoreError, PortTakenError) as error:
        logger.error("Cannot run: %s", error)
        return 1
    return 0


def give_up() -> NoReturn:
    """End the process while its main thread waits for the store: LMDB's lock has no limit of time."""
    logger.error("Cannot run: another process has kept the store locked for %g seconds; end it, or wait", LOCK_PATIENCE)
    end(1)


if __name__ == "__main__":
    main()
