"""The meaning of a TLS alert that ends the connection.

Numbers and names are from IANA's registry "TLS Alerts". The meanings follow RFC 8446, section 6.2. Those of older
alerts follow RFC 5246, section 7.2.2, and RFC 6066, section 9.
"""

from ssl import SSLContext
from typing import Any

ALERT = 21  # content types of a record (RFC 8446, section 5.1)
HANDSHAKE = 22

CLOSE_NOTIFY = 0  # the only alert that is not an error
CERTIFICATE_REQUIRED = 116  # the only alert that asks for a client certificate by name
HANDSHAKE_FAILURE = 40  # the alert for any parameter that the two sides cannot agree on
CERTIFICATE_REQUEST = 13  # the handshake message that asks for a client certificate (RFC 8446, section 4.3.2)

CLIENT_CERTIFICATE = "it wants a client certificate, and none is ever sent"
REQUESTED = "; the server asked for a client certificate, and none is ever sent"
TOO_OLD = "speaks no TLS 1.2 or newer"
NOT_READ = "it did not accept the bytes that it received; a proxy in between may have changed them"
NO_CERTIFICATE_FOR_NAME = "it has no certificate for the name that was asked for"
NO_CIPHER = "no cipher in common"
ITS_LOG = "see its log"

# By number. An alert about a certificate is about the client's: this client sends none.
ALERTS = {
    10: ("unexpected_message", NOT_READ),
    20: ("bad_record_mac", NOT_READ),
    21: ("decryption_failed", NOT_READ),
    22: ("record_overflow", NOT_READ),
    30: ("decompression_failure", NOT_READ),
    40: ("handshake_failure", NO_CIPHER),
    41: ("no_certificate", CLIENT_CERTIFICATE),
    42: ("bad_certificate", CLIENT_CERTIFICATE),
    43: ("unsupported_certificate", CLIENT_CERTIFICATE),
    44: ("certificate_revoked", CLIENT_CERTIFICATE),
    45: ("certificate_expired", CLIENT_CERTIFICATE),
    46: ("certificate_unknown", CLIENT_CERTIFICATE),
    47: ("illegal_parameter", NOT_READ),
    48: ("unknown_ca", CLIENT_CERTIFICATE),
    49: ("access_denied", f"it admits certain clients only; probably {CLIENT_CERTIFICATE}"),
    50: ("decode_error", NOT_READ),
    51: ("decrypt_error", NOT_READ),
    52: ("too_many_cids_requested", ITS_LOG),
    60: ("export_restriction", NO_CIPHER),
    70: ("protocol_version", f"it {TOO_OLD}"),
    71: ("insufficient_security", "it wants stronger ciphers than the check has"),
    80: ("internal_error", f"it failed, or {NO_CERTIFICATE_FOR_NAME}"),
    86: ("inappropriate_fallback", NOT_READ),
    90: ("user_canceled", "it gave up the handshake"),
    100: ("no_renegotiation", "it refuses a second handshake"),
    109: ("missing_extension", "it may want to be asked by a name, not by an address"),
    110: ("unsupported_extension", NOT_READ),
    111: ("certificate_unobtainable", CLIENT_CERTIFICATE),
    112: ("unrecognized_name", NO_CERTIFICATE_FOR_NAME),
    113: ("bad_certificate_status_response", ITS_LOG),
    114: ("bad_certificate_hash_value", CLIENT_CERTIFICATE),
    115: ("unknown_psk_identity", "it wants a pre-shared key, and none is ever sent"),
    116: ("certificate_required", CLIENT_CERTIFICATE),
    117: ("general_error", ITS_LOG),
    120: ("no_application_protocol", "it does not speak HTTP/1.1; probably HTTP/2 only"),
    121: ("ech_required", "it wants Encrypted Client Hello, which is never sent"),
}


class Listener:
    """A listener to a context's connections, for the reason why the server ends one.

    It takes the number of an alert from the message. An error of the ssl module has only a name for it, which differs
    between versions of OpenSSL, and some have none.
    """

    def __init__(self, context: SSLContext) -> None:
        self.alert: int | None = None  # the last one, unless the handshake continued after it
        self.certificate_requested = False  # a client certificate, by the server
        # Not public, but in every CPython since 3.8. SSL_CTX_set_msg_callback(3) documents the parameters.
        context._msg_callback = self._on_message  # type: ignore[attr-defined]  # noqa: SLF001

    def _on_message(self, *message: Any) -> None:
        _, direction, _, content_type, _, data = message
        if direction == "read" and content_type in (ALERT, HANDSHAKE):
            self.alert = data[1] if content_type == ALERT else None
            if content_type == HANDSHAKE and data[0] == CERTIFICATE_REQUEST:
                self.certificate_requested = True

    @property
    def hint(self) -> str:
        """The likely cause of a connection that is closed; "" if the server requested no client certificate."""
        return REQUESTED if self.certificate_requested else ""


def meaning(number: int, *, certificate_requested: bool) -> str:
    """Return the meaning of an alert, which may depend on whether the server requested a client certificate."""
    name, words = ALERTS.get(number, ("unknown", ITS_LOG))
    if number == HANDSHAKE_FAILURE and certificate_requested:
        words = CLIENT_CERTIFICATE
    elif words == CLIENT_CERTIFICATE and not certificate_requested and number != CERTIFICATE_REQUIRED:
        words = f"probably {CLIENT_CERTIFICATE}"
    return f"TLS failed: the server sent alert {number} ({name}): {words}"
