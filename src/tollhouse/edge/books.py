"""What the pages about money have at hand: the office, and how an answer is written.

None of them changes anything, asks a provider or passes a limit: they answer when the money is gone, too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from tollhouse.core.account import Identity
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.office.office import Office

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class About:
    """What the platform says of itself to anyone. `address`: the one people reach it by; may be empty."""

    name: str = "tollhouse"
    version: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    office: Office
    about: About = field(default=About())


Page: TypeAlias = Callable[[Books, Exchange, Identity], Awaitable[None]]
"""(books, request, who asks). The dispatcher has judged them: no page is reached without."""


async def tell(exchange: Exchange, body: object) -> None:
    await exchange.whole(200, [JSON, (b"cache-control", b"no-store")], _encode(body))


def number(text: str) -> msgspec.Raw:
    """A number of JSON as it is written here, digit for digit."""
    return msgspec.Raw(text.encode("ascii"))
