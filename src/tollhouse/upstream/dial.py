"""How a connection comes about: resolve, judge, connect (through a proxy or not), TLS.

The addresses of a name are tried one after the other in the resolver's order (plain getaddrinfo, no Happy Eyeballs),
each with an equal share of the time that is left, so that one silent address does not use up the connect deadline.
Only an address that was judged is dialled. Behind a proxy the proxy's address is judged, and of the provider's what
its text says: its name is resolved over there.
"""

import asyncio
import os
import ssl
from contextlib import ExitStack

from tollhouse.core.failure import Failure, UpstreamUnreachable
from tollhouse.core.upstream import UpstreamRoute
from tollhouse.upstream.address import forbidden, forbidden_host, is_address
from tollhouse.upstream.connection import ConnectionOwner, UpstreamConnection
from tollhouse.upstream.proxy import Proxy, read_proxy, tunnel
from tollhouse.upstream.resolve import Resolver, in_thread
from tollhouse.upstream.tls import Contexts, in_words


def authority(route: UpstreamRoute, *, always_port: bool = False) -> str:
    """Host and port as they stand in `Host` and CONNECT; the scheme's own port only where it must be named."""
    host = f"[{route.host}]" if ":" in route.host else route.host
    usual = 443 if route.scheme == "https" else 80
    return host if route.port == usual and not always_port else f"{host}:{route.port}"


class Dialer:
    """`by_account`: names are looked up in the turns of the account that chose them."""

    def __init__(self, resolver: Resolver, *, by_account: bool = False) -> None:
        self._resolver = resolver
        self._by_account = by_account
        self._contexts = Contexts()

    async def dial(
        self, route: UpstreamRoute, owner: ConnectionOwner, until: float, account_id: str = ""
    ) -> UpstreamConnection:
        """A new connection, TLS included, by `until` (loop time). `account_id`: for whom it is.

        Raises UpstreamUnreachable, and TimeoutError where the last address did not answer in its time.
        """
        loop = asyncio.get_running_loop()
        proxy = read_proxy(route.proxy) if route.proxy else None
        if reason := forbidden_host(route.host, route):
            raise UpstreamUnreachable(reason)
        context = None
        if route.scheme == "https":
            context = self._contexts.get(route.ca_file) or await in_thread(lambda: self._contexts.read(route.ca_file))
        host, port = (route.host, route.port) if proxy is None else (proxy.host, proxy.port)
        addresses = await self._addresses(host, port, route, account_id)
        failure: Failure | TimeoutError = UpstreamUnreachable("the provider's name has no address")
        for index, address in enumerate(addresses):
            share = (until - loop.time()) / (len(addresses) - index)
            try:
                async with asyncio.timeout(share):
                    return await _open(route, owner, address, proxy, context)
            except TimeoutError as error:
                failure = error
            except ssl.SSLError as error:
                raise UpstreamUnreachable(in_words(error)) from None
            except OSError as error:
                failure = UpstreamUnreachable(
                    f"no connection to the {'proxy' if proxy else 'provider'}: {_said(error)}"
                )
        raise failure

    async def _addresses(self, host: str, port: int, route: UpstreamRoute, account_id: str) -> list[str]:
        """The addresses that may be dialled. Raises UpstreamUnreachable where there are none."""
        try:
            found = (
                [host]
                if is_address(host)
                else await self._resolver.addresses(host, port, account_id if self._by_account else "")
            )
        except (OSError, UnicodeError):
            raise UpstreamUnreachable("the provider's host name could not be resolved") from None
        judged = [(address, forbidden(address, route)) for address in found]
        allowed = [address for address, reason in judged if reason is None]
        if not allowed and judged:
            raise UpstreamUnreachable(judged[0][1] or "")
        return allowed


async def _open(
    route: UpstreamRoute, owner: ConnectionOwner, address: str, proxy: Proxy | None, context: ssl.SSLContext | None
) -> UpstreamConnection:
    loop = asyncio.get_running_loop()
    name = route.host if context else None
    if proxy is None:
        _, direct = await loop.create_connection(
            lambda: UpstreamConnection(owner), address, route.port, ssl=context, server_hostname=name
        )
        return direct
    connection = UpstreamConnection(owner)
    transport = await tunnel(proxy, address, authority(route, always_port=True))
    with ExitStack() as undo:
        undo.callback(transport.abort)
        if context is not None:
            secured = await loop.start_tls(transport, connection, context, server_hostname=name)
            assert secured is not None
            connection.connection_made(secured)
        else:
            transport.set_protocol(connection)
            connection.connection_made(transport)
            transport.resume_reading()
        undo.pop_all()
    return connection


def _said(error: OSError) -> str:
    """The system's words for it. The exception's own text names the address."""
    return os.strerror(error.errno).lower() if error.errno else "it could not be reached"
