"""What is given to ask those who run the platform, to answer, and to do something about it."""

from typing import Annotated, Literal

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help, Prose
from tollhouse.core.ticket import CONTENT_MAX, TEXT_MAX, TicketFields, TicketSide, TicketState
from tollhouse.services.given.paging import Paging


class NewTicket(TicketFields, frozen=True, kw_only=True):
    """`content`: of what was sent or answered, as far as it is to be shown; nothing of it is kept otherwise.
    `language`: in which the checklist that goes along is said."""

    text: Annotated[str, Help("the question; secrets in it are taken out"), Prose(TEXT_MAX)]
    content: Annotated[
        str | None,
        Help("what was sent or answered, as far as you show it; secrets are taken out"),
        Prose(CONTENT_MAX),
    ] = None
    account: AccountReference = None
    language: str | None = None


class NewTicketMessage(Struct, frozen=True, kw_only=True):
    text: Annotated[str | None, Help("the answer; secrets in it are taken out"), Prose(TEXT_MAX)] = None


class TicketQuery(Paging, frozen=True):
    """Those that changed last are first, or those that wait longest. `turn`: who is to write next."""

    account: AccountReference = None
    state: Annotated[TicketState | None, Help("open or closed; default: both")] = None
    turn: Annotated[TicketSide | None, Help("who is to write next; default: either")] = None
    order: Annotated[
        Literal["changed", "waiting"], Help("waiting: those that wait for the platform, the longest first")
    ] = "changed"


class TicketRefund(Struct, frozen=True, kw_only=True):
    amount_usd: Annotated[str | None, Help("US dollars; absent: all that the call was charged", option="usd")] = None


class TicketLimit(Struct, frozen=True, kw_only=True):
    """On the account, or on the key of the call."""

    kind: Annotated[str, Help("such as requests_per_minute")]
    until: Annotated[str, Help("30d, a date, or a time: then what held before holds again")]
    most: Annotated[int, Help("at most so many")]
    on: Annotated[Literal["account", "key"], Help("on the account, or on the key of the call")] = "account"


class TicketKey(Struct, frozen=True, kw_only=True):
    key: Annotated[str | None, Help("a key of the account, by id or unique name; absent: that of the call")] = None


class TicketRotation(TicketKey, frozen=True, kw_only=True):
    until: Annotated[str | None, Help("when its secret ends: 1d, a date, or a time; absent: at once")] = None
