"""Whose alerts are meant, and where one is tried."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help
from tollhouse.services.given.paging import Paging


class AlertQuery(Paging, frozen=True):
    account: AccountReference = None


class AlertTest(Struct, frozen=True, kw_only=True):
    """One of them."""

    budget: Annotated[str | None, Help("a budget: everybody whom it tells")] = None
    webhook: Annotated[str | None, Help("an address that takes webhooks")] = None
    mail: Annotated[str | None, Help("a mail address")] = None
