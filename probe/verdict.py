"""How a run ends."""

from dataclasses import dataclass

HEALTHY = 0
UNHEALTHY = 1  # and every other failure: Docker reserves 2 (Dockerfile reference, HEALTHCHECK)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An exit code, and the output: whole lines or nothing."""

    exit_code: int
    output: str  # for standard output if the code is 0, for standard error otherwise
