"""What the pages about money have at hand: the office, who may read, and how an answer is written.

None of them changes anything, asks a provider or passes a limit: they answer when the money is gone, too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from tollhouse.access.judge import present_and_judge, present_and_read
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


Page: TypeAlias = Callable[[Books, Exchange, str], Awaitable[None]]
"""(books, request, the caller's address)"""


def reader(books: Books, exchange: Exchange, address: str) -> Identity:
    """Whose bill is asked for: any key that is known, with the scope `usage`, from where it may be used, also while it
    is frozen. Raises KeyRefused, BadRequest, AddressNotAllowed, ScopeMissing."""
    office = books.office
    return present_and_read(
        exchange.headers,
        exchange.scope["query_string"],
        find=office.directory.find,
        now_ms=office.clock.now_ms(),
        address=address,
    )


def owner(books: Books, exchange: Exchange, address: str) -> Identity:
    """An admin key that may be used. Raises what `access.judge.present_and_judge` does."""
    office = books.office
    return present_and_judge(
        exchange.headers,
        exchange.scope["query_string"],
        gemini_query_allowed=False,
        find=office.directory.find,
        now_ms=office.clock.now_ms(),
        address=address,
        need="admin",
    )


async def tell(exchange: Exchange, body: object) -> None:
    await exchange.whole(200, [JSON, (b"cache-control", b"no-store")], _encode(body))


def number(text: str) -> msgspec.Raw:
    """A number of JSON as it is written here, digit for digit."""
    return msgspec.Raw(text.encode("ascii"))
