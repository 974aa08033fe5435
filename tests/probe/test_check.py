"""What texts make of a check: its defaults, what is given in their place, and the engine that is asked."""

from threading import get_ident
from time import monotonic

import pytest

from probe import check, http1, trust, watchdog, web
from probe.check import build, fetch
from probe.deadline import Deadline
from probe.options import Given
from probe.reply import Reply


def built(**texts: str) -> dict[str, object]:
    """All that a check holds, as a user would say it."""
    made = build({name: Given(text, f"--{name}") for name, text in texts.items()})
    return {
        "url": str(made.target),
        "expect": (made.expected.text, made.expected.codes),
        "timeout": made.timeout,
        "cacert": made.cacert and (made.cacert.text, made.cacert.source),
        "insecure": made.insecure,
        "verbose": made.verbose,
    }


DEFAULTS: dict[str, object] = {
    "url": "http://127.0.0.1/health",
    "expect": ("200", {200}),
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
def test_what_is_given_takes_the_place_of_a_default(texts: dict[str, str], differences: dict[str, object]) -> None:
    assert built(**texts) == DEFAULTS | differences


ENGINES: dict[str, tuple[dict[str, str], object]] = {
    "http": ({"url": "http://a"}, "plain"),
    "https": ({"url": "https://a"}, "the system's"),
    "insecure": ({"url": "https://a", "insecure": "1"}, "any"),
    "authority": ({"url": "https://a", "cacert": "c"}, "those of c"),
}


@pytest.mark.parametrize(("texts", "trusted"), ENGINES.values(), ids=list(ENGINES))
def test_the_scheme_decides_who_asks_and_the_options_what_is_trusted(
    monkeypatch: pytest.MonkeyPatch, texts: dict[str, str], trusted: object
) -> None:
    asked: list[object] = []

    def answer(target: object, deadline: Deadline, expected: object, trusting: object = "plain") -> Reply:
        asked.append((target, deadline, expected, trusting, deadline.doing))
        return reply

    monkeypatch.setattr(http1, "fetch", answer)
    monkeypatch.setattr(web, "fetch", answer)
    monkeypatch.setattr(trust, "systems", lambda: "the system's")
    monkeypatch.setattr(trust, "any_certificate", lambda: "any")
    monkeypatch.setattr(trust, "these", lambda path: f"those of {path}")
    reply, deadline = Reply(200, b"", {}, b""), Deadline(10, monotonic())
    wanted = check.build({name: Given(text, "") for name, text in texts.items()})
    assert fetch(wanted, deadline) is reply
    doing = "" if trusted == "plain" else "getting ready for TLS"
    assert asked == [(wanted.target, deadline, wanted.expected, trusted, doing)]


ARMS = {"with a watchdog, here": (object(), True), "without one, in a second thread": (None, False)}


@pytest.mark.parametrize(("arm", "here"), ARMS.values(), ids=list(ARMS))
def test_https_asks_where_it_can_be_ended(monkeypatch: pytest.MonkeyPatch, arm: object, here: bool) -> None:
    threads: list[int] = []

    def answer(*_: object) -> Reply:
        threads.append(get_ident())
        return Reply(200, b"", {}, b"")

    monkeypatch.setattr(watchdog, "arm", arm)
    monkeypatch.setattr(web, "fetch", answer)
    wanted = check.build({"url": Given("https://localhost/", ""), "insecure": Given("1", "")})
    fetch(wanted, Deadline(10, monotonic()))
    assert [thread == get_ident() for thread in threads] == [here]
