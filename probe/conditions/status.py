"""The condition on the status code."""

from dataclasses import dataclass

from probe.http.response import Response
from probe.text import clip, printable

SHOWN_LIMIT = 100  # bytes


@dataclass(frozen=True, slots=True)
class ExpectedStatus:
    """The accepted status codes."""

    text: str  # as the user wrote them
    codes: frozenset[int]

    def __contains__(self, status: int) -> bool:
        return status in self.codes

    def unmet(self, response: Response) -> str:
        """Return the accepted codes if the response has another one."""
        return "" if response.status in self.codes else f"expected {clip(printable(self.text), SHOWN_LIMIT)}"
