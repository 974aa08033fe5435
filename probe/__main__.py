"""`python -m probe`, the console script and the frozen program's entry: one run, one exit status."""

import os
import posix
import sys
from time import monotonic
from typing import NoReturn

from probe import cli, hot, verdict, watchdog
from probe.renewal import renew
from probe.verdict import Verdict


def main() -> NoReturn:
    """Run with the process's arguments and environment, write the outcome, end the process.

    The environment is read once and then emptied, for no library and no C function to find a variable that would
    change the verdict. The process ends without clean-up: a look-up or a handshake that was too late may still be
    under way in a thread, and must not hold it up.
    """
    started = monotonic()
    try:
        watchdog.hear_interrupts()
        os._exit(run(sys.argv[1:], started))
    except KeyboardInterrupt:  # before anything was opened
        os._exit(verdict.conclude(lambda: verdict.INTERRUPTED))


def run(arguments: list[str], started: float) -> int:
    """Answer the arguments, write the outcome; the exit status. `started` is on the monotonic clock."""
    environ = posix.environ.copy()  # os.environb would take a fifth of a check's instructions for the same
    posix.environ.clear()
    for name in environ:
        try:
            os.unsetenv(name)
        except OSError:  # a name that is empty can be passed on, but not unset
            continue

    def answer() -> Verdict:
        outcome = hot.answer(arguments, environ, started)
        if outcome is not None:
            return outcome
        renew()
        return cli.answer(arguments, environ, started)

    return verdict.conclude(answer)


if __name__ == "__main__":
    main()
