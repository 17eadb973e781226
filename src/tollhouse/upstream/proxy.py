"""A tunnel through an HTTP proxy (CONNECT, RFC 9110 9.3.6), for http and https providers alike."""

import asyncio
from base64 import b64encode
from contextlib import ExitStack
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct

from tollhouse.core.failure import UpstreamUnreachable
from tollhouse.upstream.address import read_proxy_url

_HEAD_BYTES_MAX: Final = 16_384


class Proxy(Struct, frozen=True):
    host: str
    port: int
    authorization: bytes = b""  # Basic, ready for the header


def read_proxy(text: str) -> Proxy:
    """Read `http://[user:password@]host:port`; both may be percent-encoded. Raises ValueError, which quotes nothing."""
    parts, host, port = read_proxy_url(text)
    authorization = b""
    if parts.username is not None:
        pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
        authorization = b"Basic " + b64encode(pair)
    return Proxy(host, port, authorization)


async def tunnel(proxy: Proxy, address: str, authority: str) -> asyncio.Transport:
    """Connect to the proxy at `address` and have it connect on to `authority` (host:port).

    The transport comes back paused, so that whoever takes it over misses nothing. Raises UpstreamUnreachable where the
    proxy refuses or answers nonsense, OSError where it cannot be reached.
    """
    loop = asyncio.get_running_loop()
    transport, asking = await loop.create_connection(lambda: _ConnectRequest(loop), address, proxy.port)
    with ExitStack() as undo:
        undo.callback(transport.abort)
        head = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n" % (authority.encode(), authority.encode())
        if proxy.authorization:
            head += b"proxy-authorization: %b\r\n" % proxy.authorization
        transport.write(head + b"\r\n")
        status = await asking.status
        if not 200 <= status <= 299:
            raise UpstreamUnreachable(f"the proxy refused to connect to the provider (status {status})")
        undo.pop_all()
    return transport


class _ConnectRequest(asyncio.Protocol):
    """Waits for the head of the proxy's answer; `status` is its outcome."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.status: asyncio.Future[int] = loop.create_future()
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._bytes = 0
        self._found = 0  # the status
        self._surplus = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._settle(failure="the proxy's answer is not valid HTTP/1.1")
            return
        # Neither TLS nor HTTP lets the far side speak first: whatever follows the head is not the provider.
        if 200 <= self._found <= 299 and self._surplus:
            self._settle(failure="the proxy sent more than its answer")
        elif self._found >= 200:
            self._settle(status=self._found)
        elif self._bytes > _HEAD_BYTES_MAX:
            self._settle(failure=f"the proxy's answer has more than {_HEAD_BYTES_MAX} bytes of headers")

    def connection_lost(self, error: Exception | None) -> None:
        self._settle(failure="the proxy closed the connection")

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        if not self._found:
            status = self._parser.get_status_code()
            self._found = status if status >= 200 else 0

    def on_message_begin(self) -> None:
        self._surplus = self._found != 0

    def on_body(self, data: bytes) -> None:
        self._surplus = True

    def _settle(self, status: int = 0, failure: str = "") -> None:
        self._parser = None
        if self.status.done():
            return
        if failure:
            self.status.set_exception(UpstreamUnreachable(failure))
            return
        assert self._transport is not None
        self._transport.pause_reading()
        self.status.set_result(status)
