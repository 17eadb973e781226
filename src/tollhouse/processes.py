"""Processes that read many megabytes, so that the one with the event loop keeps Python's global lock to itself.

Bytes go through a socket pair: the system copies them without the lock. A process is started when it is first needed,
serves one call at a time, runs at a lower priority than the event loop, and ends when its socket is closed, also by the
death of whoever started it. It is given a function by name and answers with what the function returned or raised:

    to it      4 bytes: length of the call, 8 bytes: length of the data, the call (pickled), the data
    from it    4 bytes: length of the answer, 4 bytes: number of buffers, 8 bytes each: their lengths, the answer
               (pickled), the buffers

Pickles pass between two processes of this program only; what callers send is data.
"""

import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Concatenate, Final

from tollhouse.core.failure import Failure, MemoryTaken
from tollhouse.core.workers import P, Pieces, T

_CALL: Final = struct.Struct("!IQ")
_ANSWER: Final = struct.Struct("!II")
_SIZE: Final = struct.Struct("!Q")
_BUFFERS_A_WRITE: Final = 512  # the system takes at most 1,024
_PRIORITY: Final = 10  # lower than the event loop's by so much
_PASSED_ON: Final = ("PYTHON", "LD_")  # beginnings of environment variables: no secret is among them


class Processes:
    """See `core.workers.WorkerProcesses`. Threads may share it: there are as many processes as calls at one time."""

    def __init__(self) -> None:
        self._idle: list[_Process] = []
        self._closing = threading.Lock()
        self._closed = False

    def call(
        self,
        work: Callable[Concatenate[bytes, P], T],
        pieces: Pieces,
        *args: P.args,
        **named: P.kwargs,
    ) -> T:
        """See the port."""
        try:
            process = self._idle.pop()
        except IndexError:
            process = _Process()
        try:
            good, answer = process.call((work, args, named), pieces)
        except (OSError, EOFError):
            process.close()
            raise MemoryTaken(
                "The process that reads large requests and answers ended: try again.", retry_after_ms=1_000
            ) from None
        with self._closing:
            if self._closed:
                process.close()
            else:
                self._idle.append(process)
        if good:
            return answer  # type: ignore[return-value]
        assert isinstance(answer, Exception)
        raise answer

    def close(self) -> None:
        """End the processes. One that is at work ends with its work."""
        with self._closing:
            self._closed = True
        while self._idle:
            self._idle.pop().close()


class _Process:
    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)},
                start_new_session=True,  # a Ctrl-C at the terminal is not for it
            )

    def call(self, what: object, pieces: Pieces) -> tuple[bool, object]:
        """Raises OSError and EOFError where the process is gone."""
        call = pickle.dumps(what, 5)
        _send(self._socket, [_CALL.pack(len(call), sum(map(len, pieces))), call, *pieces])
        size, count = _ANSWER.unpack(_received(self._socket, _ANSWER.size))
        sizes = _received(self._socket, _SIZE.size * count)
        answer = _received(self._socket, size)
        buffers = [_received(self._socket, one) for (one,) in _SIZE.iter_unpack(sizes)]
        good, value = pickle.loads(answer, buffers=buffers)  # noqa: S301 - written by a process of this program
        return good, value

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


def serve(line: socket.socket) -> None:
    """Answer calls until the other end is closed."""
    while True:
        try:
            size, length = _CALL.unpack(_received(line, _CALL.size))
            call = _received(line, size)
            data = _received(line, length)
            buffers = _answered(call, data)
            del data  # while it waits for the next call, it keeps nothing
            _send(line, buffers)
        except (OSError, EOFError):
            return
        del buffers


def _answered(call: bytes, data: bytes) -> list[bytes | memoryview]:
    """What is sent back. Gives what was raised, too: its traceback would keep the data, and goes on as a note."""
    result: tuple[bool, object]
    try:
        work, args, named = pickle.loads(call)  # noqa: S301 - written by a process of this program
        result = True, work(data, *args, **named)
    except Exception as error:  # guard: it is raised again on the other side
        if not isinstance(error, Failure):
            error.add_note(traceback.format_exc())
        result = False, error.with_traceback(None)
    beside: list[pickle.PickleBuffer] = []
    answer = pickle.dumps(result, 5, buffer_callback=beside.append)
    buffers = [buffer.raw() for buffer in beside]
    sizes = b"".join(_SIZE.pack(buffer.nbytes) for buffer in buffers)
    return [_ANSWER.pack(len(answer), len(buffers)) + sizes, answer, *buffers]


def _send(line: socket.socket, buffers: Sequence[bytes | memoryview]) -> None:
    """Send all of them. The system copies, and takes part of a buffer where it likes."""
    at = 0
    while at < len(buffers):
        views = [memoryview(buffer) for buffer in buffers[at : at + _BUFFERS_A_WRITE]]
        at += len(views)
        while views:
            sent = line.sendmsg(views)
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if sent:
                views[0] = views[0][sent:]


def _received(line: socket.socket, size: int) -> bytes:
    """Exactly so many bytes. Raises EOFError where they do not come."""
    data = line.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        raise EOFError
    return data


if __name__ == "__main__":
    os.nice(_PRIORITY)
    serve(socket.socket(fileno=int(sys.argv[1])))
