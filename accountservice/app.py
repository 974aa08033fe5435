"""The routes, as a WSGI application (PEP 3333)."""

import ctypes
import json
import logging
import mmap
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from accountservice.store import Store, StoreError

logger = logging.getLogger(__name__)

# Go's strconv.ParseBool, which the Go service that this one follows uses.
PARSEBOOL_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
PARSEBOOL_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class State(ctypes.Structure):
    """The state that the workers share, in memory that they inherit from the process that starts them."""

    _fields_ = (("set_unhealthy", ctypes.c_bool), ("failing", ctypes.c_bool))

    set_unhealthy: bool  # by /testability
    failing: bool  # the store is wrong, and the log says so


class Response(NamedTuple):
    """The status, and a JSON body or none."""

    status: str
    body: bytes = b""


DONE = Response("200 OK")
UP = Response("200 OK", b'{"status":"UP"}')
BAD_REQUEST = Response("400 Bad Request")
NOT_FOUND = Response("404 Not Found")
METHOD_NOT_ALLOWED = Response("405 Method Not Allowed")
DOWN = Response("503 Service Unavailable", b'{"status":"Database unaccessible"}')


class App:
    """The service's routes over its store and its state."""

    def __init__(self, store: Store, served_by: str, testability: bool) -> None:
        self._store = store
        self._served_by = b',"servedBy":' + json.dumps(served_by).encode() + b"}"  # the end of an account's body
        self._testability = testability
        self._state = State.from_buffer(mmap.mmap(-1, ctypes.sizeof(State)))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer a request."""
        response = self._respond(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        headers = [("content-length", str(len(response.body)))]
        if response.body:
            headers.append(("content-type", "application/json"))
        if response is METHOD_NOT_ALLOWED:
            headers.append(("allow", "GET, HEAD"))  # RFC 9110, section 15.5.6
        start_response(response.status, headers)
        return [response.body]

    def _respond(self, method: str, path: str) -> Response:
        readable = method in ("GET", "HEAD")
        match path.split("/"):
            case ["", "health"]:
                return self._health() if readable else METHOD_NOT_ALLOWED
            case ["", "accounts", key] if key:
                return self._account(key) if readable else METHOD_NOT_ALLOWED
            case ["", "testability", "healthy", state] if state and self._testability:
                return self._set_healthy(state) if readable else METHOD_NOT_ALLOWED
        return NOT_FOUND

    def _health(self) -> Response:
        if self._state.set_unhealthy:
            return DOWN
        try:
            self._store.check()
        except StoreError as error:
            return self._fail("Health check failed", error)
        if self._state.failing:
            self._state.failing = False
            logger.info("Health check passes again")
        return UP

    def _account(self, key: str) -> Response:
        try:
            account = self._store.account(key.encode("latin-1"))  # PEP 3333: bytes, decoded as Latin-1
        except StoreError as error:
            return self._fail("Account not served", error)
        if account is None:
            return NOT_FOUND
        return Response("200 OK", account[:-1] + self._served_by)

    def _fail(self, what: str, error: StoreError) -> Response:
        """Log a fault once until health passes again: a fault at each request must not fill a disk. Return DOWN."""
        if not self._state.failing:
            self._state.failing = True
            logger.error("%s: %s", what, error)
        return DOWN

    def _set_healthy(self, state: str) -> Response:
        if state not in PARSEBOOL_TRUE | PARSEBOOL_FALSE:
            logger.error("Invalid request to SetHealthyState, allowed values are true or false")
            return BAD_REQUEST
        self._state.set_unhealthy = state in PARSEBOOL_FALSE
        return DONE
