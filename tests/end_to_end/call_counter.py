"""`python -m tests.end_to_end.call_counter FILE demo ...`: the platform's own command, which counts the Python
functions that its event loop's thread enters between a SIGUSR1 and the next one, and writes the number to FILE. A
coroutine that is resumed is entered again."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tollhouse.cli.command_line import main


class CallCounter:
    def __init__(self, out: Path) -> None:
        self._out = out
        self._counts = False
        self.calls = 0

    def toggle(self, *_: object) -> None:
        self._counts = not self._counts
        if self._counts:
            self.calls = 0
            sys.setprofile(self._count)
        else:
            sys.setprofile(None)
            self._out.write_text(str(self.calls), encoding="ascii")

    def _count(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self.calls += 1


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, CallCounter(Path(sys.argv[1])).toggle)
    sys.argv[0:2] = ["tollhouse"]
    main()
