"""The metadata of installed packages: there are none. urllib3 asks for the version of one, for HTTP/2."""


class PackageNotFoundError(ModuleNotFoundError):
    """A package is not installed."""


def version(distribution_name: str) -> str:
    """Raise PackageNotFoundError."""
    raise PackageNotFoundError(distribution_name)
