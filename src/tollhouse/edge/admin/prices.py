"""/api/v1/prices, /api/v1/price_drafts, /api/v1/margins, /api/v1/public_models: what is asked for models, and why."""

from typing import Any, Literal

from msgspec import Struct, structs

from tollhouse.core.amount import format_usd
from tollhouse.core.price import PriceDraft
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import price_lists, public_models
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.prices import Activation, MarginQuery, PreviewQuery, PriceListQuery, PriceQuery
from tollhouse.services.replay import Replay, Rerated, replay


class PriceObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="price"):
    """A row of a price list. `price`: in the words of platform.toml; empty: the model has left the list. `draft_id`:
    the file it came with; absent: platform.toml."""

    id: str
    list: str
    model: str
    state: Literal["in_force", "scheduled", "past"]
    effective_from: str | None
    price: dict[str, Any]
    managed_by: Literal["file", "api"]
    draft_id: str | None


class PriceChangeObject(Struct, frozen=True, kw_only=True):
    """What a draft says of one model, in the words of platform.toml. `before` null: it is not in the list now. `after`
    empty: it leaves the list."""

    model: str
    before: dict[str, Any] | None
    after: dict[str, Any]


class PriceDraftObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="price_draft"):
    """A file of prices. `state`: of a draft that is not activated, `draft`. `owned_by_file`: models that platform.toml
    prices in the same list; with one of them it cannot be activated. A list of drafts leaves it empty."""

    id: str
    list: str
    models: int
    state: Literal["draft", "scheduled", "in_force"]
    created_at: str | None
    activated_at: str | None
    effective_from: str | None
    warnings: tuple[str, ...] = ()
    owned_by_file: tuple[str, ...] = ()


class ShownPriceDraftObject(PriceDraftObject, frozen=True, kw_only=True, tag_field="object", tag="price_draft"):
    """`changes`: what it would change now, a row for each of its models."""

    changes: tuple[PriceChangeObject, ...]


class ReratedObject(Struct, frozen=True, kw_only=True):
    """The calls of an account to a model, in decimal USD. `cost_usd` is null where a call's cost is not known."""

    account_id: str
    model: str
    calls: int
    charged_usd: str
    would_be_usd: str
    difference_usd: str
    cost_usd: str | None


class PreviewObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="price_preview"):
    """`looked_at`: calls that this answer covers. With `next` there are more: ask again with it as `after`, and add up.
    `as_if_everybody`: nobody buys by the list yet, so every account is shown as if it did."""

    start: str | None
    end: str | None
    looked_at: int
    data: tuple[ReratedObject, ...]
    as_if_everybody: bool
    next: str | None


class PublicModelObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="public_model"):
    """What a maker is believed to have asked on the day `checked`. Compare it with `page` before you sell by it."""

    id: str
    maker: str
    kind: str
    aliases: tuple[str, ...]
    context_tokens: int | None
    max_output_tokens: int | None
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    price: dict[str, Any]
    free: bool
    retires_at: str | None
    checked: str
    page: str
    note: str


@route("prices.list", "GET /api/v1/prices", PLATFORM, "Price lists")
async def list_all(context: AdminContext, request: AdminRequest[PriceQuery]) -> PageObject[PriceObject]:
    found = await price_lists.rows(context.services, request.actor, **request.given)
    return PageObject(data=tuple(_price(one) for one in found))


@route("price_drafts.list", "GET /api/v1/price_drafts", PLATFORM, "Price files, newest first")
async def drafts(context: AdminContext, request: AdminRequest[Paging]) -> PageObject[PriceDraftObject]:
    found = await price_lists.drafts(context.services, request.actor, **request.given)
    return page_object(found, lambda draft: _draft(draft, request.now_ms))


@route(
    "price_drafts.import",
    "POST /api/v1/price_drafts",
    PLATFORM,
    "Take a file of prices (CSV or JSON) as a draft",
    takes_file=True,
    status=201,
)
async def bring(context: AdminContext, request: AdminRequest[PriceListQuery]) -> ShownPriceDraftObject:
    drafted = await price_lists.bring(context.services, request.actor, request.file, request.body.list)
    return await _with_changes(context, request, drafted)


