"""A resolver that takes its time for names below `.slow.test`: what a customer can make of a name server of his own.

The wait stands where the system's resolver would wait, in the thread that asked, and frees it no sooner.
"""

import socket
import threading
from typing import Any, Final

SUFFIX: Final = ".slow.test"


def install(seconds: int) -> None:
    """From now on `socket.getaddrinfo` waits so long for such a name, and then knows no address. 0: as before."""
    if not seconds:
        return
    look_up = socket.getaddrinfo

    def slow(host: Any, *rest: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.rstrip(".").endswith(SUFFIX):
            threading.Event().wait(seconds)
            raise socket.gaierror(socket.EAI_AGAIN, "slow name server")
        return look_up(host, *rest, **named)

    socket.getaddrinfo = slow
