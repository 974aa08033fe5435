"""Takes uuid's place in the executable until something of it is used: click names a type of parameter after its class."""


class UUID:
    """As the original, which is what a call returns."""

    def __new__(cls, *arguments: object, **named: object) -> "UUID":
        import uuid_in_full

        made: UUID = uuid_in_full.UUID(*arguments, **named)
        return made


def __getattr__(name: str) -> object:
    import uuid_in_full

    return getattr(uuid_in_full, name)
