"""`python -m probe`, the console script and the frozen program's entry: one run, one exit status."""

import _signal  # signal itself makes enumerations of it all
import os
import sys
from contextlib import suppress
from time import monotonic
from typing import NoReturn


def main() -> NoReturn:
    """Run with the process's arguments and environment, write the outcome, end the process.

    The environment is read once and then emptied, for no library and no C function to find a variable that would
    change the verdict. The process ends without clean-up: a look-up or a handshake that was too late may still be
    under way in a thread, and must not hold it up.
    """
    started = monotonic()
    for number in (_signal.SIGTERM, _signal.SIGHUP):  # Docker ends with SIGTERM what is overdue; nohup ignores SIGHUP
        if _signal.getsignal(number) == _signal.SIG_DFL:
            _signal.signal(number, _signal.default_int_handler)
    try:
        status = run(sys.argv[1:], started)
    except KeyboardInterrupt:  # before anything was opened
        with suppress(OSError):
            os.write(2, b"interrupted\n")
        status = 1
    os._exit(status)


def run(arguments: list[str], started: float) -> int:
    """Answer the arguments, write the outcome; the exit status. `started` is on the monotonic clock."""
    from probe import hot, verdict

    environ = dict(os.environb)
    for name in environ:  # os.environ.clear() takes quadratic time
        with suppress(OSError):  # a name that is empty can be passed on, but not unset
            del os.environb[name]

    def answer() -> verdict.Verdict:
        outcome = hot.answer(arguments, environ, started)
        if outcome is not None:
            return outcome
        from probe import cli

        return cli.answer(arguments, environ, started)

    return verdict.conclude(answer)


if __name__ == "__main__":
    main()
