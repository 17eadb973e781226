"""Which statement is meant."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help


class StatementQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None
    month: Annotated[str | None, Help("YYYY-MM, of UTC; absent: this one")] = None