@route("price_drafts.show", "GET /api/v1/price_drafts/{id}", PLATFORM, "One price file, with what it would change")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> ShownPriceDraftObject:
    drafted = await price_lists.draft_of(context.services, request.actor, request.id)
    return await _with_changes(context, request, drafted)


@route(
    "price_drafts.preview",
    "GET /api/v1/price_drafts/{id}/preview",
    PLATFORM,
    "Charge the calls of the last days by a draft",
)
async def preview(context: AdminContext, request: AdminRequest[PreviewQuery]) -> PreviewObject:
    return _preview(await replay(context.services, request.actor, draft=request.id, **request.given))


@route(
    "price_drafts.activate",
    "POST /api/v1/price_drafts/{id}/activate",
    PLATFORM,
    "Put a draft in force from an instant on",
)
async def activate(context: AdminContext, request: AdminRequest[Activation]) -> PriceDraftObject:
    at = request.body.at
    at_ms = None if at is None or at == "now" else moment_ms(at, "at", request.now_ms)
    drafted = await price_lists.activate(context.services, request.actor, request.id, at_ms)
    return _drafted(drafted, context.services.clock.now_ms())


@route("margins.list", "GET /api/v1/margins", PLATFORM, "What the calls of the last days earned and cost")
async def margins(context: AdminContext, request: AdminRequest[MarginQuery]) -> PreviewObject:
    return _preview(await replay(context.services, request.actor, **request.given))


@route(
    "public_models.list",
    "GET /api/v1/public_models",
    PLATFORM,
    "What makers ask for their models, to be compared before selling",
)
async def public(context: AdminContext, request: AdminRequest[NoParameters]) -> PageObject[PublicModelObject]:
    return PageObject(data=tuple(_public(model) for model in public_models.read().values()))


def _price(standing: price_lists.PriceRowState) -> PriceObject:
    row = standing.row
    return fill(
        PriceObject,
        row,
        list=row.price_list,
        state=standing.state,
        price=row.written,
        managed_by="file" if row.draft_id is None else "api",
    )


async def _with_changes(
    context: AdminContext, request: AdminRequest[Any], drafted: price_lists.Drafted
) -> ShownPriceDraftObject:
    found = await price_lists.changes(context.services, request.actor, drafted.draft)
    return ShownPriceDraftObject(
        **structs.asdict(_drafted(drafted, request.now_ms)),
        changes=tuple(fill(PriceChangeObject, one) for one in found),
    )


def _drafted(drafted: price_lists.Drafted, now_ms: int) -> PriceDraftObject:
    shown = _draft(drafted.draft, now_ms)
    return structs.replace(shown, warnings=drafted.warnings, owned_by_file=drafted.owned_by_file)


def _draft(draft: PriceDraft, now_ms: int) -> PriceDraftObject:
    since_ms = draft.effective_from_ms
    return fill(
        PriceDraftObject,
        draft,
        list=draft.price_list,
        models=len(draft.written),
        state="draft" if since_ms is None else "scheduled" if since_ms > now_ms else "in_force",
        warnings=(),
        owned_by_file=(),
    )


def _preview(found: Replay) -> PreviewObject:
    return PreviewObject(
        start=written(found.from_ms),
        end=written(found.to_ms),
        looked_at=found.looked_at,
        data=tuple(_rerated(one) for one in found.sums),
        as_if_everybody=found.everybody,
        next=found.next,
    )


def _rerated(one: Rerated) -> ReratedObject:
    return fill(
        ReratedObject,
        one,
        would_be_usd=format_usd(one.again),
        difference_usd=format_usd(one.again - one.charged),
        cost_usd=None if one.cost is None else format_usd(one.cost),
    )


def _public(model: public_models.PublicModel) -> PublicModelObject:
    return fill(PublicModelObject, model, price=public_models.as_price(model))
