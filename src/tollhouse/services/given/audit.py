"""Which changes are meant."""

from typing import Annotated

from msgspec import field

from tollhouse.core.fields import AccountReference, Help
from tollhouse.services.given.paging import Paging


class AuditQuery(Paging, frozen=True):
    account: AccountReference = None
    object_id: Annotated[str | None, Help("only changes of this id", option="object")] = field(
        default=None, name="object"
    )
