"""What many routes take: a part of a list, and a reason."""

from typing import Annotated, Final

from msgspec import Struct

from tollhouse.core.fields import Help

LIMIT: Final = 50


class Paging(Struct, frozen=True, kw_only=True):
    """`after`: the `next` of the page before."""

    limit: Annotated[int, Help("how many at most")] = LIMIT
    after: Annotated[str | None, Help("read on behind a page: what its `next` said")] = None


class Reason(Struct, frozen=True, kw_only=True):
    """Why, for the audit."""

    reason: Annotated[str | None, Help("why; kept with the change in the audit")] = None
