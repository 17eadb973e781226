"""What goes with a report of a call: what its record holds and a customer may see, and what the checklist says of it
now. Never what was sent or answered."""

from collections.abc import Mapping
from typing import Final

from tollhouse.access.redaction import redact
from tollhouse.checklist.examination import Pasted
from tollhouse.checklist.model import MODEL_MAX
from tollhouse.checklist.steps import ChecklistStep
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Overloaded, PathNotFound, RateLimited
from tollhouse.core.instant import rfc3339
from tollhouse.core.phrase import translatable
from tollhouse.core.usage_record import Attempt, LimitSnapshot, UsageRecord
from tollhouse.services.context import ServiceContext
from tollhouse.services.diagnosis import diagnose
from tollhouse.services.receipts import Receipt
from tollhouse.services.translation import Said, said

LABELS: Final[Mapping[str, str]] = {
    "request_id": translatable("Request"),
    "endpoint": translatable("Endpoint"),
    "key": translatable("Key"),
    "mode": translatable("Mode"),
    "model": translatable("Model"),
    "asked_model": translatable("Asked for"),
    "client": translatable("Client"),
    "time": translatable("Time"),
    "took": translatable("Took"),
    "status": translatable("Status"),
    "error": translatable("Error"),
    "message": translatable("Message"),
    "ending": translatable("Ending"),
    "attempts": translatable("Attempts"),
    "limits": translatable("Limits"),
    "charged": translatable("Charged"),
    "checklist": translatable("Checklist"),
}
"""What people call each part, in the order in which they read it."""
_WRITTEN: Final = ("message", "asked_model")  # others than the platform had a hand in them

_STEPS: Final[Mapping[str, str]] = {
    "api_key": translatable("api key"),
    "request_format": translatable("request format"),
    "model": translatable("model"),
    "rate_limits": translatable("rate limits"),
    "error_body": translatable("error body"),
}
_STATES: Final[Mapping[str, str]] = {
    "green": translatable("green"),
    "red": translatable("red"),
    "not_run": translatable("not run"),
}
_REASON_MAX: Final = 300


async def reported(services: ServiceContext, actor: Actor, receipt: Receipt, language: str) -> dict[str, str]:
    """All that goes, by the names of LABELS; the checklist in this language. Looking counts as one look at it from the
    actor's address; beyond what it may, the checklist's result is left out."""
    call = receipt.call
    asked = call.model if call.detail is None else call.detail.model or call.model
    pasted = Pasted(error=call.id, model=asked[:MODEL_MAX])
    try:
        found = await diagnose(services, pasted, {}, actor=actor, key=call.key_id or None)
    except (BadRequest, Overloaded, PathNotFound, RateLimited):
        return bundle_of(receipt)
    steps = "; ".join(_step(step, said(language)) for step in found.diagnosis.steps)
    return bundle_of(receipt) | {"checklist": redact(steps).text}


def _step(step: ChecklistStep, say: Said) -> str:
    """The error itself stands in the bundle already."""
    told = f"{say(_STEPS[step.id])}: {say(_STATES[step.state])}" + ("" if step.code is None else f", {step.code}")
    reason = say(step.reason)[:_REASON_MAX] if step.state == "red" and step.id != "error_body" else ""
    return f"{told} ({reason})" if reason else told


def bundle_of(receipt: Receipt) -> dict[str, str]:
    """By the names of LABELS; without those that a call has not."""
    call = receipt.call
    detail = call.detail
    told = {
        "request_id": call.id,
        "endpoint": f"{call.dialect} {call.operation}{' (stream)' if call.stream else ''}",
        "key": f"...{receipt.last4}" if receipt.last4 else "",
        "mode": call.mode,
        "model": call.model,
        "asked_model": detail.model if detail is not None and detail.model != call.model else "",
        "client": call.client,
        "time": rfc3339(call.time_ms),
        "took": "" if call.settled_ms is None else f"{call.settled_ms} ms",
        "status": str(call.status),
        "error": call.error or "",
        "message": "" if detail is None else detail.message,
        "ending": call.ending,
        "attempts": "; ".join(_attempt(number, one) for number, one in enumerate(call.attempts, start=1)),
        "limits": "; ".join(map(_limit, call.limits)),
        "charged": _charged(call),
    }
    return {name: redact(text).text if name in _WRITTEN else text for name, text in told.items() if text}


def _attempt(number: int, one: Attempt) -> str:
    """Without the provider: not every platform names it, and the operator has the receipt."""
    ended = " ".join(str(part) for part in (one.status, one.error) if part is not None) or "-"
    return f"{number}: {ended}, {one.start_ms} to {one.end_ms} ms"


def _limit(one: LimitSnapshot) -> str:
    model = f" ({one.model})" if one.model else ""
    return f"{one.kind}, {one.level}{model}: {one.after} / {one.limit}"


def _charged(call: UsageRecord) -> str:
    amount = 0 if call.charge is None or call.mode != "live" else call.charge.amount
    return f"{format_usd(amount)} USD"
