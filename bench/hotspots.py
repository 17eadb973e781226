"""Where the time goes: py-spy watches the gateway under load, and its samples are counted by room and by function."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOM = re.compile(r"tollhouse/(\w+)(?:\.py|/)")
_SAMPLES_PER_S = 500


@contextmanager
def watched(pid: int, seconds: int, out: Path) -> Iterator[None]:
    """Sample a process while the block runs; `out` gets one line a stack: `outermost;...;innermost count`."""
    program = Path(sys.executable).with_name("py-spy")
    command = [program, "record", "--pid", pid, "--duration", seconds, "--rate", _SAMPLES_PER_S]
    options = ["--format", "raw", "--full-filenames", "--subprocesses", "--output", out]
    with subprocess.Popen([str(word) for word in (*command, *options)], stdout=subprocess.DEVNULL) as process:
        yield
        process.wait(seconds + 30)


def summary(raw: str, rows: int = 25) -> str:
    """Two tables: each room's own share of the samples, and the functions in which most of them fell.

    Time in C (the parser, the event loop, the kernel) counts for the Python line that called it.
    """
    rooms: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        innermost = stack.rpartition(";")[2]
        rooms[_room(innermost)] += int(count)
        places[_short(innermost)] += int(count)
    total = sum(rooms.values()) or 1
    lines = ["share  room"]
    lines += [f"{count / total:6.1%} {room}" for room, count in rooms.most_common()]
    lines += ["", "share  function"]
    lines += [f"{count / total:6.1%} {place}" for place, count in places.most_common(rows)]
    return "\n".join(lines)


def _room(frame: str) -> str:
    found = _ROOM.search(frame)
    if found:
        return f"tollhouse/{found[1]}"
    packaged = re.search(r"site-packages/(\w+)", frame)
    return packaged[1] if packaged else "Python's own library"


def _short(frame: str) -> str:
    """`function (path:line)` without the line and without what all paths share."""
    without_line = re.sub(r":\d+\)$", ")", frame)
    return re.sub(r"\((?:.*/(?:site-packages|src|lib/python[\d.]+)/)?", "(", without_line, count=1)
