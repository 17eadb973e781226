"""Who works on a database: written by the process that holds its lock, read by those whom the lock keeps out."""

import os
import socket

from msgspec import Struct

from tollhouse.core.instant import utc_day


class Holder(Struct, frozen=True, kw_only=True):
    command: str  # `serve`, `demo`, or another command that changes rows
    host: str
    pid: int
    since_ms: int
    address: str = ""  # base URL that it serves at; empty: none, or not known yet

    def __str__(self) -> str:
        at = f" at {self.address}" if self.address else ""
        return f"tollhouse {self.command} (process {self.pid} on {self.host}){at}, since {utc_day(self.since_ms)}"


def this_process(command: str, now_ms: int) -> Holder:
    return Holder(command=command, host=socket.gethostname(), pid=os.getpid(), since_ms=now_ms)
