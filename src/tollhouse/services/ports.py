"""What the services needs of a database, as ports; `store` has the real ones.

The rows of a family are good for one transaction, in the thread that runs it: an action is a plain function on
`Repositories`. `save` replaces the row with the same id, `get` gives None where there is none, `page` gives the newest
first.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from tollhouse.billing.budgets import Budget
from tollhouse.billing.ledger import Entry, Transfer
from tollhouse.billing.prices import Price
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import AuditRow
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.channel import Channel, ChannelBounds
from tollhouse.core.code import Code
from tollhouse.core.counter import BudgetCounter
from tollhouse.core.limit import Rule
from tollhouse.core.money import Money
from tollhouse.core.notice import (
    Delivery,
    DeliveryResult,
    DueDelivery,
    MailAddress,
    Notice,
    Outgoing,
    QueuedDelivery,
    Receiver,
)
from tollhouse.core.person import Person
from tollhouse.core.price import PriceDraft, PriceRow
from tollhouse.core.retention import Retention
from tollhouse.core.roll_up import BucketSum, UsageBy, UsageSum
from tollhouse.core.session import Session
from tollhouse.core.usage_record import UsageRecord
from tollhouse.limits.sending import Sending

T = TypeVar("T")
R = TypeVar("R")

Cursor = tuple[int, str]
"""(time in Unix milliseconds, id): where a page ended."""


READ_MS = 10_000
"""What a question may take, if nothing else is said."""


class RecordRepository(Protocol[R]):
    """Rows that are found by their id. A family that is asked more has a protocol of its own below."""

    def add(self, one: R, /) -> None: ...
    def save(self, one: R, /) -> None: ...
    def remove(self, row_id: str, /) -> None: ...
    def get(self, row_id: str, /) -> R | None: ...
    def list_all(self) -> list[R]: ...
    def page(self, *, before: Cursor | None, limit: int, **narrowed: str | None) -> list[R]:
        """narrowed: what columns hold, such as `account_id`; None does not narrow."""
        ...


class ProjectRepository(RecordRepository[Project], Protocol):
    def active_named(self, account_id: str, name: str) -> Project | None: ...


class PersonRepository(RecordRepository[Person], Protocol):
    def by_email(self, email: str) -> Person | None: ...


class UsageRepository(Protocol):
    def sums(
        self,
        by: UsageBy,
        *,
        from_ms: int,
        to_ms: int,
        account_id: str | None = None,
        project_id: str | None = None,
        key_id: str | None = None,
        mode: str | None = None,
    ) -> list[UsageSum]: ...
    def in_buckets(
        self,
        kind: str | None,
        account_id: str,
        *,
        from_ms: int,
        to_ms: int,
        width_ms: int,
        by: Collection[str] = (),
        narrowed: Mapping[str, Sequence[str]],
    ) -> list[BucketSum]:
        """What live calls used in each hour or day of UTC. by: of `project_id`, `key_id`, `model`."""
        ...


class SpendRepository(Protocol):
    def by_model(self, object_id: str, edges: Sequence[int]) -> list[dict[str, int]]:
        """What an account, a project or a key was charged, in nano-USD by model, between each edge and the next.

        edges: ascending Unix milliseconds, each a quarter of an hour.
        """
        ...

    def by_day(self, object_id: str, span_ms: int) -> Mapping[int, int]:
        """For whoever checks: nano-USD by start of a day of UTC, as the sums over spans of one size have it."""
        ...


class CatalogueRepository(Protocol):
    def load(self) -> Catalogue: ...
    def save(self, catalogue: Catalogue, now_ms: int) -> None: ...


class UsageRecordRepository(Protocol):
    def get(self, request_id: str) -> UsageRecord | None: ...
    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[UsageRecord]: ...
    def within(self, from_ms: int, to_ms: int, after: Cursor | None, limit: int) -> list[UsageRecord]:
        """Calls of [from_ms, to_ms) behind a place, the oldest first."""
        ...

    def charged(self) -> Iterator[UsageRecord]:
        """Every call with a charge, the oldest first."""
        ...

    def delete_before(self, before_ms: int, limit: int) -> int:
        """Delete the oldest calls before an instant, at most so many; how many there were."""
        ...


class RetentionRepository(Protocol):
    def load(self) -> Retention: ...
    def save(self, state: Retention) -> None: ...


class LedgerRepository(Protocol):
    def append(self, transfer: Transfer) -> Entry: ...
    def money(self, account_id: str, *, lock: bool = False) -> Money:
        """`lock`: nobody else adds to its chain until the transaction ends."""
        ...

    def every_money(self) -> list[Money]: ...
    def of_request(self, request_id: str) -> list[Entry]: ...
    def non_charges(self, account_id: str, *, before: Cursor | None, limit: int) -> list[Entry]:
        """Everything but charges, newest first."""
        ...

    def non_charges_within(self, account_id: str, from_ms: int, to_ms: int) -> list[Entry]: ...
    def expiring(self) -> dict[str, int]:
        """Of each account with grants that expire: when the first of them did or will."""
        ...

    def put_in_before(self, account_id: str, at_ms: int) -> int: ...
    def accounts(self) -> list[str]: ...
    def chain(self, account_id: str) -> Iterator[tuple[Entry, str]]:
        """Every entry in its order, with the account on its other leg."""
        ...


class BudgetRepository(RecordRepository[Budget], Protocol):
    def on(self, level: str, object_id: str) -> list[Budget]: ...
    def counter(self, budget_id: str, starts_at_ms: int) -> BudgetCounter: ...
    def open_counter(self, budget_counter: BudgetCounter) -> None: ...
    def every_counter(self) -> list[BudgetCounter]: ...


class PriceRepository(Protocol):
    def add(self, row: PriceRow) -> None: ...
    def rows(self, *, price_list: str | None = None, model: str | None = None) -> list[PriceRow]:
        """In the order in which they come into force; of one instant, in the order in which they were added."""
        ...

    def list_all(self) -> list[Price]: ...


class LimitRepository(RecordRepository[Rule], Protocol):
    def within(self, account_id: str) -> list[Rule]: ...
    def on(self, level: str, object_id: str) -> list[Rule]: ...


class CodeRepository(RecordRepository[Code], Protocol):
    def take(self, digest: bytes, account_id: str, now_ms: int) -> Code | None:
        """Redeem a code; None where that cannot be."""
        ...


class OutboxRepository(Protocol):
    def add(self, notice: Notice) -> bool:
        """Write a notice down with the ways it leaves by; False: it was told before, and nothing is added."""
        ...

    def marks(self, type: str, object_id: str, episode: int) -> list[int]: ...  # noqa: A002 - the record's name
    def owners(self, account_id: str) -> list[str]:
        """The mail addresses of an account and of its owners."""
        ...

    def add_way(self, notice: Notice, way: Delivery) -> None: ...
    def accounts_due(self, channel: Channel, after: str, now_ms: int, count: int) -> list[str]:
        """Accounts of which something is due on one way, in the order of their ids, behind `after`."""
        ...

    def waiting(self, channel: Channel, account_id: str, now_ms: int, count: int) -> list[DueDelivery]: ...
    def claim(self, ids: Sequence[str], now_ms: int, until_ms: int) -> list[QueuedDelivery]:
        """Of these deliveries, those that are still due; until `until_ms` they are nobody else's."""
        ...

    def pause(self, receiver: Receiver, until_ms: int) -> int:
        """What waits for a receiver is due no sooner; the answer is how much that is."""
        ...

    def resume_receiver(self, receiver: Receiver, paused_until_ms: int, now_ms: int) -> None: ...
    def give_up(self, receiver: Receiver, before_ms: int, now_ms: int, words: str) -> None: ...
    def resume(self, now_ms: int) -> None: ...
    def next_due_ms(self) -> int | None: ...
    def note(self, delivery: Delivery) -> None: ...
    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[QueuedDelivery]: ...
    def secret(self, budget_id: str) -> tuple[str, str] | None:
        """URL and signing secret of a budget's webhook, the secret as it is kept."""
        ...

    def secrets(self, budget_ids: Sequence[str]) -> dict[str, tuple[str, str]]: ...
    def secrets_without(self, mark: str) -> dict[str, str]:
        """By budget, the signing secrets that do not begin so."""
        ...

    def keep_secret(self, budget_id: str, secret: str) -> None:
        """The same secret in another form."""
        ...

    def put_secret(self, budget_id: str, url: str, secret: str) -> None: ...
    def reveal(self, budget_id: str) -> str | None:
        """The secret, once; afterwards None."""
        ...

    def move_secret(self, from_id: str, to_id: str) -> None: ...
    def forget_secret(self, budget_id: str) -> None: ...


