"""Whether this process is on its way out: set once, read by the readiness page, the listeners and every answer."""


class Draining:
    """`flag` goes up at the first SIGTERM and never comes down."""

    __slots__ = ("flag",)

    def __init__(self) -> None:
        self.flag = False

    def __call__(self) -> bool:
        return self.flag
