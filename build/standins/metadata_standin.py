"""Takes importlib.metadata's place in the executable, where no package is installed.

urllib3 imports it, to ask for the version of a package for HTTP/2 if it should be used. The original brings the formats
of packages with it, a tenth of all modules.
"""


class PackageNotFoundError(ModuleNotFoundError):
    """The package was not found; as in the original."""


def version(distribution_name: str) -> str:
    """The version of an installed package. Raises PackageNotFoundError: there is none."""
    raise PackageNotFoundError(distribution_name)
