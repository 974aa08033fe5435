"""healthchecker: one health check, one verdict, one exit status."""

__version__ = "0.1.0"
