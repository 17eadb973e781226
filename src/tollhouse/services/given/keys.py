"""What is given to make a key, to give it a new secret, and to list keys."""

from typing import Annotated, Final, Literal

from msgspec import Struct, field

from tollhouse.core.account import KeyFields
from tollhouse.core.fields import AccountReference, Help, ProjectReference
from tollhouse.services.given.paging import Paging

FOUND_MAX: Final = 500
"""Keys that were found, of one report."""


class NewKeyFields(KeyFields, frozen=True):
    account: AccountReference = None  # absent: the caller's own, or the only one there is
    project: ProjectReference = None  # absent: the account's `default`
    scopes: Annotated[tuple[str, ...], Help("inference, usage; default both", option="scope")] = ("inference", "usage")


class NewKey(NewKeyFields, frozen=True):
    expires: Annotated[str | None, Help("30d, 2027-01-31, or a time; default never")] = None


class KeyQuery(Paging, frozen=True):
    account: AccountReference = None
    project: ProjectReference = None


class Rotation(Struct, frozen=True, kw_only=True):
    overlap: Annotated[str, Help("how long the old secret stays valid, up to 7d; default 0s")] = "0s"
    counted_from: Annotated[Literal["now", "first-use"], Help("what the overlap is counted from", option="from")] = (
        field(default="now", name="from")
    )
    expires: Annotated[str | None, Help("a new expiry; needed when the old one is past")] = None
