"""Takes uuid's place in the executable: click has a type of parameter of that name, which no option here is of."""


class UUID:
    """Only the name of one."""
