"""Work that must not hold up the event loop, as ports: `threads.py` and `processes.py` have what does it, and `app.py`
hands it out."""

from collections.abc import Callable, Sequence
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from tollhouse.core.upstream import Buffer

P = ParamSpec("P")
T = TypeVar("T")
Pieces = Sequence[Buffer]

APART_BYTES: Final = 1024 * 1024
"""Beyond it bytes are read by another process: whatever a thread does with many megabytes, it keeps Python's global
lock for 10 to 50 ms, and the event loop stands."""


class WorkerThreads(Protocol):
    """Runs work of many accounts in few threads, and is fair among the accounts."""

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return what it returns. Raises what it raises; MemoryTaken if this account already
        has as much work waiting as one account may."""
        ...


class WorkerProcesses(Protocol):
    """Runs functions on many bytes in other processes."""

    def call(
        self,
        work: Callable[Concatenate[bytes, P], T],
        pieces: Pieces,
        *args: P.args,
        **named: P.kwargs,
    ) -> T:
        """Return what `work(all pieces joined, ...)` returns. Blocks: is called in a thread of `WorkerThreads`.

        `work` is a function of a module; what it returns is small, but for what stands in it as `pickle.PickleBuffer`,
        which arrives as bytes. Raises what it raises; MemoryTaken if the process ended.
        """
        ...


class InlineWorkers:
    """Both ports for a process that serves nobody: the work is done where it is asked for."""

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        return work()

    def call(
        self,
        work: Callable[Concatenate[bytes, P], T],
        pieces: Pieces,
        *args: P.args,
        **named: P.kwargs,
    ) -> T:
        return work(b"".join(pieces), *args, **named)
