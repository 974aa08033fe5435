"""The head of an HTTP/1.1 request (RFC 9112), read by httptools."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import httptools


class Request(NamedTuple):
    """What an answer depends on."""

    method: bytes
    path: str  # percent-decoded; empty where the target has none
    version: str  # 1.0 or 1.1
    last: bool  # on its connection: the client says so, or something other than a request's head may follow


class _Reading:
    """What httptools calls while it reads (httptools/parser/protocol.py)."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.target = b""
        self.hosts = 0
        self.headed = False
        self.last = True  # unless its end has come, and more may follow

    def on_url(self, target: bytes) -> None:
        self.target += target

    def on_header(self, name: bytes, _: bytes) -> None:
        self.hosts += name.lower() == b"host"

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_message_complete(self) -> None:
        self.last = self.parser.should_upgrade() or not self.parser.should_keep_alive()


@lru_cache(maxsize=256)  # clients repeat themselves
def read(head: bytes) -> Request | None:
    """A request's head, up to and with its empty line; None where it is not one."""
    reading = _Reading()
    parser = reading.parser
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # to what is not spoken here, so that it stays HTTP/1.1 (RFC 9110, section 7.8)
    except httptools.HttpParserError:
        return None
    version = parser.get_http_version()
    spoken = head.partition(b"\r\n")[0].endswith(b" HTTP/" + version.encode())  # httptools knows RTSP, too
    hosts = (1,) if version == "1.1" else (0, 1)  # RFC 9112, section 3.2
    if not reading.headed or not spoken or version not in ("1.0", "1.1") or reading.hosts not in hosts:
        return None
    return Request(parser.get_method(), path(reading.target), version, reading.last)


def path(target: bytes) -> str:
    """The path of a request's target (RFC 9112, section 3.2), percent-decoded; empty where it has none."""
    if not target.startswith(b"/"):
        try:
            target = httptools.parse_url(target).path or b"/"
        except httptools.HttpParserInvalidURLError:  # as of CONNECT, and of a URL without a host
            return ""
    return unquote(target.partition(b"?")[0].decode("utf-8", "replace"))
