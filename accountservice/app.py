"""The routes. A route takes the path's last part and returns an answer; connection.py brings both over the wire."""

import json
import logging
from typing import NamedTuple

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
        self._served_by = b',"servedBy":' + json.dumps(served_by).encode() + b"}"  # the end of an account's answer
        self._healthy = True
        self._routes = {"/health": self._health, "/accounts/": self._account}
        if testability:
            self._routes["/testability/healthy/"] = self._set_healthy

    def answer(self, method: bytes, path: str) -> Answer:
        """The answer to a request; `path` is percent-decoded."""
        folder, slash, name = path.rpartition("/")
        route = self._routes.get(folder + slash if folder else path)
        if route is None or not name:
            return NOT_FOUND
        return route(name) if method in (b"GET", b"HEAD") else METHOD_NOT_ALLOWED

    def _health(self, _: str) -> Answer:
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
            account = self._store.account(key.encode())
        except StoreError as error:
            faults.error("Account not served: %s", error)
            return DOWN
        if account is None:
            return NOT_FOUND
        return Answer(200, account[:-1] + self._served_by)

    def _set_healthy(self, state: str) -> Answer:
        if state not in PARSEBOOL_TRUE | PARSEBOOL_FALSE:
            logger.error("Invalid request to SetHealthyState, allowed values are true or false")
            return Answer(400)
        self._healthy = state in PARSEBOOL_TRUE
        return Answer(200)
