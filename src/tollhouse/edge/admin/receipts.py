"""Receipts as the control API shows them; the shape is fixed by the contract, and explained in docs/receipts.md."""

from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from tollhouse.billing.endings import explained
from tollhouse.billing.prices import MILLION, write_multiplier
from tollhouse.core.amount import format_usd
from tollhouse.core.usage import BUCKETS
from tollhouse.core.usage_record import Attempt, BudgetSnapshot, Ending, LimitSnapshot, UsageRecord
from tollhouse.edge.admin.objects import fill
from tollhouse.services.receipts import Receipt

Maybe = str | UnsetType


class KeyResponse(Struct, frozen=True):
    """`last4`: of the secret that the key had at the time of the call."""

    id: str
    last4: str


class Timing(Struct, frozen=True, kw_only=True):
    """Milliseconds since the call arrived; null where it did not come so far. `settled`: handed over to be written; the
    commit, which the last part of the answer waits for, follows."""

    admitted: int | None
    first_byte: int | None
    last_byte: int | None
    settled: int | None


class FailureDetailObject(Struct, frozen=True, kw_only=True):
    """Why a call failed: the words its caller read, the model they wrote, their address. `provider_words`: the
    provider's own, where they are another text and the operator asks."""

    message: str
    model: str
    address: str
    provider_words: Maybe = UNSET


class RequestObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="request"):
    """A call as lists show it. `usage` holds the buckets that are not zero. In test mode the charge is 0."""

    id: str
    time: str | None
    mode: Literal["live", "test", "admin"]
    account_id: str
    project_id: str
    key: KeyResponse
    model: str
    dialect: str
    operation: str
    stream: bool
    status: int
    error: Maybe = UNSET
    error_detail: FailureDetailObject | UnsetType = UNSET
    ending: Ending
    client: str
    tags: dict[str, str]
    usage: dict[str, int]
    usage_source: str
    charge_nusd: int
    charge_usd: str
    timing_ms: Timing


class LineResponse(Struct, frozen=True, kw_only=True):
    """`price_usd` buys `per` (1000000 tokens, or 1 unit)."""

    bucket: str
    quantity: int
    price_usd: str
    per: int
    charge_nusd: int
    price_id: str


class AttemptResponse(Struct, frozen=True, kw_only=True):
    """One try at a provider; times in milliseconds since the call arrived. `model`: as the provider calls it, where
    that may be told, else as it was asked for. `status`: null where none came. `format`: in which the provider was
    asked, where it is another than the caller's."""

    provider: Maybe = UNSET
    model: str
    status: int | None
    error: Maybe = UNSET
    format: Maybe = UNSET
    start_ms: int
    first_byte_ms: int | None
    end_ms: int


class LimitResponse(Struct, frozen=True, kw_only=True):
    """A limit that let the call in: used before it, and with it. For tokens the call counts with what was reserved."""

    name: str
    level: str
    id: str
    model: Maybe = UNSET
    limit: int
    before: int
    after: int


class BudgetResponse(Struct, frozen=True, kw_only=True):
    """A counter that had to pay. `id`: the budget, or the account whose money it is; `of_id`: what it stands on.

    `used_before_usd`, `held_before_usd`: as the call met it. `used_after_usd`: with its charge, and those of the calls
    that ended meanwhile."""

    kind: Literal["money", "budget"]
    id: str
    level: str
    of_id: str
    window: str
    model: Maybe = UNSET
    limit_usd: str | None
    used_before_usd: str
    held_before_usd: str
    used_after_usd: str


class EntryResponse(Struct, frozen=True):
    """`hash`: of the account's chain, in hexadecimal digits."""

    id: str
    hash: str


class ReceiptObject(RequestObject, frozen=True, kw_only=True, tag_field="object", tag="request"):
    """What a call was, what it cost and why. `charge_nusd` is the sum of its lines. `usage_doubt`: why the provider's
    report, in `raw_usage`, was not believed. `cut`: the answer passed what was held for it, and ended there. `dropped`:
    members of the request that did not go on to the provider, as `x-tollhouse-dropped` told them."""

    ending_explained: str
    usage_doubt: Maybe = UNSET
    cut: bool | UnsetType = UNSET
    raw_usage: Raw | None
    lines: tuple[LineResponse, ...]
    multiplier: Maybe = UNSET
    held_nusd: int
    released_nusd: int
    overrun_nusd: int
    refunded_nusd: int | UnsetType = UNSET
    output_cap: int | UnsetType = UNSET
    dropped: Maybe = UNSET
    attempts: tuple[AttemptResponse, ...]
    limits: tuple[LimitResponse, ...]
    budgets: tuple[BudgetResponse, ...]
    ledger_entry: EntryResponse | None


