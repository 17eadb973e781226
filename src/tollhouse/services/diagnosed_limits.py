"""Step 4 of the checklist: how the limits stand that a call of one key has to pass, and the money it is paid from."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from tollhouse.billing.holds import SpendingCounter
from tollhouse.checklist.examination import Examined
from tollhouse.checklist.steps import ChecklistStep, Trouble, green, not_run, red
from tollhouse.core.account import Identity
from tollhouse.core.amount import format_usd
from tollhouse.core.catalogue import Model
from tollhouse.core.instant import utc_day
from tollhouse.core.limit_status import spelled
from tollhouse.core.links import site
from tollhouse.core.model_request import tokens_reserved
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.services.context import ServiceContext
from tollhouse.services.usage_series import records_within

LOOKED_AT: Final = 500
"""Calls of the last hour that are read."""
ASK: Final = "/console/support/tickets/new?limit="
"""Where a higher limit is asked for; the limit's name goes behind it, the key and the model that it bounds."""


class LimitSeen(Struct, frozen=True, kw_only=True):
    """One limit that binds. `reset`: until it is wholly free again, as `12s`; empty: when calls end. `ask`: the path by
    which more is asked for."""

    name: str
    level: str
    model: str
    limit: int
    used: int
    remaining: int
    reset: str
    ask: str


class RefusedCount(Struct, frozen=True):
    """Calls of the last hour that were refused with 429: of the key itself, and of other keys of its account."""

    own: int
    others: int
    is_all: bool = True


class LimitsSeen(Struct, frozen=True, kw_only=True):
    limits: tuple[LimitSeen, ...]
    refused: RefusedCount


async def look_at_limits(
    services: ServiceContext, examined: Examined, identity: Identity | None, model: Model | None, now_ms: int
) -> tuple[LimitsSeen | None, ChecklistStep]:
    if identity is None:
        return None, not_run("rate_limits", Phrase("This needs a working key."))
    rows = await services.rate_limiter.status(identity, now_ms, None if model is None else model.id)
    limits = tuple(_seen(row, identity.key.id, None if model is None else model.id) for row in rows)
    seen = LimitsSeen(limits=limits, refused=await _refused(services, identity, now_ms))
    trouble = await _of_limits(services, examined, identity, model, seen, now_ms)
    if trouble is None and identity.key.mode != "test" and not (model is not None and model.free):
        trouble = _of_money(services.counters.of(identity.key, now_ms, None if model is None else model.id))
    if trouble is not None:
        return seen, red("rate_limits", trouble)
    return seen, green("rate_limits", _standing(seen))


def _seen(row: dict[str, object], key_id: str, model_id: str | None) -> LimitSeen:
    reset = row.get("reset_ms")
    name, of_model = str(row["name"]), row.get("model") or model_id
    about = f"&key={key_id}" + (f"&model={quote(str(of_model), safe='')}" if of_model else "")
    return LimitSeen(
        name=name,
        level=str(row["level"]),
        model=str(row.get("model") or ""),
        limit=int(str(row["limit"])),
        used=int(str(row["used"])),
        remaining=int(str(row["remaining"])),
        reset=spelled(reset) if isinstance(reset, int) else "",
        ask=f"{ASK}{quote(name)}{about}",
    )


async def _refused(services: ServiceContext, identity: Identity, now_ms: int) -> RefusedCount:
    account_id, from_ms = identity.account.id, now_ms - HOUR_MS
    calls, is_cut = await services.rows.read(
        lambda tables: records_within(tables, account_id, from_ms, now_ms + 1_000, LOOKED_AT)
    )
    refused = [call.key_id == identity.key.id for call in calls if call.status == 429]
    return RefusedCount(sum(refused), len(refused) - sum(refused), not is_cut)


async def _of_limits(
    services: ServiceContext,
    examined: Examined,
    identity: Identity,
    model: Model | None,
    seen: LimitsSeen,
    now_ms: int,
) -> Trouble | None:
    """What a call would meet now: this very one, where it is known, or else any."""
    request = examined.request.request
    tokens = 1 if request is None or examined.bounds is None else tokens_reserved(request, examined.bounds)
    if model is not None:
        refused = await services.rate_limiter.refusal_of(identity, model, tokens, now_ms)
        if refused is not None:
            return Trouble(refused.phrase, _wait(services, seen, refused.retry_after_ms), refused.code)
        return None
    for one in seen.limits:
        if one.remaining <= 0:
            reason = Phrase(
                "%(name)s of the %(level)s: %(used)s of %(limit)s are used.",
                name=Phrase(one.name.replace("_", " ")),
                level=Phrase(one.level),
                used=one.used,
                limit=one.limit,
            )
            return Trouble(reason, _wait(services, seen, None), "rate_limit_exceeded")
    return None


def _wait(services: ServiceContext, seen: LimitsSeen, retry_after_ms: int | None) -> Phrase:
    tight = min(seen.limits, key=lambda one: one.remaining, default=None)
    ask = f"{site(services.public_url)}{ASK if tight is None else tight.ask}"
    if retry_after_ms is None:
        return Phrase("Send less at once, wait as `Retry-After` says, or ask for a higher limit: %(ask)s", ask=ask)
    return Phrase(
        "Wait %(wait)s, as `Retry-After` says, send fewer or smaller calls, or ask for a higher limit: %(ask)s",
        wait=spelled(retry_after_ms),
        ask=ask,
    )


def _of_money(counters: Sequence[SpendingCounter]) -> Trouble | None:
    short = next((one for one in counters if one.left() == 0), None)
    if short is None:
        return None
    if short.kind == "money":
        reason = Phrase("The money of the account is used up: %(used)s USD were spent.", used=format_usd(short.spent))
        cure = Phrase("Whoever administers the account adds money on the page Billing. Trying again does not help.")
        return Trouble(reason, cure, "insufficient_quota")
    reason = Phrase(
        "A budget of the %(level)s is used up: %(used)s of %(limit)s USD.",
        level=Phrase(short.level),
        used=format_usd(short.spent),
        limit=format_usd(short.limit or 0),
    )
    cure = Phrase("Whoever administers the account raises it on the page Budgets. Trying again does not help.")
    if short.resets_at_ms is not None:
        cure = Phrase(
            "Whoever administers the account raises it on the page Budgets; it begins anew on %(day)s. Trying again"
            " before does not help.",
            day=utc_day(short.resets_at_ms),
        )
    return Trouble(reason, cure, "insufficient_quota")


_PER_KIND: Final = translatable("%(name)s of the %(level)s: %(used)s of %(limit)s")


def _standing(seen: LimitsSeen) -> Phrase:
    refused = seen.refused
    tail = Phrase("No call was refused in the last hour.")
    if refused.own or refused.others:
        tail = Phrase(
            "In the last hour %(own)s calls of this key and %(others)s of other keys of its account were refused"
            " with 429.",
            own=refused.own,
            others=refused.others,
        )
    if not seen.limits:
        return Phrase("No limit binds this key, and there is money for a call. %(tail)s", tail=tail)
    tight = min(seen.limits, key=lambda one: one.remaining / max(1, one.limit))
    nearest = Phrase(
        _PER_KIND,
        name=Phrase(tight.name.replace("_", " ")),
        level=Phrase(tight.level),
        used=tight.used,
        limit=tight.limit,
    )
    return Phrase(
        "A call passes all %(count)s limits, and there is money for it. The nearest is %(nearest)s. %(tail)s",
        count=len(seen.limits),
        nearest=nearest,
        tail=tail,
    )
