"""Explanations as the control API shows them: who, what, by which price, from which counters, and the verdict."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from tollhouse.billing import holds
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.prices import Price, write_multiplier
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import Failure
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import fill
from tollhouse.edge.admin.receipts import Maybe, ReceiptObject
from tollhouse.edge.admin.sentences import about_call, about_receipt
from tollhouse.gateway.explain import Explanation, Ranked


class CallerResponse(Struct, frozen=True, kw_only=True):
    """`networks` are not judged: from where the call would come is not known."""

    key_id: str
    key_name: str
    last4: str
    mode: str
    state: str
    expires_at: str | None
    scopes: tuple[str, ...]
    models: tuple[str, ...]
    networks: tuple[str, ...]
    account_id: str
    account_name: str
    account_state: str
    plan: str
    project_id: str
    project_name: str


class OfferResponse(Struct, frozen=True, kw_only=True):
    """`turn`: when it would be tried, from 1; null: not now. Provider and name only where they may be told."""

    turn: int | None
    provider: Maybe = UNSET
    model: Maybe = UNSET
    why: str


class ModelResponse(Struct, frozen=True, kw_only=True):
    id: str
    context_tokens: int | None
    max_output_tokens: int | None
    retires_at: str | None


class PriceResponse(Struct, frozen=True, kw_only=True):
    """USD per million tokens and per unit, for inputs above so many tokens; multiplied by what the account pays."""

    id: str
    price_list: str
    multiplier: str
    effective_from: str | None
    tiers: tuple[dict[str, Any], ...]


class BoundsResponse(Struct, frozen=True, kw_only=True):
    """At most. `added_cap`: an output cap that would be sent, because none was named."""

    input_tokens: int
    output_tokens: int
    added_cap: int | None


class SpendingCounterResponse(Struct, frozen=True, kw_only=True):
    """`id`: the budget, or the account whose money it is. `left_usd` null: nothing binds here."""

    kind: str
    id: str
    level: str
    of_id: str
    window: str
    model: Maybe = UNSET
    limit_usd: str | None
    used_usd: str
    held_usd: str
    left_usd: str | None
    needs_usd: str
    enough: bool
    resets_at: str | None


class ErrorResponse(Struct, frozen=True, kw_only=True):
    status: int
    code: str
    message: str


class ExplanationVerdict(Struct, frozen=True, kw_only=True):
    """`error`: the very one the call would get; where several things are wrong, the first it would meet."""

    admitted: bool
    error: ErrorResponse | UnsetType = UNSET


class ExplanationObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="explanation"):
    """`sentences`: the same in plain words. `receipt`: of the call that was made, where one was asked about."""

    time: str | None
    caller: CallerResponse
    operation: str
    model_asked: str
    model: ModelResponse | None
    tags: dict[str, str]
    offers: tuple[OfferResponse, ...]
    tokens_reserved: int
    limits: tuple[dict[str, Any], ...]
    free: Maybe = UNSET
    price: PriceResponse | None
    bounds: BoundsResponse | None
    worst_case_usd: str
    counters: tuple[SpendingCounterResponse, ...] = field(name="purses")  # the name that the API has had
    verdict: ExplanationVerdict
    sentences: tuple[str, ...]
    receipt: ReceiptObject | UnsetType = UNSET


def explanation_object(
    found: Explanation, now_ms: int, *, show_provider: bool, receipt: ReceiptObject | None = None
) -> ExplanationObject:
    bounds = found.bounds
    return ExplanationObject(
        time=written(now_ms),
        caller=_caller(found),
        operation=found.operation,
        model_asked=found.asked,
        model=None if found.model is None else fill(ModelResponse, found.model),
        tags=found.tags,
        offers=tuple(_offer(one, show_provider) for one in found.offers),
        tokens_reserved=found.tokens,
        limits=tuple(found.limits),
        free=found.free or UNSET,
        price=None if found.price is None else _price(found.price),
        bounds=None
        if bounds is None
        else BoundsResponse(input_tokens=bounds.tokens_in, output_tokens=bounds.tokens_out, added_cap=bounds.added_cap),
        worst_case_usd=format_usd(found.amount),
        counters=tuple(_counter(one, found.amount) for one in found.counters),
        verdict=_verdict(found.failure),
        sentences=(*(() if receipt is None else about_receipt(receipt)), *about_call(found, now=receipt is not None)),
        receipt=UNSET if receipt is None else receipt,
    )


def _caller(found: Explanation) -> CallerResponse:
    key, account, project = found.identity.key, found.identity.account, found.identity.project
    return CallerResponse(
        key_id=key.id,
        key_name=key.name,
        last4=found.identity.secret.last4,
        mode=key.mode,
        state=key.state,
        expires_at=written(key.expires_at_ms),
        scopes=key.scopes,
        models=key.models,
        networks=key.networks,
        account_id=account.id,
        account_name=account.name,
        account_state=account.state,
        plan=account.plan,
        project_id=project.id,
        project_name=project.name,
    )


def _offer(one: Ranked, show_provider: bool) -> OfferResponse:
    return OfferResponse(
        turn=one.turn,
        provider=one.offer.provider if show_provider else UNSET,
        model=one.offer.model if show_provider else UNSET,
        why=one.why,
    )


def _price(price: Price) -> PriceResponse:
    return fill(
        PriceResponse,
        price,
        multiplier=write_multiplier(price.multiplier_ppm),
        tiers=tuple(
            {
                "above_input_tokens": tier.above_input_tokens,
                "per_million_tokens_usd": {bucket: format_usd(rate) for bucket, rate in tier.per_million.items()},
                "per_unit_usd": {bucket: format_usd(rate) for bucket, rate in tier.per_unit.items()},
            }
            for tier in price.tiers
        ),
    )


def _counter(counter: SpendingCounter, amount: int) -> SpendingCounterResponse:
    left = counter.left()
    return SpendingCounterResponse(
        kind=counter.kind,
        id=counter.id,
        level=counter.level,
        of_id=counter.object_id,
        window=counter.window,
        model=counter.model or UNSET,
        limit_usd=None if counter.limit is None else format_usd(counter.limit),
        used_usd=format_usd(counter.spent),
        held_usd=format_usd(counter.held),
        left_usd=None if left is None else format_usd(left),
        needs_usd=format_usd(amount),
        enough=holds.insufficient((counter,), amount) is None,
        resets_at=written(counter.resets_at_ms),
    )


def _verdict(failure: Failure | None) -> ExplanationVerdict:
    if failure is None:
        return ExplanationVerdict(admitted=True)
    return ExplanationVerdict(
        admitted=False, error=ErrorResponse(status=failure.status, code=failure.code, message=failure.message)
    )
