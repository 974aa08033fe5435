"""What a response must be for a check to be healthy: one file for each kind of condition.

A condition is a frozen dataclass with the method of `Condition`. It does no input or output.
"""

from typing import Protocol

from probe.http.response import Response


class Condition(Protocol):
    """A requirement on a response."""

    def unmet(self, response: Response) -> str:
        """Return what was expected, as the line says it; "" if the response meets the condition."""