class MailAddressRepository(Protocol):
    def put(self, row: MailAddress) -> None: ...
    def get(self, account_id: str, address: str) -> MailAddress | None: ...
    def by_token(self, token: str) -> MailAddress | None: ...
    def confirm(self, token: str, now_ms: int, by: str) -> MailAddress | None:
        """The address that a token was sent to is confirmed now; None where there is none (any more)."""
        ...

    def count(self, account_id: str) -> int: ...
    def unconfirmed(self, account_id: str, addresses: Collection[str]) -> set[str]:
        """Of these, in lower case, those that are neither the account's own nor a member's, nor confirmed."""
        ...


class SendingRepository(Protocol):
    def admit(self, kind: Sending, subject: str, now_ms: int) -> bool:
        """Count one more; False: it is beyond what may be sent in a day."""
        ...

    def admit_on(self, channel: ChannelBounds, account_id: str, now_ms: int) -> bool:
        """The same of one account's deliveries on a channel."""
        ...

    def forget_before(self, now_ms: int) -> None: ...


class DeliveryPort(Protocol):
    """What leaves the platform for people. Nothing here raises: what went wrong is an answer."""

    async def deliver(self, channel: Channel, outgoing: Outgoing) -> DeliveryResult:
        """One try on a channel that `channels` of the services names."""
        ...

    def refuses(self, url: str) -> str | None:
        """Why nothing can be sent to the address of a webhook or a chat service, as far as its text tells."""
        ...


