"""What a tree of processes costs: CPU time and memory, as the kernel counts them. Linux only."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """cpu_s: user and system time of every thread since the start, in seconds. rss: resident bytes now."""

    cpu_s: float
    rss: int


def cost(pid: int) -> Cost:
    """The cost of a process and all that descend from it."""
    stats = [_stat(member) for member in _tree(pid)]
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in stats if fields)
    return Cost(cpu_s=ticks / _TICKS_PER_S, rss=sum(int(fields[21]) for fields in stats if fields) * _PAGE)


def _tree(pid: int) -> Iterator[int]:
    parents = {int(entry): _stat(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()}
    waiting = [pid]
    while waiting:
        member = waiting.pop()
        yield member
        waiting += [child for child, fields in parents.items() if fields and int(fields[1]) == member]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from `state` on (the name before it may hold blanks); empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def cores() -> tuple[int, int]:
    """The core that is measured and the core that does the rest. One core has to do for both where there is one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]
