"""The caller may leave at any moment; what then happens to the wait for the provider is decided here, once.

A stream whose provider says `on_disconnect = "abort"` is given up at once, unless its finish reason has passed: then a
moment is left for the usage that follows. Everything else is read to its end (so that what the provider bills is
known), bounded by `drain_seconds_max`, counted from the moment the caller left. Giving up cancels the wait the request
context is in; leaving the `with` turns that cancellation into `ClientDisconnected`. A cancellation for any other reason
(the process ends, and breaks off the connection, too) stays what it is: nobody pays for being cut off.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType

from tollhouse.gateway.connection import CallerConnection, ClientDisconnected

USAGE_SECONDS = 2.0


class DisconnectGuard:
    """`with DisconnectGuard(client, ...) as guard:` around everything that waits for the provider.

    finishing: whether the finish reason has passed, so that only usage is missing. give_up_at: on the loop's clock,
    when an earlier `DisconnectGuard` of the call would have given up; None while the caller is there.
    """

    __slots__ = ("_abort", "_client", "_finishing", "_gave_up", "_seconds", "_task", "_timer", "give_up_at")

    def __init__(
        self,
        client: CallerConnection,
        drain_seconds: float,
        abort: bool,
        finishing: Callable[[], bool] = lambda: False,
        give_up_at: float | None = None,
    ) -> None:
        self._client = client
        self._seconds = USAGE_SECONDS if abort else drain_seconds
        self._abort = abort
        self._finishing = finishing
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._gave_up = False
        self.give_up_at = give_up_at

    def __enter__(self) -> "DisconnectGuard":
        gone = self._client.gone  # since before: nobody will call
        if gone and self._at_once():
            raise ClientDisconnected
        self._task = asyncio.current_task()
        self._client.on_gone = self._left
        if gone:
            self._left()
        return self

    def _at_once(self) -> bool:
        return self._abort and not self._finishing()

    def _left(self) -> None:
        assert self._task is not None
        if self._at_once():
            self._give_up()
            return
        loop = asyncio.get_running_loop()
        if self.give_up_at is None:
            self.give_up_at = loop.time() + self._seconds
        self._timer = loop.call_at(self.give_up_at, self._give_up)

    def _give_up(self) -> None:
        assert self._task is not None
        self._gave_up = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.on_gone = None
        if self._timer is not None:
            self._timer.cancel()
        if self._gave_up and kind is asyncio.CancelledError:
            assert self._task is not None
            if not self._task.uncancel():  # or else somebody else has cancelled it as well
                raise ClientDisconnected from None
