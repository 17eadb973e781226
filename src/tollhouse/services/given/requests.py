"""Which calls are meant."""

from typing import Annotated

from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.services.given.paging import Paging


class RequestQuery(Paging, frozen=True):
    """`status`: 429, or 4xx for a whole class. `since`: 2h (so long ago), a date, or a time with its offset."""

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("a model, or prefix*")] = None
    status: Annotated[str | None, Help("such as 429, or 4xx for a whole class")] = None
    error: Annotated[str | None, Help("a code, such as rate_limit_exceeded")] = None
    since: Annotated[str | None, Help("2h (so long ago), a date, or a time")] = None
