"""What is given to invite people, to list them and to change what they may."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Fields, Help

_ROLES = "owner, admin, developer or viewer; of those who run the platform: operator, finance, support or viewer"


class PersonFields(Fields, frozen=True):
    email: Annotated[str, Help("by which they sign in")]
    role: Annotated[str, Help(_ROLES)]


class NewInvitation(Struct, frozen=True, kw_only=True):
    email: Annotated[str, Help("who is to come")]
    role: Annotated[str, Help(_ROLES, shown=True)] = "developer"
    account: Annotated[str | None, Help("of which account, by id or unique name; absent: the caller's own")] = None
    platform: Annotated[bool, Help("to run the platform, and not for an account")] = False
    language: Annotated[str | None, Help("of the mail, such as zh-CN; absent: the platform's first one")] = None
    new_account: Annotated[bool, Help("to open an account of their own ([platform] sign_up = invite or open)")] = False


class PeopleQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None
    platform: Annotated[bool, Help("those who run the platform")] = False


class RoleChange(Struct, frozen=True, kw_only=True):
    role: Annotated[str | None, Help(_ROLES)] = None
