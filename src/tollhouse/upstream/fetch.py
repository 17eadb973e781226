"""One request to whoever issues a provider's tokens, over the network of its calls: `providers.credentials.Fetch`."""

from dataclasses import dataclass
from typing import Final

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import UpstreamError
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRequest
from tollhouse.providers.credentials import FetchedResponse
from tollhouse.upstream.address import read_base_url

_DEADLINES: Final = Deadlines(connect_ms=5_000, first_byte_ms=15_000, idle_ms=10_000, total_ms=30_000)
_BYTES_MAX: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class UpstreamFetch:
    """`provider`: whose certificates and proxy are used."""

    upstream: Upstream
    provider: Provider
    allow_networks: tuple[str, ...] = ()

    async def __call__(self, method: bytes, url: str, headers: Headers, body: bytes) -> FetchedResponse:
        base, mark, query = url.partition("?")
        try:
            route, path = read_base_url(
                base, ca_file=self.provider.ca_file, proxy=self.provider.proxy, allow_networks=self.allow_networks
            )
        except ValueError as error:
            raise UpstreamError(f"The provider's tokens cannot be asked for: {error}.") from None
        slash = "/" if base.endswith("/") or not path else ""
        target = f"{path}{slash}{mark}{query}".encode()
        call = UpstreamRequest(
            route=route, method=method, target=target, headers=headers, body=body, deadlines=_DEADLINES
        )
        answer = await self.upstream.send(call)
        found = bytearray()
        while piece := await answer.read():
            found += piece
            if len(found) > _BYTES_MAX:
                answer.abort()
                raise UpstreamError("The provider answered the question for a token with more than 1 MiB.")
        return FetchedResponse(answer.status, answer.headers, bytes(found))
