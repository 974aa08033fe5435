"""The settings that raw values determine, and the file that they still have to read."""

from threading import get_ident
from time import monotonic

import pytest

from probe.deadline import Deadline
from probe.errors import UsageError
from probe.transport import trust
from testing.checks import settings_of


def read(**texts: str) -> dict[str, object]:
    """Return everything that the settings determine, as a user would write it."""
    settings = settings_of(**texts)
    check = settings.check
    return {
        "url": str(check.request.target),
        "expect": (check.expected.text, check.expected.codes),
        "timeout": check.timeout,
        "cacert": settings.cacert and (settings.cacert.text, settings.cacert.source),
        "insecure": check.request.insecure,
        "verbose": check.verbose,
    }


DEFAULTS: dict[str, object] = {
    "url": "http://127.0.0.1/health",
    "expect": ("200", frozenset({200})),
    "timeout": 2.0,
    "cacert": None,
    "insecure": False,
    "verbose": False,
}
GIVEN: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "nothing": ({}, {}),
    "host": ({"host": "a"}, {"url": "http://a/health"}),
    "port": ({"port": "8080"}, {"url": "http://127.0.0.1:8080/health"}),
    "path": ({"path": "b"}, {"url": "http://127.0.0.1/b"}),
    "url": ({"url": "https://a:1/b"}, {"url": "https://a:1/b"}),
    "expect": ({"expect": "2xx"}, {"expect": ("2xx", set(range(200, 300)))}),
    "timeout": ({"timeout": "1m"}, {"timeout": 60.0}),
    "cacert": ({"cacert": "c"}, {"cacert": ("c", "--cacert")}),
    "insecure": ({"insecure": "1"}, {"insecure": True}),
    "verbose": ({"verbose": "1"}, {"verbose": True}),
}


@pytest.mark.parametrize(("texts", "differences"), GIVEN.values(), ids=list(GIVEN))
def test_a_given_value_replaces_a_default(texts: dict[str, str], differences: dict[str, object]) -> None:
    assert read(**texts) == DEFAULTS | differences


def test_the_file_is_read_for_tls_and_its_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    context = trust.any_certificate()
    monkeypatch.setattr(trust, "from_file", lambda path: {"c": context}[path])
    deadline = Deadline(10, monotonic())
    secure = settings_of("https://a", cacert="c")
    assert secure.load(deadline).request.trusted is context
    assert deadline.phase == "getting ready for TLS"
    assert settings_of("http://a", cacert="c").load(deadline).request.trusted is None
    assert settings_of("https://a").load(deadline).request.trusted is None


def test_a_file_that_cannot_be_read_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="^--cacert: cannot read '/nonexistent'"):
        settings_of("https://a", cacert="/nonexistent").load(Deadline(20, monotonic()))


WATCHED = {"with a watchdog, in this thread": True, "without one, in a second thread": False}


@pytest.mark.parametrize("watched", WATCHED.values(), ids=list(WATCHED))
def test_a_file_is_read_where_the_wait_for_it_can_end(monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    threads: list[int] = []
    monkeypatch.setattr(trust, "from_file", lambda _: threads.append(get_ident()))
    settings_of("https://a", cacert="c").load(Deadline(10, monotonic(), watched=watched))
    assert [thread == get_ident() for thread in threads] == [watched]
