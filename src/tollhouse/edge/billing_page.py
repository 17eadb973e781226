"""What pages about money share: what they are given, and how an answer is written.

None of them changes anything, asks a provider or passes a limit: they answer when the money is gone, too.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from tollhouse.core.account import Identity
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.services.context import ServiceContext

_encode = msgspec.json.Encoder().encode

BillingHandler: TypeAlias = Callable[[ServiceContext, Exchange, Identity], Awaitable[None]]
"""(services, request, who asks). The dispatcher has judged them: no page is reached without."""


async def tell(exchange: Exchange, body: object) -> None:
    await exchange.send_response(200, [JSON, (b"cache-control", b"no-store")], _encode(body))


def number(text: str) -> msgspec.Raw:
    """A number of JSON as it is written here, digit for digit."""
    return msgspec.Raw(text.encode("ascii"))
