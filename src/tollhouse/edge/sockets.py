"""Listening sockets: TCP addresses, and Unix sockets that only this user may open."""

import asyncio
import errno
import os
import socket
from pathlib import Path
from typing import Final

from msgspec import Struct

from tollhouse.edge.exchange import App
from tollhouse.edge.socket_path import short

BACKLOG: Final = 2048  # connections the system takes on our behalf while the loop is busy


class ListenAddress(Struct, frozen=True, kw_only=True):
    """Where one application is served: `host` and `port` (0: any free one), or `path`, a Unix socket of mode 0600.

    serves_while_draining: requests are taken until the listener closes; else they get 503 from the first signal on.
    """

    app: App
    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""
    serves_while_draining: bool = False


async def bind(address: ListenAddress) -> list[socket.socket]:
    """One listening socket for each meaning of a host name, all on one port. Raises OSError where none can be had."""
    if address.path:
        return [_bind_unix(Path(address.path))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    port = address.port
    for family, _, _, _, name in dict.fromkeys(found):
        try:
            bound.append(_bind_tcp(family, (name[0], port, *name[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) or (not bound and len(found) == 1):
                for each in bound:
                    each.close()
                raise OSError(error.errno, f"cannot listen on {name[0]} port {port}: {error.strerror}") from None
        else:
            port = bound[-1].getsockname()[1]
    if not bound:
        raise OSError(errno.EADDRNOTAVAIL, f"cannot listen on {address.host}: this machine has no such address")
    return bound


def _bind_tcp(family: int, name: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(name)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _bind_unix(path: Path) -> socket.socket:
    """A socket file that a dead process left behind is replaced; one that answers is somebody else's."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short(path) as name:
            if path.is_socket():
                _require_dead(path, name)
                path.unlink()
            mask = os.umask(0o177)
            try:
                listening.bind(name)
            finally:
                os.umask(mask)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {path}: {error.strerror or error}") from None
    return listening


def _require_dead(path: Path, name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(name) == 0:
            raise OSError(errno.EADDRINUSE, f"another process listens on {path}")
