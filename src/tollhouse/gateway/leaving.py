"""The caller may leave at any moment; what then happens to the wait for the provider is decided here, once.

A stream whose provider says `on_disconnect = "abort"` is given up at once, unless its finish reason has passed: then a
moment is left for the usage that follows. Everything else is read to its end (so that what the provider bills is
known), bounded by `drain_seconds_max`. Giving up cancels the wait the journey is in; leaving the `with` turns that
cancellation into `ClientLeft`. A cancellation for any other reason (the process ends) stays what it is.
"""

import asyncio
from types import TracebackType

from tollhouse.gateway.client import Client, ClientLeft

USAGE_SECONDS = 2.0


class Leaving:
    """`with Leaving(client, ...) as leaving:` around everything that waits for the provider."""

    __slots__ = ("_client", "_drain_seconds", "_task", "_timer", "abort", "finishing")

    def __init__(self, client: Client, drain_seconds: float, abort: bool) -> None:
        self._client = client
        self._drain_seconds = drain_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self.abort = abort
        self.finishing = False  # the finish reason has passed: only usage is missing

    def __enter__(self) -> "Leaving":
        gone = self._client.gone  # since before: nobody will call
        if gone and self.abort:
            raise ClientLeft
        self._task = asyncio.current_task()
        self._client.on_gone(self._left)
        if gone:
            self._left()
        return self

    def _left(self) -> None:
        assert self._task is not None
        if self.abort and not self.finishing:
            self._task.cancel()
            return
        seconds = USAGE_SECONDS if self.abort else self._drain_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._task.cancel)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.on_gone(None)
        if self._timer is not None:
            self._timer.cancel()
        if kind is asyncio.CancelledError and self._client.gone:
            assert self._task is not None
            self._task.uncancel()
            raise ClientLeft from None
