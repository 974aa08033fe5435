"""What the commands of the documentation need: the images."""

from tests.e2e.conftest import images

__all__ = ["images"]
