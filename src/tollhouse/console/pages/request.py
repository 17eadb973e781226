"""/console/requests/{id}: the receipt of a call: what happened when, what it cost and why, or why it failed."""

import json
from typing import Final

from msgspec import Struct

from tollhouse.billing.endings import explained
from tollhouse.console.call_code import code_again
from tollhouse.console.call_formats import DIALECT_TITLES, title_of
from tollhouse.console.call_money import money_of
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure
from tollhouse.core.failure_words import words_of
from tollhouse.core.operation import TEXT_OPERATIONS
from tollhouse.core.usage import BUCKETS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import credits as credit
from tollhouse.services import receipts

_WIDTH: Final = 1_000  # of the drawing of a call's time


class Stretch(Struct, frozen=True):
    """A bar of the timeline. `kind`: `ours`, `waiting` (for the provider's first byte), `reading`, `sending`. Times in
    milliseconds since the call arrived; x and width in thousandths of all of it."""

    kind: str
    start_ms: int
    end_ms: int
    x: int
    width: int


class TimelineRow(Struct, frozen=True):
    """`attempt`: which try; 0: it is none, and `step` says what it is."""

    step: str
    stretches: tuple[Stretch, ...]
    attempt: int = 0
    provider: str = ""
    model: str = ""
    status: int | None = None
    error: str | None = None


@page("GET /console/requests/{id}", may="requests.show")
async def one(visit: Visit) -> Answer:
    return await shown(visit)


@page("GET /console/platform/requests/{id}", may="requests.show")
async def of_all(visit: Visit) -> Answer:
    return await shown(visit)


@page("POST /console/platform/requests/{id}/refund", may="credits.refund")
async def refund(visit: Visit) -> Answer:
    """Gives back what the call was charged, or a part of it."""
    amount = visit.given("amount_usd").removeprefix("$").replace(",", "")
    try:
        await credit.refund(
            visit.context.services,
            visit.actor,
            request_id=visit.id,
            amount_usd=amount or None,
            reason=visit.given("reason") or None,
        )
    except (BadRequest, Conflict) as trouble:
        return await shown(visit, trouble)
    return Elsewhere(f"/console/platform/requests/{visit.id}")


async def shown(visit: Visit, trouble: Failure | None = None) -> Shown:
    """The receipt with what whoever looks may see of it. trouble: of a refund."""
    values = await receipt_values(visit, visit.id)
    call = values["call"]
    assert isinstance(call, UsageRecord)
    code = code_again(call, visit.base_url)
    more = {
        "trouble": trouble,
        "given": visit.given,
        "code": code,
        "opens_in_playground": bool(code) and not visit.is_of_platform and visit.may("playground.call"),
    }
    return Shown("request.html", values | more, 200 if trouble is None else trouble.status)


async def receipt_values(visit: Visit, request_id: str) -> dict[str, object]:
    """What `receipt.html` shows of a call. Raises PathNotFound."""
    services = visit.context.services
    receipt = await receipts.show(services, visit.actor, request_id)
    call, money = receipt.call, money_of(receipt.call)
    is_operator = visit.is_of_platform
    shows_provider = is_operator or visit.context.settings.platform.show_provider
    return {
        "receipt": receipt,
        "call": call,
        "key": services.directory.keys.get(call.key_id),
        "project": services.directory.projects.get(call.project_id),
        "explained": explained(call),
        "cost": money.charged,
        "held": money.held,
        "released": money.released,
        "overrun": money.overrun,
        "usage": [(name, getattr(call.usage, name)) for name in BUCKETS if getattr(call.usage, name)],
        "raw_usage": _pretty(call.raw_usage),
        "words": None if call.error is None else words_of(call.error, call.status),
        "timeline": timeline(call, shows_provider=shows_provider),
        "took_ms": _last_ms(call),
        "dialect_titles": DIALECT_TITLES,
        "text_operations": TEXT_OPERATIONS,
        "asked_on": title_of(call.attempts[-1].format) if call.attempts and call.attempts[-1].format else "",
        "shows_provider": shows_provider,
        "is_operator": is_operator,
        "account": services.directory.accounts.get(call.account_id) if is_operator else None,
        "path": "/console/platform/requests" if is_operator else "/console/requests",
    }


def timeline(call: UsageRecord, *, shows_provider: bool) -> tuple[TimelineRow, ...]:
    """What took how long, in its order: let in, each try at a provider, sent on to the caller."""
    whole_ms = max(1, _last_ms(call))

    def stretch(kind: str, start_ms: int, end_ms: int) -> Stretch:
        x = start_ms * _WIDTH // whole_ms
        return Stretch(kind, start_ms, end_ms, x, max(4, end_ms * _WIDTH // whole_ms - x))

    rows = []
    if call.admitted_ms is not None:
        rows.append(TimelineRow("admitted", (stretch("ours", 0, call.admitted_ms),)))
    for number, one in enumerate(call.attempts, start=1):
        if one.first_byte_ms is None:
            parts = [stretch("waiting", one.start_ms, one.end_ms)]
        else:
            parts = [
                stretch("waiting", one.start_ms, one.first_byte_ms),
                stretch("reading", one.first_byte_ms, one.end_ms),
            ]
        provider, model = (one.provider, one.model) if shows_provider else ("", "")
        rows.append(TimelineRow("attempt", tuple(parts), number, provider, model, one.status, one.error))
    if call.first_byte_ms is not None and call.last_byte_ms is not None:
        rows.append(TimelineRow("sent", (stretch("sending", call.first_byte_ms, call.last_byte_ms),)))
    if call.settled_ms is not None:
        before_ms = max([0, call.admitted_ms or 0, call.last_byte_ms or 0, *(one.end_ms for one in call.attempts)])
        rows.append(TimelineRow("settled", (stretch("ours", min(before_ms, call.settled_ms), call.settled_ms),)))
    return tuple(rows)


def _last_ms(call: UsageRecord) -> int:
    marks = (call.admitted_ms, call.first_byte_ms, call.last_byte_ms, call.settled_ms)
    return max([0, *(mark for mark in marks if mark is not None), *(one.end_ms for one in call.attempts)])


def _pretty(raw: bytes | None) -> str | None:
    """The provider's own report, indented; as it is where it is no JSON."""
    if raw is None:
        return None
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")
