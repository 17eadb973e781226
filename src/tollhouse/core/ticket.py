"""A ticket: a question of an account to those who run the platform, mostly about one call, with its thread."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Struct

from tollhouse.core.fields import Fields, Help

TEXT_MAX: Final = 8_000
CONTENT_MAX: Final = 20_000
SUBJECT_MAX: Final = 150
TicketState = Literal["open", "closed"]
TicketSide = Literal["account", "platform"]
"""Who writes, and whose turn it is."""
TicketEvent = Literal["refund", "limit", "rotate", "freeze", "close"]
"""What was done, told within the thread. refund: a call's charge was given back. limit: one was raised. rotate: a key's
secret ended. freeze: a key is refused until it is unfrozen. close: nobody has to answer any more."""


class TicketFields(Fields, frozen=True, kw_only=True):
    subject: Annotated[str, Help("what it is about, in one line")]
    request_id: Annotated[str | None, Help("the call that it is about", option="request")] = None


class Ticket(TicketFields, frozen=True, kw_only=True):
    """`bundle`: what is known of the call, by name, as it was when it was reported. `content`: what the customer chose
    to send of it; empty: nothing. `turn`: who is to write next. `messages`: how many stand in the thread.
    `asked_at_ms`: when the account wrote what waits for an answer, the first of it; of an answered one, when it did."""

    id: str  # tkt_...
    account_id: str
    state: TicketState = "open"
    turn: TicketSide = "platform"
    bundle: Mapping[str, str] = {}
    content: str = ""
    opened_by: str  # the actor's id
    messages: int = 0
    created_at_ms: int
    changed_at_ms: int
    asked_at_ms: int


class TicketMessage(Struct, frozen=True, kw_only=True):
    """A text that somebody wrote, or an event. `told`: of an event, such as its amount, by name."""

    id: str  # tmg_...
    ticket_id: str
    side: TicketSide
    author_id: str  # the actor's id
    author_kind: str
    text: str = ""
    event: TicketEvent | None = None
    told: Mapping[str, str] = {}
    created_at_ms: int
