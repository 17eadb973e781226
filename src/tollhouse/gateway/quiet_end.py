"""A provider that has said all, and leaves its connection open: some never say that the stream is over."""

import asyncio

from tollhouse.core.upstream import UpstreamResponse


class QuietEnd:
    """Gives an answer up some seconds after it has ended but for its form. `came`: it has done so."""

    __slots__ = ("_answer", "_seconds", "_timer", "came")

    def __init__(self, answer: UpstreamResponse, seconds: float) -> None:
        self._answer = answer
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.came = False

    def begin(self) -> None:
        """The seconds begin, unless they have."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._come)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _come(self) -> None:
        self.came = True
        self._answer.abort()
