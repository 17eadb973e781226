"""`python -m tests.end_to_end.call_counter FILE demo ...`: the platform's own command, which counts the Python
functions that its event loop's thread enters between a SIGUSR1 and the next one, and writes their numbers to FILE. A
coroutine that is resumed is entered again."""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tollhouse.cli.command_line import main


class CallCounter:
    """FILE holds JSON: how often each function was entered, by its file and name."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._counts = False
        self._calls: Counter[CodeType] = Counter()

    def toggle(self, *_: object) -> None:
        self._counts = not self._counts
        if self._counts:
            self._calls.clear()
            sys.setprofile(self._count)
        else:
            sys.setprofile(None)
            named = {f"{code.co_filename}:{code.co_qualname}": count for code, count in self._calls.items()}
            self._out.write_text(json.dumps(named), encoding="utf-8")

    def _count(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._calls[frame.f_code] += 1


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, CallCounter(Path(sys.argv[1])).toggle)
    sys.argv[0:2] = ["tollhouse"]
    main()
