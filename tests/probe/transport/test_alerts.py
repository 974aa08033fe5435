"""Every alert of TLS has its line, whoever sends it and when, and none shows words of the library."""

import pytest

from probe.errors import CheckFailed
from probe.transport import alerts as table
from testing import alerts, servers
from testing.certificates import Authority
from testing.checks import fetch
from testing.program import Healthchecker
from testing.servers import Behaviour, serving
from testing.tls_servers import (
    GARBLED,
    answering_without_tls,
    asking,
    demanding,
    encrypted,
    of_version,
    stopping,
    warning,
)

WANTS_CERTIFICATE = "it wants a client certificate, and none is ever sent"
NOT_READ = "it did not accept the bytes that it received; a proxy in between may have changed them"
NO_NAME = "it has no certificate for the name that was asked for"
MEANINGS = {
    10: f"(unexpected_message): {NOT_READ}",
    20: f"(bad_record_mac): {NOT_READ}",
    21: f"(decryption_failed): {NOT_READ}",
    22: f"(record_overflow): {NOT_READ}",
    30: f"(decompression_failure): {NOT_READ}",
    40: "(handshake_failure): no cipher in common",
    41: f"(no_certificate): probably {WANTS_CERTIFICATE}",
    42: f"(bad_certificate): probably {WANTS_CERTIFICATE}",
    43: f"(unsupported_certificate): probably {WANTS_CERTIFICATE}",
    44: f"(certificate_revoked): probably {WANTS_CERTIFICATE}",
    45: f"(certificate_expired): probably {WANTS_CERTIFICATE}",
    46: f"(certificate_unknown): probably {WANTS_CERTIFICATE}",
    47: f"(illegal_parameter): {NOT_READ}",
    48: f"(unknown_ca): probably {WANTS_CERTIFICATE}",
    49: f"(access_denied): it admits certain clients only; probably {WANTS_CERTIFICATE}",
    50: f"(decode_error): {NOT_READ}",
    51: f"(decrypt_error): {NOT_READ}",
    52: "(too_many_cids_requested): see its log",
    60: "(export_restriction): no cipher in common",
    70: "(protocol_version): it speaks no TLS 1.2 or newer",
    71: "(insufficient_security): it wants stronger ciphers than the check has",
    80: f"(internal_error): it failed, or {NO_NAME}",
    86: f"(inappropriate_fallback): {NOT_READ}",
    90: "(user_canceled): it gave up the handshake",
    100: "(no_renegotiation): it refuses a second handshake",
    109: "(missing_extension): it may want to be asked by a name, not by an address",
    110: f"(unsupported_extension): {NOT_READ}",
    111: f"(certificate_unobtainable): probably {WANTS_CERTIFICATE}",
    112: f"(unrecognized_name): {NO_NAME}",
    113: "(bad_certificate_status_response): see its log",
    114: f"(bad_certificate_hash_value): probably {WANTS_CERTIFICATE}",
    115: "(unknown_psk_identity): it wants a pre-shared key, and none is ever sent",
    116: f"(certificate_required): {WANTS_CERTIFICATE}",
    117: "(general_error): see its log",
    120: "(no_application_protocol): it does not speak HTTP/1.1; probably HTTP/2 only",
    121: "(ech_required): it wants Encrypted Client Hello, which is never sent",
}
UNKNOWN = {number: "(unknown): see its log" for number in range(1, 256) if number not in MEANINGS}
SENT = MEANINGS | {number: UNKNOWN[number] for number in (1, 255)}


def test_the_table_is_that_of_the_program() -> None:
    assert set(table.ALERTS) == set(MEANINGS)


@pytest.mark.parametrize(("number", "meaning"), SENT.items(), ids=[f"{number}" for number in SENT])
def test_an_alert_that_answers_the_client_hello_is_told_by_its_meaning(
    healthchecker: Healthchecker, number: int, meaning: str
) -> None:
    with serving(alerts.refusing(number)) as port:
        run = healthchecker(f"https://127.0.0.1:{port}/", "-t=20")
    assert f": TLS failed: the server sent alert {number} {meaning} (" in run.failure()


def reason(behaviour: Behaviour) -> str:
    """What is said of a server of https."""
    with serving(behaviour) as port, pytest.raises(CheckFailed) as failed:
        fetch(f"https://localhost:{port}/", insecure="1")
    return str(failed.value)


@pytest.mark.parametrize("number", [number for number, words in MEANINGS.items() if ": probably" in words])
def test_an_alert_about_a_certificate_that_was_asked_for_is_no_guess(authority: Authority, number: int) -> None:
    told = reason(alerts.leaving(asking(authority, of_version(authority, "TLSv1_3")), number))
    assert told == f"TLS failed: the server sent alert {number} {MEANINGS[number].replace('probably ', '')}"


