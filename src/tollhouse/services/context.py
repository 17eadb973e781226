"""The services: what every action has at hand."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import Struct

from tollhouse.access.directory import Directory
from tollhouse.access.sessions import SessionDirectory
from tollhouse.access.vault import Vault
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.channel import NO_CHANNELS, Channel, Channels
from tollhouse.core.clock import Clock
from tollhouse.core.drain import Drain
from tollhouse.core.failure import Overloaded
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.core.randomness import Randomness
from tollhouse.limits.addresses import AddressRate
from tollhouse.limits.attempts import Attempts
from tollhouse.limits.guesses import Guesses
from tollhouse.limits.rate_limiter import InMemoryRateLimiter
from tollhouse.limits.row_allowance import CHANGES_AT_ONCE, CHANGES_EVERY_MS, RowAllowance
from tollhouse.limits.rules import Rules
from tollhouse.services.dispatch import DeliveriesInProgress
from tollhouse.services.hashing import PasswordHashing
from tollhouse.services.places import Places
from tollhouse.services.ports import DeliveryPort, Transactions
from tollhouse.services.receivers import BACK_OFF_MS, Receivers
from tollhouse.services.service_sums import ServiceLevels
from tollhouse.services.short_lived import ShortLived
from tollhouse.store.tables import SqlRepositories

CONFIRMATIONS_PER_MINUTE: Final = 30
REPORTS_PER_MINUTE: Final = 20
DIAGNOSES_PER_MINUTE: Final = 40
DIAGNOSES_AT_ONCE: Final = 2
DIAGNOSES_WAITING_MAX: Final = 20


class HalfSignedIn(Struct):
    """`subject`: on whom wrong codes are counted. `password_hash`: as it was when the password was right."""

    person_id: str
    password_hash: str
    subject: str
    wrong: int = 0


Prepare = Callable[[Catalogue], Callable[[], None]]
"""Make all ready for a new catalogue, which may raise BadRequest; the answer puts it in force and cannot fail."""


def nothing_to_prepare(catalogue: Catalogue) -> Callable[[], None]:
    return lambda: None


class NoDelivery:
    """Nothing leaves, as where no server runs."""

    async def deliver(self, channel: Channel, outgoing: Outgoing) -> DeliveryResult:
        return _NOT_SENT

    def refuses(self, url: str) -> str | None:
        return None


_NOT_SENT = DeliveryResult(ok=False, words="no server runs to send it: start `tollhouse serve`")


@dataclass(slots=True)
class ServiceContext:
    """`catalogue` is the one in force; `prepare` is how the gateway gets a new one. Counters, prices and rules are what
    calls are admitted by."""

    rows: Transactions
    directory: Directory
    clock: Clock
    random: Randomness
    catalogue: Catalogue = field(default_factory=Catalogue)
    drains: dict[str, Drain] = field(default_factory=dict)
    """Providers that take no new calls, by id."""
    prepare: Prepare = nothing_to_prepare
    counters: SpendingCounters = field(default_factory=SpendingCounters)
    """What calls are paid from. An action's money is there as soon as it is durable."""
    prices: PriceLists = field(default_factory=lambda: PriceLists(()))
    """Immutable; a new price makes new lists, so ask here each time."""
    rules: Rules = field(default_factory=Rules)
    contact: str = ""
    """Who can raise a limit; may be empty."""
    support_mails: tuple[str, ...] = ()
    """Where tickets are told; none: to the people of the platform who answer them."""
    rate_limiter: InMemoryRateLimiter = field(init=False)
    """What calls have to pass: the plans' limits and the rules, with what is used of each."""
    redeeming: Attempts = field(default_factory=lambda: Attempts("attempts to redeem a code"))
    sessions: SessionDirectory = field(default_factory=SessionDirectory)
    """Of the console: who is signed in."""
    signing_in: Attempts = field(default_factory=lambda: Attempts("attempts to sign in"))
    guessed_passwords: Guesses = field(default_factory=lambda: Guesses("passwords for this address"))
    guessed_codes: Guesses = field(default_factory=lambda: Guesses("codes"))
    asking: Attempts = field(default_factory=lambda: Attempts("mails that were asked for"))
    """To set a new password, or to open an account."""
    hashing: PasswordHashing = field(default_factory=PasswordHashing)
    half_signed_in: ShortLived[HalfSignedIn] = field(default_factory=ShortLived)
    """By the digest of what they bring: who gave the right password, and has a code to give yet."""
    new_factors: ShortLived[str] = field(default_factory=ShortLived)
    """By session: the secret that an authenticator is being given."""
    writing: Attempts = field(default_factory=lambda: Attempts("messages in tickets"))
    """By whoever writes."""
    testing: Attempts = field(default_factory=lambda: Attempts("tests of an alert"))
    changes: RowAllowance = field(default_factory=lambda: RowAllowance(CHANGES_AT_ONCE, CHANGES_EVERY_MS))
    """Rows of audit by account: nobody deletes them."""
    trying: Counter[str] = field(default_factory=Counter)
    """Tests of alerts under way, by account."""
    confirming: AddressRate = field(default_factory=lambda: AddressRate(CONFIRMATIONS_PER_MINUTE))
    reporting: AddressRate = field(default_factory=lambda: AddressRate(REPORTS_PER_MINUTE))
    """Lists of keys that somebody found."""
    diagnosing: AddressRate = field(default_factory=lambda: AddressRate(DIAGNOSES_PER_MINUTE))
    diagnoses: Places = field(default_factory=lambda: Places(DIAGNOSES_AT_ONCE, DIAGNOSES_WAITING_MAX))
    """Texts that are looked at in threads."""
    expiring: dict[str, int] | None = None
    """Account id -> when the next of its grants ends, Unix milliseconds; None: nobody has looked yet."""
    levels: ServiceLevels = field(default_factory=ServiceLevels)
    """How well models serve."""
    channels: Channels = NO_CHANNELS
    """Alert channels by which notices leave; the store knows the same."""
    post: DeliveryPort = field(default_factory=NoDelivery)
    vault: Vault = field(default_factory=Vault)
    """What secrets are kept by that have to be read again."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was written down that is to leave the platform."""
    under_way: DeliveriesInProgress = field(default_factory=DeliveriesInProgress)
    """Deliveries that are being tried."""
    receivers: Receivers = field(default_factory=lambda: Receivers(BACK_OFF_MS))
    """Those that do not take what is sent to them."""
    retention_days: int = 90
    """How long the record of a call is kept."""
    ticket_retention_days: int = 365
    """How long a closed ticket is kept."""
    dialects: tuple[str, ...] = ("openai",)
    """Those in which calls are asked."""
    languages: tuple[str, ...] = ("en",)
    """Those of pages and mails; the first is the default."""
    public_url: str = ""
    """Where people reach the platform; may be empty."""
    sign_up: Literal["closed", "invite", "open"] = "closed"
    """Who may open an account by himself."""
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    """Changes that no caller waits for; held here, for a task that nobody holds may vanish."""

    _moment_ms: int = 0

    def __post_init__(self) -> None:
        self.rate_limiter = InMemoryRateLimiter(lambda: self.catalogue, self.contact, self.rules)

    def moment_ms(self) -> int:
        """Now, but later than every moment before: what is audited within a millisecond still reads in its order."""
        self._moment_ms = max(self.clock.now_ms(), self._moment_ms + 1)
        return self._moment_ms

    def admit_confirmation(self, address: str | None, now_ms: int) -> None:
        """Count a look at a token, from an address of the network. Raises RateLimited."""
        if address is not None:
            self.confirming.admit(address, now_ms)

    def forget_idle(self, now_ms: int) -> None:
        """For a timer: drop what limits need not remember any more."""
        self.rate_limiter.forget_idle(now_ms)
        self.redeeming.sweep(now_ms)
        self.signing_in.sweep(now_ms)
        self.guessed_passwords.sweep(now_ms)
        self.guessed_codes.sweep(now_ms)
        self.asking.sweep(now_ms)
        self.half_signed_in.sweep(now_ms)
        self.new_factors.sweep(now_ms)
        self.writing.sweep(now_ms)
        self.testing.sweep(now_ms)
        self.changes.sweep(now_ms)
        self.confirming.sweep(now_ms)
        self.reporting.sweep(now_ms)
        self.diagnosing.sweep(now_ms)

    def new_id(self, prefix: str) -> str:
        return make_id(prefix, self.clock.now_ms(), self.random.bytes(RANDOM_BYTES))

    def later(self, transaction: Callable[[SqlRepositories], None]) -> None:
        """Change rows when whoever asked has their answer already: how long it takes tells them nothing. What cannot be
        changed, because the database is away, is not."""

        async def change() -> None:
            with suppress(Overloaded):
                await self.rows.change(transaction, lambda _: self.news.set())

        task = asyncio.create_task(change())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def finish(self) -> None:
        """Wait for what no caller waits for; before the store closes."""
        await asyncio.gather(*self.tasks)
