"""What is written down about one call: the row that usage, receipts and the log line are made from. Never content."""

from typing import Literal

from msgspec import Struct

from tollhouse.core.account import KeyMode
from tollhouse.core.charge import Charge
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


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try at one offer. Times in milliseconds since the request arrived."""

    provider: str
    model: str
    status: int | None = None
    error: str | None = None  # a failure's code
    start_ms: int
    first_byte_ms: int | None = None
    end_ms: int


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
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
    tags: dict[str, str] = {}
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