@pytest.mark.parametrize("level", [alerts.WARNING, alerts.FATAL], ids=["warning", "fatal"])
def test_all_alerts_of_both_levels_are_told(level: int) -> None:
    told = {number: reason(alerts.refusing(number, level)) for number in range(256)}
    expected = {number: f"TLS failed: the server sent alert {number} {words}" for number, words in MEANINGS.items()}
    unknown = {number: f"TLS failed: the server sent alert {number} {words}" for number, words in UNKNOWN.items()}
    assert told == {0: "connection closed in the TLS handshake", **expected, **unknown}


# Alerts that servers send once they have seen that no client certificate comes, an unknown one, and the end.
LATE = {number: SENT[number] for number in (40, 42, 46, 48, 49, 116, 80, 120, 255)}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize(("number", "meaning"), LATE.items(), ids=[f"{number}" for number in LATE])
def test_an_alert_behind_the_handshake_is_told_by_its_meaning(
    healthchecker: Healthchecker, authority: Authority, version: str, number: int, meaning: str
) -> None:
    with serving(alerts.leaving(of_version(authority, version), number)) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", f"--cacert={authority.file}")
    assert f": TLS failed: the server sent alert {number} {meaning} (" in run.failure()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_an_alert_that_only_closes_is_a_closed_connection(authority: Authority, version: str) -> None:
    behaviour = alerts.leaving(of_version(authority, version), table.CLOSE_NOTIFY)
    assert reason(behaviour) == "connection closed without a reply"


ASKED = "; the server asked for a client certificate, and none is ever sent"


SILENT_ENDS = {
    "closes": (servers.closing, "connection closed without a reply"),
    "breaks off": (servers.breaking_off, "connection reset by peer"),
}


@pytest.mark.parametrize(("stop", "words"), SILENT_ENDS.values(), ids=list(SILENT_ENDS))
def test_that_a_client_certificate_was_asked_for_is_told_where_nothing_else_is(
    healthchecker: Healthchecker, authority: Authority, stop: Behaviour, words: str
) -> None:
    """As HttpsServer of the JDK closes the connection, without an alert."""
    with serving(stop, tls=asking(authority)) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", "-k")
    assert f"/: {words}{ASKED} (" in run.failure()


IN_THE_HANDSHAKE = {
    "closes": (servers.closing, "connection closed in the TLS handshake"),
    "breaks off": (servers.breaking_off, "connection reset by peer in the TLS handshake"),
}


@pytest.mark.parametrize(("stop", "words"), IN_THE_HANDSHAKE.values(), ids=list(IN_THE_HANDSHAKE))
def test_that_it_was_asked_for_is_told_in_the_handshake_too(
    healthchecker: Healthchecker, authority: Authority, stop: Behaviour, words: str
) -> None:
    with serving(stopping(authority, stop)) as port:
        run = healthchecker(f"https://localhost:{port}/", "-t=20", "-k")
    assert f"/: {words}{ASKED}" in run.failure()


def test_a_handshake_that_is_refused_for_want_of_a_client_certificate_is_told_apart(authority: Authority) -> None:
    told = reason(encrypted(demanding(authority, "TLSv1_2"), servers.wait_for_close))
    assert told == f"TLS failed: the server sent alert 40 (handshake_failure): {WANTS_CERTIFICATE}"


def test_an_answer_counts_though_a_client_certificate_was_asked_for(authority: Authority) -> None:
    with serving(servers.replying(servers.OK), tls=asking(authority)) as port:
        assert fetch(f"https://localhost:{port}/", insecure="1").status == 200


def test_a_warning_that_the_handshake_goes_on_behind_is_no_failure(authority: Authority) -> None:
    behaviour = warning(encrypted(of_version(authority, "TLSv1_2"), servers.holding(servers.OK)))
    with serving(behaviour) as port:
        assert fetch(f"https://localhost:{port}/", cacert=str(authority.file)).status == 200


def test_a_later_failure_is_not_told_as_an_earlier_warning(authority: Authority) -> None:
    words = reason(warning(answering_without_tls(of_version(authority, "TLSv1_2"), GARBLED)))
    assert words == "TLS failed: a record from the server cannot be decrypted"


UNENCRYPTED = {"an alert": bytes((0x15, 3, 3, 0, 2, alerts.FATAL, 80)), "text": b"hello world, without TLS"}


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("record", UNENCRYPTED.values(), ids=list(UNENCRYPTED))
def test_what_is_not_encrypted_behind_the_handshake_cannot_be_decrypted(
    authority: Authority, version: str, record: bytes
) -> None:
    behaviour = answering_without_tls(of_version(authority, version), record)
    assert reason(behaviour) == "TLS failed: a record from the server cannot be decrypted"
