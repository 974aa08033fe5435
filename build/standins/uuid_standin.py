"""Takes uuid's place in the executable until something of it is used: click names a type of parameter after a class."""


class UUID:
    """Makes those of the original."""

    def __new__(cls, *arguments: object, **named: object) -> "UUID":
        """One of the original's."""
        import uuid_in_full

        made: UUID = uuid_in_full.UUID(*arguments, **named)
        return made


def __getattr__(name: str) -> object:
    import uuid_in_full

    return getattr(uuid_in_full, name)
