"""Which account is looked at."""

from msgspec import Struct

from tollhouse.core.fields import AccountReference
from tollhouse.services.given.paging import Paging


class OverviewQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None


class FiguresQuery(Paging, frozen=True):
    """With an account: its figures alone."""

    account: AccountReference = None
