"""Takes certifi's place in the executable, where there are no files: the build makes a module of its bundle."""


def where() -> str:
    """No file. requests asks when it is imported, and is never left to use the answer."""
    return ""


def contents() -> str:
    """The certificates, as PEM."""
    from certifi_bundle import PEM

    return str(PEM)
