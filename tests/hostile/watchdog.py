"""`python -m tests.hostile.watchdog serve ...`: the platform's own command, with each callback of its loop timed.

It runs on asyncio's own loop, for uvloop tells nobody what it runs. Each callback is timed by the CPU clock of the
loop's thread, so that a busy machine is not blamed on a caller. What takes longer than the bound is a line in the file
HOSTILE_WATCH: when, how long, and where the thread was. HOSTILE_SLOW_NAMES: see slow_names.py.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

BOUND_MS: Final = 5.0
_LOOK_SECONDS: Final = 0.003


class Watch:
    """Times what the loop's thread runs; a second thread looks where it is when it has been at it for long."""

    def __init__(self, notes: TextIO) -> None:
        self._notes = notes
        self._number = 0
        self._running = False
        self._seen: tuple[int, str] = (0, "")
        self._thread_id = threading.get_ident()
        self._over = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()

    def timed(self, run: Any) -> Any:
        clock = time.thread_time_ns

        def _run(handle: asyncio.Handle) -> None:
            self._number += 1
            self._running = True
            callback = getattr(handle, "_callback", None)  # one that closes its connection cancels itself
            began = clock()
            try:
                run(handle)
            finally:
                taken_ms = (clock() - began) / 1e6
                self._running = False
                if taken_ms > BOUND_MS:
                    self._note(taken_ms, callback)

        return _run

    def _note(self, taken_ms: float, callback: object) -> None:
        number, where = self._seen
        what = where if number == self._number else _name(callback)
        self._notes.write(json.dumps({"at": time.monotonic(), "cpu_ms": round(taken_ms, 2), "what": what}) + "\n")
        self._notes.flush()

    def _look(self) -> None:
        before = 0
        while not self._over.wait(_LOOK_SECONDS):
            if self._running and self._number == before and self._seen[0] != before:
                frame = sys._current_frames().get(self._thread_id)
                if frame is not None:
                    self._seen = (before, _place(frame))
            before = self._number


def _place(frame: FrameType | None) -> str:
    """The three innermost places within the platform."""
    found: list[str] = []
    while frame is not None and len(found) < 3:
        path = frame.f_code.co_filename
        if "/tollhouse/" in path or not found:
            found.append(f"{path.rpartition('/tollhouse/')[2]}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def _name(callback: object) -> str:
    task = getattr(callback, "__self__", None)
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    return str(getattr(coroutine, "__qualname__", None) or getattr(callback, "__qualname__", None) or callback)


def main() -> None:
    import uvloop

    from tests.hostile import slow_names

    slow_names.install(int(os.environ.get("HOSTILE_SLOW_NAMES", "0")))
    uvloop.new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]
    notes = Path(os.environ["HOSTILE_WATCH"]).open("w")  # noqa: SIM115 - as long as the process lives
    watch = Watch(notes)
    asyncio.Handle._run = watch.timed(asyncio.Handle._run)  # type: ignore[method-assign]
    watch.begin()

    from tollhouse.cli import main as tollhouse

    tollhouse()


if __name__ == "__main__":
    main()