def request_object(call: UsageRecord, last4: str, *, is_operator: bool) -> RequestObject:
    return fill(RequestObject, call, **_told(call, last4, is_operator))


def receipt_object(receipt: Receipt, *, show_provider: bool, is_operator: bool) -> ReceiptObject:
    """`show_provider`: who reads it may know which provider answered, and under which name the model goes there."""
    call, charge, entry = receipt.call, receipt.call.charge, receipt.entry
    held = call.released if charge is None else charge.held
    return fill(
        ReceiptObject,
        call,
        **_told(call, receipt.last4, is_operator),
        ending_explained=str(explained(call)),
        usage_doubt=UNSET if call.doubt is None else call.doubt,
        cut=True if call.cut else UNSET,
        raw_usage=None if call.raw_usage is None else Raw(call.raw_usage),
        lines=tuple(LineResponse(**line.as_json()) for line in receipt.lines),  # type: ignore[arg-type]
        multiplier=UNSET
        if charge is None or charge.multiplier_ppm == MILLION
        else write_multiplier(charge.multiplier_ppm),
        held_nusd=held,
        released_nusd=held if charge is None else max(0, held - charge.amount),
        overrun_nusd=0 if charge is None else charge.overrun,
        refunded_nusd=receipt.given_back or UNSET,
        output_cap=UNSET if call.output_cap is None else call.output_cap,
        dropped=call.dropped or UNSET,
        attempts=tuple(_attempt(one, call.model, show_provider) for one in call.attempts),
        limits=tuple(_limit(one, call) for one in call.limits),
        budgets=tuple(_budget(one, call) for one in call.counters),
        ledger_entry=None if entry is None else EntryResponse(entry.transfer.id, entry.hash.hex()),
    )


def _detail(call: UsageRecord, is_operator: bool) -> FailureDetailObject | UnsetType:
    detail = call.detail
    if detail is None:
        return UNSET
    words = detail.provider_words if is_operator and detail.provider_words else UNSET
    return FailureDetailObject(message=detail.message, model=detail.model, address=detail.address, provider_words=words)


def _told(call: UsageRecord, last4: str, is_operator: bool) -> dict[str, Any]:
    """What a list and a receipt say in another form than the record."""
    charge = 0 if call.charge is None or call.mode == "test" else call.charge.amount
    return {
        "key": KeyResponse(call.key_id, last4),
        "error": UNSET if call.error is None else call.error,
        "error_detail": _detail(call, is_operator),
        "usage": {name: used for name in BUCKETS if (used := getattr(call.usage, name))},
        "charge_nusd": charge,
        "charge_usd": format_usd(charge),
        "timing_ms": Timing(
            admitted=call.admitted_ms,
            first_byte=call.first_byte_ms,
            last_byte=call.last_byte_ms,
            settled=call.settled_ms,
        ),
    }


def _attempt(one: Attempt, model: str, show_provider: bool) -> AttemptResponse:
    return fill(
        AttemptResponse,
        one,
        provider=one.provider if show_provider else UNSET,
        model=one.model if show_provider else model,
        error=UNSET if one.error is None else one.error,
        format=one.format or UNSET,
    )


def _limit(one: LimitSnapshot, call: UsageRecord) -> LimitResponse:
    return fill(LimitResponse, one, name=one.kind, id=_object(one.level, call), model=one.model or UNSET)


def _budget(one: BudgetSnapshot, call: UsageRecord) -> BudgetResponse:
    return BudgetResponse(
        kind="budget" if one.budget_id else "money",
        id=one.budget_id or call.account_id,
        level=one.level,
        of_id=_object(one.level, call),
        window=one.window if one.budget_id else "total",
        model=one.model or UNSET,
        limit_usd=None if one.limit is None else format_usd(one.limit),
        used_before_usd=format_usd(one.spent),
        held_before_usd=format_usd(one.held),
        used_after_usd=format_usd(one.after),
    )


def _object(level: str, call: UsageRecord) -> str:
    return {"key": call.key_id, "project": call.project_id, "account": call.account_id}.get(level, call.model)
