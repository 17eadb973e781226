"""What people are told, once each: that a line was crossed. And the ways by which a notice leaves the platform."""

from base64 import b32encode
from hashlib import sha256
from typing import Literal

from msgspec import Struct, json

from tollhouse.core.channel import Channel
from tollhouse.core.instant import rfc3339

NoticeType = Literal[
    "budget.threshold",
    "balance.low",
    "key.expiring",
    "spend.unusual",
    "key.leaked",
    "key.old_secret_leaked",
    "alerts.folded",
    "alerts.paused",
    "address.confirm",
    "alert.test",
    "person.invitation",
    "person.account",
    "person.reset",
    "person.address",
    "person.known",
    "person.changed",
    "ticket.asked",
    "ticket.answered",
]
"""`ticket.*`: to those who run the platform; to those of an account who wrote in it.
`person.*`: to one person, about how they sign in; not to an account's owners or webhooks."""

DeliveryState = Literal["pending", "sent", "failed", "folded"]
"""folded: beyond what an account may cause to be sent in a day; an `alerts.folded` tells of it."""


class Notice(Struct, frozen=True, kw_only=True):
    """What happened. The same `type`, `object_id`, `episode` and `mark` are told once, whoever tries again.

    `episode`: the start of a budget's window, a key's expiry, a day (Unix ms); of a low balance, all that had been put
    in (nano-USD). `mark`: percent or days; 0 where there is only one. `data`: as in the body of a webhook.
    """

    id: str  # msg_...: the same on every way and at every try
    type: NoticeType
    object_id: str  # the budget, account or key it is about
    episode: int
    mark: int
    account_id: str
    time_ms: int
    data: dict[str, str | int | None]

    def body(self) -> bytes:
        """What a webhook receives: `{"type", "timestamp", "data"}`."""
        return json.encode({"type": self.type, "timestamp": rfc3339(self.time_ms), "data": self.data})


class Delivery(Struct, frozen=True, kw_only=True):
    """One notice on one way. `address`: a URL, or mail addresses with `, ` between them. `budget_id`: whose webhook it
    is. `due_ms`: when it is tried next; while somebody tries, when his claim lapses."""

    id: str
    notice_id: str
    channel: Channel
    address: str
    budget_id: str | None = None
    state: DeliveryState = "pending"
    attempts: int = 0
    due_ms: int = 0  # at once
    ended_at_ms: int | None = None
    answer: str | None = None  # what came of the last try, for people


class Outgoing(Struct, frozen=True, kw_only=True):
    """A notice as it leaves for one address: a URL, or mail addresses with `, ` between them. `subject` and `text` are
    for people, `body` for programs. `secret`: what the body is signed with, where the channel signs. `account_id`: who
    chose the address; empty: the operator."""

    id: str  # of the notice: the same at every try
    account_id: str
    address: str
    subject: str
    text: str
    body: bytes
    secret: str = ""


def shown(address: str) -> str:
    """The address of a channel as people may read it: behind its host, a webhook's holds what lets people in; that of a
    chat service is nothing else."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/..." if scheme in ("http", "https") else f"{scheme}://..."


Receiver = tuple[str, Channel, str]
"""Account, way and address: what of one account goes to one place."""


class DueDelivery(Struct, frozen=True, kw_only=True):
    """A delivery that is due, as far as who chooses the next one has to know it."""

    id: str
    address: str
    due_ms: int
    attempts: int
    time_ms: int
    mark: int


class MailAddress(Struct, frozen=True, kw_only=True):
    """A mail address outside an account that somebody of it has named. `address`: in lower case. `token`: what the
    mail that asked holds; None where nobody need be asked any more. Nothing else is sent before it is confirmed."""

    account_id: str
    address: str
    token: str | None
    asked_at_ms: int
    confirmed_at_ms: int | None = None
    confirmed_by: str | None = None  # `recipient`, or the operator's id


class QueuedDelivery(Struct, frozen=True, kw_only=True):
    """A notice on its way."""

    notice: Notice
    delivery: Delivery


class DeliveryResult(Struct, frozen=True, kw_only=True):
    """What came of one try. `final`: trying again cannot help. `left`: of several addresses, those still to be told."""

    ok: bool
    words: str  # for people: the receiver's first words, or why it failed; never a secret
    status: int | None = None  # of HTTP or SMTP
    final: bool = False
    left: tuple[str, ...] = ()


def notice_id(type: NoticeType, object_id: str, episode: int, mark: int) -> str:  # noqa: A002 - the field's name
    """Made from what is told, so that whoever tells it again tells it by the same id."""
    digest = sha256(f"{type} {object_id} {episode} {mark}".encode()).digest()
    return f"msg_{b32encode(digest).decode()[:26].lower()}"
