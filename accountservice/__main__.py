"""`python -m accountservice` and the console script: settings from the environment, the log, the exit status."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from accountservice.app import App
from accountservice.network import own_address
from accountservice.server import PortTakenError, claim, serve
from accountservice.store import Store, StoreError
from probe import values
from probe.errors import UsageError

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
    status = run(sys.argv[1:])
    logging.shutdown()
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run until a signal; the exit status."""
    if arguments:
        asked = arguments in (["--help"], ["-h"])
        print(USAGE, file=sys.stdout if asked else sys.stderr, flush=True)
        return 0 if asked else 1
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    # Until the server takes them over: as a container's first process it would otherwise not hear them.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logger.info("Starting accountservice")
    try:
        settings = Settings.from_environment(os.environ)
        with claim(settings.port), Store(settings.database) as store:
            logger.info("Seeded %d fake accounts...", store.seed())
            app = App(store, own_address(), settings.testability)
            asyncio.run(serve(app, settings.port))
    except (UsageError, StoreError, PortTakenError) as error:
        logger.error("Cannot run: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    main()
