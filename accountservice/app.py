"""The routes, as an RSGI application: https://github.com/emmett-framework/granian, docs/spec/RSGI.md.

A route takes the rest of the path and returns an answer; the transport is the last few lines.
"""

import json
import logging
from collections.abc import Callable
from typing import NamedTuple

from granian.rsgi import HTTPProtocol, Scope

from accountservice.log import Unrepeated
from accountservice.store import Store, StoreError

logger = logging.getLogger(__name__)
faults = logging.getLogger(f"{__name__}.faults")
unrepeated = Unrepeated()
faults.addFilter(unrepeated)

# Go's strconv.ParseBool, which the Go service that this one follows uses.
PARSEBOOL_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
PARSEBOOL_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Answer(NamedTuple):
    """A status and a JSON body; without one the body is empty."""

    status: int
    body: bytes = b""


NOT_FOUND = Answer(404)
METHOD_NOT_ALLOWED = Answer(405)
UP = Answer(200, b'{"status":"UP"}')
DOWN = Answer(503, b'{"status":"Database unaccessible"}')


class App:
    """The service's state and its routes."""

    def __init__(self, store: Store, served_by: str, testability: bool) -> None:
        self._store = store
        self._served_by = served_by
        self._healthy = True
        self._routes: list[tuple[str, Callable[[str], Answer]]] = [("/accounts/", self._account)]
        if testability:
            self._routes.append(("/testability/healthy/", self._set_healthy))

    def answer(self, method: str, path: str) -> Answer:
        """The answer to a request; `path` is percent-decoded."""
        route = self._route(path)
        if route is None:
            return NOT_FOUND
        return route() if method in ("GET", "HEAD") else METHOD_NOT_ALLOWED

    def _route(self, path: str) -> Callable[[], Answer] | None:
        if path == "/health":
            return self._health
        for prefix, route in self._routes:
            rest = path.removeprefix(prefix)
            if rest != path and rest and "/" not in rest:
                return lambda: route(rest)
        return None

    def _health(self) -> Answer:
        if not self._healthy:
            return DOWN
        try:
            self._store.check()
        except StoreError as error:
            faults.error("Health check failed: %s", error)
            return DOWN
        if unrepeated.forget():
            logger.info("Health check passes again")
        return UP

    def _account(self, key: str) -> Answer:
        try:
            account = self._store.account(key)
        except StoreError as error:
            faults.error("Account not served: %s", error)
            return DOWN
        if account is None:
            return NOT_FOUND
        return Answer(200, json.dumps(account | {"servedBy": self._served_by}, separators=(",", ":")).encode())

    def _set_healthy(self, state: str) -> Answer:
        if state not in PARSEBOOL_TRUE | PARSEBOOL_FALSE:
            logger.error("Invalid request to SetHealthyState, allowed values are true or false")
            return Answer(400)
        self._healthy = state in PARSEBOOL_TRUE
        return Answer(200)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Serve one request."""
        answer = self.answer(scope.method, scope.path)
        headers = [("content-length", str(len(answer.body)))]
        if answer.body:
            headers.append(("content-type", "application/json"))
        if answer is METHOD_NOT_ALLOWED:
            headers.append(("allow", "GET, HEAD"))  # RFC 9110, section 15.5.6
        if scope.method == "HEAD" or not answer.body:
            protocol.response_empty(answer.status, headers)
        else:
            protocol.response_bytes(answer.status, headers, answer.body)
