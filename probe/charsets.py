"""Charsets by the names that servers give them (Encoding, section 4.2), and Python's codecs for them.

The name comes from the server, so only codecs of this table are ever looked up: among the others are some that take
quadratic time, or write a warning.
"""

CODECS = {
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16-le"),
    "utf-16be": "utf-16-be",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in (874, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "ibm866": "cp866",
}

# Other names of theirs, beside those that differ in their spelling alone.
ALIASES = {
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "latin2": "iso-8859-2",
    "latin5": "iso-8859-9",
    "latin9": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "windows-866": "ibm866",
    "tis-620": "iso-8859-11",
}

# The bytes from 0x80 to 0xff. Python's codec has no characters for five of them, which are control characters here.
WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ" + "".join(map(chr, range(0xA0, 0x100)))  # noqa: RUF001


def decode(data: bytes, charset: str) -> str:
    """Decode; by UTF-8 where the charset is not known here, with surrogates for what is none (PEP 383)."""
    name = charset.lower().replace("_", "-").replace("iso8859-", "iso-8859-").replace("cp", "windows-")
    name = ALIASES.get(name, name)
    if name == "windows-1252":
        return data.decode("latin-1").translate(dict(enumerate(WINDOWS_1252, 0x80)))
    codec = CODECS.get(name)
    if codec is None:
        return data.decode("utf-8", "surrogateescape")
    whole = len(data) - len(data) % 2 if codec.startswith("utf-16") else len(data)  # a body may be cut anywhere
    return data[:whole].decode(codec, "replace")
