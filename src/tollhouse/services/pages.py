"""Lists in pages: the cursor is opaque to callers, and says where the page before ended."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import Paging
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")

LIMIT_MAX = 500
CURSOR_MAX = 300
_DIGITS_MAX = 18  # of a time in a row, which databases count to 2^63


class Page(Struct, Generic[T], frozen=True):
    records: tuple[T, ...]  # newest first
    next: str | None = None  # given back as `after`; None at the end


def _newest_by(one: Any) -> Cursor:
    return one.created_at_ms, one.id


async def read_page(
    services: ServiceContext,
    given: Paging,
    ask: Callable[[SqlRepositories], Callable[..., Sequence[T]]],
    place_of: Callable[[T], Cursor] = _newest_by,
    /,
    **narrowed: str | None,
) -> Page[T]:
    """One page of a list, newest first. ask: such as `lambda tables: tables.budgets.page`; narrowed: what it is asked
    besides. Raises BadRequest."""
    before, asked = parse_cursor(given.after), limit(given.limit) + 1
    found = await services.rows.read(lambda tables: ask(tables)(before=before, limit=asked, **narrowed))
    return page(found, given.limit, place_of)


def parse_cursor(after: str | None) -> Cursor | None:
    """Read a cursor. Raises BadRequest."""
    if after is None:
        return None
    try:
        if len(after) > CURSOR_MAX:
            raise ValueError
        time_ms, _, row_id = base64.urlsafe_b64decode(after.encode("ascii")).decode("ascii").partition(":")
        if not (time_ms.isdigit() and len(time_ms) <= _DIGITS_MAX and row_id.isprintable()):
            raise ValueError
        return int(time_ms), row_id
    except (ValueError, binascii.Error):
        raise BadRequest("after: this is no cursor; give back `next` of the page before", param="after") from None


def limit(count: int) -> int:
    if not 1 <= count <= LIMIT_MAX:
        raise BadRequest(
            Phrase("limit: %(count)s is not between 1 and %(most)s", count=count, most=LIMIT_MAX), param="limit"
        )
    return count


def page(records: Sequence[T], count: int, place_of: Callable[[T], Cursor]) -> Page[T]:
    """Of `count + 1` records asked for: the page, and whether there is another."""
    if len(records) <= count:
        return Page(tuple(records))
    return Page(tuple(records[:count]), cursor(place_of(records[count - 1])))


def cursor(parse_cursor: Cursor) -> str:
    """What `place` reads."""
    time_ms, row_id = parse_cursor
    return base64.urlsafe_b64encode(f"{time_ms}:{row_id}".encode()).decode()
