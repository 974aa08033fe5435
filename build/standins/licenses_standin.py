"""A stand-in for probe.licenses: the text is that of what was linked, which the build wrote."""

from licenses_bundle import TEXT


def text() -> str:
    """The licences of all that the executable consists of."""
    return str(TEXT)
