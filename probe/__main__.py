"""The entry point of `python -m probe`, of the console script and of the executable."""

import sys
from time import monotonic
from typing import NoReturn

from probe import check, cli, fast_path, process, report
from probe.check import Outcome
from probe.deadline import Deadline
from probe.errors import CheckFailed, UsageError
from probe.renewal import renew
from probe.settings import Settings
from probe.verdict import Verdict


def main() -> NoReturn:
    """Run with the arguments and the environment of the process, write the verdict, end the process."""
    started = monotonic()
    streams = process.open_streams()
    try:
        process.catch_interrupts()
        verdict = run(sys.argv[1:], process.take_environment(), started)
        process.ignore_interrupts()
    except KeyboardInterrupt:
        verdict = report.INTERRUPTED
    process.finish(verdict, streams)


def run(arguments: list[str], environ: dict[bytes, bytes], started: float) -> Verdict:
    """Return the verdict on any arguments. `started` is on the monotonic clock."""
    try:
        settings = fast_path.parse(arguments, environ) or _parse(arguments, environ)
        return settings if isinstance(settings, Verdict) else verdict_of(settings, started)
    except UsageError as error:
        return report.usage_error(error)
    except Exception as error:  # noqa: BLE001 - no traceback, ever
        return report.internal_error(error)


def _parse(arguments: list[str], environ: dict[bytes, bytes]) -> Settings | Verdict:
    renew()  # before click and difflib run
    return cli.parse(arguments, environ)


def verdict_of(settings: Settings, started: float) -> Verdict:
    """Make the check and return its verdict. Raises UsageError for a file that cannot be used."""
    deadline = Deadline(settings.check.timeout, started)
    process.arm_watchdog(deadline, report.timed_out(settings.check, deadline))
    try:
        determined = settings.load(deadline)
    except CheckFailed as failure:
        return report.report(settings.check, Outcome(None, (), failure, deadline.took()))
    return report.report(determined, check.run(determined, deadline))


if __name__ == "__main__":
    main()
