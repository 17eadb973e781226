"""What is known about a call so far, gathered stage by stage; at its end it becomes the record."""

from typing import Final

from msgspec import Struct

from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.account import Identity
from tollhouse.core.charge import Charge
from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import Codec
from tollhouse.core.model_request import InputBounds, Prompt
from tollhouse.core.spool import Spool
from tollhouse.core.text_start import TextStarts
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage, UsageSource
from tollhouse.core.usage_record import (
    Attempt,
    BudgetSnapshot,
    Doubt,
    Ending,
    FailureDetail,
    LimitSnapshot,
    UsageRecord,
)
from tollhouse.gateway.bodies import BodyReservation, ParallelSlot
from tollhouse.gateway.connection import Call
from tollhouse.gateway.destination import Destinations
from tollhouse.gateway.failure_detail import detail_of

NOTHING: Final = Usage()
UNREAD: Final = InputBounds()


class RequestContext(Struct):
    """Times are milliseconds since the call arrived."""

    call: Call
    identity: Identity
    codec: Codec  # in which it is answered
    request_codec: Codec  # in which it was asked: another one where a style was
    attempt_codec: Codec  # which writes for the provider that is tried, and reads its answer
    fields: dict[bytes, bytes]  # the headers of the call by name; of one that came several times the first
    client: str = "other"
    model: str = ""
    stream: bool = False
    tags: dict[str, str] = {}
    dropped: str = ""  # members that did not go on to the provider
    provider_format: str = ""  # in which the provider is asked, where it is another than the caller's
    asked: InputBounds = UNREAD  # how large its input can be
    output_cap: int | None = None
    added_cap: int | None = None  # an output cap that the caller had not named
    charge: Charge | None = None
    held: int = 0  # nano-USD
    most_in: int | None = None  # tokens of input that were held for
    most_cost: int | None = None  # nano-USD that the caller allows for the call
    most_out: int | None = None  # tokens of output that may pass; None: any number
    most_units: Usage = NOTHING  # requests, images, seconds and characters that were held for, where `most_cost` is set
    cut: bool = False  # the answer was cut at `most_out`
    doubt: Doubt | None = None  # why a report was not believed
    limits: tuple[LimitSnapshot, ...] = ()
    counters: list[tuple[SpendingCounter, int, int]] = []  # with what was spent and held before
    read_on: bool = False  # the caller left, and the answer is read on
    provider: str | None = None
    known: Known = NOTHING_KNOWN  # of the attempt: which words of a provider's errors may be told
    attempts: list[Attempt] = []
    status: int = 200
    error: str | None = None
    message: str = ""  # of the failure, as the caller reads it
    provider_words: str = ""  # what the provider said of the last attempt
    asked_model: str = ""  # as the caller wrote it
    ending: Ending = "refused"
    usage: Usage = NOTHING
    usage_source: UsageSource = "none"
    raw_usage: bytes | None = None
    admitted_ms: int | None = None
    first_byte_ms: int | None = None
    last_byte_ms: int | None = None
    settled_ms: int | None = None
    context_tokens: int | None = None  # of the model
    longest_answer: int | None = None  # of the model, in tokens
    script: str = ""  # what a test-mode call asks the simulator to do
    body_bytes: int = 0
    packed: str = ""  # how a large body, still to be read, is compressed
    entry: ParallelSlot | None = None  # its place while its body is read
    memory: BodyReservation | None = None  # of a large body, until it is needed no more
    disk: BodyReservation | None = None  # of a form, until the call is over
    spool: Spool | None = None  # likewise
    prompt: Prompt | None = None  # of a body that was read apart
    answer_memory: BodyReservation | None = None  # of a large buffered answer, until it has left
    headers: Headers = []  # what the answer's head will say of limits, retirement, ...
    destinations: Destinations = {}  # as they stood when the call was routed
    heads: TextStarts = {}  # how each answer begins, where it was asked to begin with its prompt
    dispatched: bool = False
    opened_circuit: bool = False  # a failure of this call opened one: it opens no second
    upstream_ns: int = 0  # spent waiting for the provider

    def _detail(self) -> FailureDetail:
        return detail_of(
            self.message,
            self.call.address,
            model=self.asked_model,
            provider_words=self.provider_words,
            is_callers=self.known.is_callers if self.dispatched else None,
        )

    def record(self) -> UsageRecord:
        call, key, secret, charge = self.call, self.identity.key, self.identity.secret, self.charge
        charged = 0 if charge is None else charge.amount
        drawn = []
        for counter, spent, held in self.counters:
            is_money = counter.kind == "money"
            drawn.append(
                BudgetSnapshot(
                    counter.level,
                    "money" if is_money else counter.window,
                    "" if is_money else counter.id,
                    counter.limit,
                    spent,
                    held,
                    counter.spent + charged,
                    "" if is_money else counter.model or "",
                )
            )
        return UsageRecord(
            id=call.id,
            time_ms=call.arrived_ms,
            account_id=key.account_id,
            project_id=key.project_id,
            key_id=key.id,
            mode=key.mode,
            model=self.model,
            dialect=call.dialect,
            operation=call.operation,
            stream=self.stream,
            status=self.status,
            error=self.error,
            ending=self.ending,
            client=self.client,
            old_secret="" if secret is key.secrets[0] else secret.last4,
            tags=self.tags,
            dropped=self.dropped,
            provider=self.provider,
            attempts=tuple(self.attempts),
            usage=self.usage,
            usage_source=self.usage_source,
            raw_usage=self.raw_usage,
            charge=charge,
            released=0 if charge else self.held,
            limits=self.limits,
            counters=tuple(drawn),
            read_on=self.read_on,
            cut=self.cut,
            doubt=self.doubt,
            detail=None if self.error is None else self._detail(),
            output_cap=self.output_cap,
            admitted_ms=self.admitted_ms,
            first_byte_ms=self.first_byte_ms,
            last_byte_ms=self.last_byte_ms,
            settled_ms=self.settled_ms,
        )
