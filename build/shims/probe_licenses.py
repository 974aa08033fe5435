"""The licences of everything in the executable, which probe.licenses reads from installed packages."""

import zlib

DATA = b""


def text() -> str:
    """Return the text of `--licenses`."""
    return zlib.decompress(DATA).decode()
