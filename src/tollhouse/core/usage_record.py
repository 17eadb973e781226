"""What is written down about one call: the row that usage, receipts and the log line are made from. Never content."""

from typing import Literal

from msgspec import Struct, field

from tollhouse.core.account import KeyMode
from tollhouse.core.charge import Charge
from tollhouse.core.limit import LimitKind, LimitLevel
from tollhouse.core.operation import Dialect, Operation
from tollhouse.core.usage import Usage, UsageSource

Ending = Literal[
    "finished",
    "incomplete",
    "refused",
    "failed_before_first_byte",
    "failed_after_first_byte",
    "client_left_before_dispatch",
    "client_left_before_first_byte",
    "client_left_after_first_byte",
    "commit_failed",
]


Doubt = Literal["unreadable", "impossible", "one-sided", "beyond the maximum"]
"""Why a report is not believed. unreadable: a figure that is none, or all of it older than the answer. impossible: more
than the model can read or write. one-sided: silent of what was read, or written. beyond the maximum: more than the
caller allowed for the call."""


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try at one offer. Times in milliseconds since the request arrived."""

    provider: str
    model: str
    status: int | None = None
    error: str | None = None  # a failure's code
    format: str = ""  # in which the provider was asked, where it is another than the caller's (`anthropic_messages`)
    start_ms: int
    first_byte_ms: int | None = None
    end_ms: int


class LimitSnapshot(Struct, frozen=True, array_like=True, gc=False):
    """A limit that let a call in: what was used of it before, and with this call in (for tokens: with its guess)."""

    kind: LimitKind
    level: LimitLevel  # on the record's own account, project, key or model
    limit: int
    before: int
    after: int
    model: str  # counts only calls to this model, or to those that begin so; empty: all


class BudgetSnapshot(Struct, frozen=True, array_like=True, gc=False):
    """A counter that a call had to be paid from. Nano-USD; `spent` and `held` as the call met them, `after` is what was
    spent when it was written down, itself included."""

    level: Literal["account", "project", "key"]
    window: str  # of the budget; `money`: the account's own money
    budget_id: str  # empty: the account's own money
    limit: int | None
    spent: int
    held: int
    after: int
    model: str  # as in `LimitSnapshot`


class FailureDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a call failed. Texts are bounded, and hold no key."""

    message: str = ""  # what its caller read
    provider_words: str = ""  # the provider's own, where they are another text; for the operator alone
    model: str = ""  # the one that was asked for, as the caller wrote it
    address: str = ""  # the caller's


class UsageRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times: `time_ms` Unix milliseconds of arrival; the others milliseconds after it."""

    id: str  # req_..., minted at `time_ms`: that is how a call is found
    time_ms: int
    account_id: str
    project_id: str
    key_id: str
    mode: KeyMode
    model: str  # its id, once resolved; empty before: what a caller writes there may be anything
    dialect: Dialect
    operation: Operation
    stream: bool
    status: int
    error: str | None = None
    ending: Ending
    client: str = "other"
    old_secret: str = ""  # the last four characters of the secret that came, where it was not the key's newest
    tags: dict[str, str] = {}
    dropped: str = ""  # members of the request that did not go on, as `x-tollhouse-dropped` told them
    provider: str | None = None
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = Usage()
    usage_source: UsageSource = "none"
    raw_usage: bytes | None = None  # the provider's own JSON
    output_cap: int | None = None
    admitted_ms: int | None = None
    first_byte_ms: int | None = None
    last_byte_ms: int | None = None
    charge: Charge | None = None
    released: int = 0  # nano-USD that were held for it, where nothing was charged
    limits: tuple[LimitSnapshot, ...] = ()
    counters: tuple[BudgetSnapshot, ...] = field(
        default=(), name="purses"
    )  # of calls that were weighed: not in test mode, and not of free models
    read_on: bool = False  # the caller left, and the answer was read on to learn its usage
    cut: bool = False  # it passed what was held for by more than half, and ended there
    doubt: Doubt | None = None  # why the provider's report was not believed
    detail: FailureDetail | None = None  # of a call that failed
    settled_ms: int | None = None  # handed over to be written; the commit follows