class Repositories(Protocol):
    @property
    def accounts(self) -> RecordRepository[Account]: ...
    @property
    def projects(self) -> ProjectRepository: ...
    @property
    def keys(self) -> RecordRepository[ApiKey]: ...
    @property
    def people(self) -> PersonRepository: ...
    @property
    def sessions(self) -> RecordRepository[Session]: ...
    @property
    def audit(self) -> RecordRepository[AuditRow]: ...
    @property
    def retention(self) -> RetentionRepository: ...
    @property
    def usage(self) -> UsageRepository: ...
    @property
    def spend(self) -> SpendRepository: ...
    @property
    def catalogue(self) -> CatalogueRepository: ...
    @property
    def codes(self) -> CodeRepository: ...
    @property
    def limits(self) -> LimitRepository: ...
    @property
    def prices(self) -> PriceRepository: ...
    @property
    def price_drafts(self) -> RecordRepository[PriceDraft]: ...
    @property
    def budgets(self) -> BudgetRepository: ...
    @property
    def ledger(self) -> LedgerRepository: ...
    @property
    def requests(self) -> UsageRecordRepository: ...
    @property
    def outbox(self) -> OutboxRepository: ...
    @property
    def mail_addresses(self) -> MailAddressRepository: ...
    @property
    def sendings(self) -> SendingRepository: ...


class Transactions(Protocol):
    async def change(self, transaction: Callable[[Repositories], T], after: Callable[[T], None] | None = None) -> T:
        """Run `action` in one transaction; return its answer once it is durable. `action` may run twice, so it changes
        nothing but rows; `after` is called with the answer on the event loop, in the order of the commits, also if the
        caller was cancelled. Raises what `action` raises, Conflict, Overloaded."""
        ...

    async def read(self, question: Callable[[Repositories], T], deadline_ms: int = READ_MS) -> T:
        """Ask in one transaction that cannot write and sees one state. Raises Overloaded, and what `question`
        raises."""
        ...
