"""`/v1/organization/usage/*` and `/v1/organization/costs`: an account's usage and costs in the original's buckets.

Buckets are minutes, hours or days of UTC, whole ones: a start within a bucket means its start, an end within one its
end. Sums are kept by the quarter of an hour; minutes are read from the records of calls, those of the last day. Test
calls are no usage.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from msgspec import Struct

from tollhouse.core.account import Identity
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import BadRequest
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, BucketSum
from tollhouse.core.usage import Usage
from tollhouse.edge.admin.request_body import from_texts
from tollhouse.edge.billing_page import BillingHandler, number, tell
from tollhouse.edge.exchange import Exchange
from tollhouse.services import organization as books_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.organization import UsageBucket, UsageQuestion
from tollhouse.services.usage_spans import MINUTE_MS

Members = Mapping[str, object]

_FIELDS_MAX: Final = 1_000
_SECONDS_MAX: Final = 253_370_764_799  # the last of the year 9998
_PAGE: Final = re.compile(r"page_([0-9]{1,12})", re.ASCII)


class BucketWidth(Struct, frozen=True):
    """How many buckets of it a page has if nothing is said, and at most."""

    ms: int
    usual: int
    maximum: int


_USAGE_WIDTHS: Final = {
    "1m": BucketWidth(MINUTE_MS, 60, 1440),
    "1h": BucketWidth(HOUR_MS, 24, 168),
    "1d": BucketWidth(DAY_MS, 7, 31),
}
_COSTS_WIDTHS: Final = {"1d": BucketWidth(DAY_MS, 7, 180)}


class OrganizationQuery(Struct, frozen=True, kw_only=True):
    """Unix seconds. `page`: the `next_page` of the answer before."""

    start_time: int
    end_time: int | None = None
    bucket_width: str = "1d"
    limit: int | None = None
    page: str | None = None
    project_ids: tuple[str, ...] = ()
    api_key_ids: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()  # of whom nothing is known: keys belong to projects here


class UsageQuery(OrganizationQuery, frozen=True, kw_only=True):
    models: tuple[str, ...] = ()
    batch: bool | None = None


class OthersAsked(UsageQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "model", "batch"], ...] = ()


class CompletionsAsked(UsageQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"], ...] = ()


class ImagesAsked(UsageQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "model", "batch", "size", "source"], ...] = ()
    sizes: tuple[Literal["256x256", "512x512", "1024x1024", "1024x1792", "1792x1024"], ...] = ()
    sources: tuple[Literal["image.generation", "image.edit", "image.variation"], ...] = ()


class StoresAsked(OrganizationQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id"], ...] = ()


class FileSearchesAsked(OrganizationQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "vector_store_id"], ...] = ()
    vector_store_ids: tuple[str, ...] = ()


class WebSearchesAsked(OrganizationQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "model", "context_level"], ...] = ()
    models: tuple[str, ...] = ()
    context_levels: tuple[Literal["low", "medium", "high"], ...] = ()


class CostsQuery(OrganizationQuery, frozen=True, kw_only=True):
    group_by: tuple[Literal["project_id", "user_id", "api_key_id", "line_item"], ...] = ()
    line_items: tuple[str, ...] = ()


_OURS: Final = {"project_id": "project_id", "api_key_id": "key_id", "model": "model", "line_item": "model"}


def usage(
    kind: str, measure: Callable[[Usage], Members], form: type[UsageQuery], unknown: tuple[str, ...]
) -> BillingHandler:
    """The page of one kind of usage; `measure` says what of it counts there. form: what may be asked. unknown: members
    of the original's results that nothing is kept of here."""

    async def page(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
        query = from_texts(_pairs(exchange), form)
        narrowed = {"project_id": query.project_ids, "key_id": query.api_key_ids, "model": query.models}
        question, more = _question(services, query, query.group_by, _USAGE_WIDTHS, narrowed)
        found = await books_of.usage(services, identity.account.id, kind, question)

        def result(one: BucketSum) -> Members:
            shown = {"object": f"organization.usage.{kind}.result", **measure(one.usage)}
            by_batch = False if "batch" in query.group_by else None  # there are no batches here
            return {
                **shown,
                "num_model_requests": one.usage.requests,
                **_named(one),
                "model": one.model,
                "batch": by_batch,
                **dict.fromkeys(unknown),
            }

        is_none = query.batch is True or bool(query.user_ids) or (isinstance(query, ImagesAsked) and _narrows(query))
        await _tell(exchange, found, more, None if is_none else result)

    return page


def unused(form: type[OrganizationQuery]) -> BillingHandler:
    """The page of a service of the original that is not offered here: its buckets are empty."""

    async def page(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
        query = from_texts(_pairs(exchange), form)
        question, more = _question(services, query, (), _USAGE_WIDTHS, {})
        await _tell(exchange, books_of.empty(question), more, None)

    return page


async def costs(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    query = from_texts(_pairs(exchange), CostsQuery)
    narrowed = {"project_id": query.project_ids, "key_id": query.api_key_ids, "model": query.line_items}
    question, more = _question(services, query, query.group_by, _COSTS_WIDTHS, narrowed)
    found = await books_of.costs(services, identity.account.id, question)

    def result(one: BucketSum) -> Members:
        amount = {"value": number(format_usd(one.charge)), "currency": "usd"}
        return {"object": "organization.costs.result", "amount": amount, "line_item": one.model, **_named(one)}

    await _tell(exchange, found, more, None if query.user_ids else result)


async def _tell(
    exchange: Exchange, found: list[UsageBucket], more: str | None, result: Callable[[BucketSum], Members] | None
) -> None:
    data = [
        {
            "object": "bucket",
            "start_time": bucket.start_ms // 1000,
            "end_time": bucket.end_ms // 1000,
            "results": [] if result is None else [result(one) for one in bucket.sums],
        }
        for bucket in found
    ]
    await tell(exchange, {"object": "page", "data": data, "has_more": more is not None, "next_page": more})


def _narrows(query: ImagesAsked) -> bool:
    """By size or source, which are not kept."""
    return bool(query.sizes or query.sources)


def _named(one: BucketSum) -> Members:
    """Keys belong to projects here, never to users."""
    return {"project_id": one.project_id, "user_id": None, "api_key_id": one.key_id}


def _pairs(exchange: Exchange) -> list[tuple[str, str]]:
    """The query's parameters; `group_by[]=a` is `group_by=a`. Raises BadRequest."""
    try:
        query = exchange.query.decode("ascii")
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise BadRequest("the query string cannot be read") from None
    return [(name.removesuffix("[]"), value) for name, value in pairs]


def _question(
    services: ServiceContext,
    query: OrganizationQuery,
    group_by: tuple[str, ...],
    widths: Mapping[str, BucketWidth],
    narrowed: Mapping[str, Any],
) -> tuple[UsageQuestion, str | None]:
    """What one page asks for, and the cursor of the next, if there is one. Raises BadRequest."""
    width = _width(query.bucket_width, widths)
    if not 0 <= query.start_time <= _SECONDS_MAX:
        raise BadRequest("start_time: write Unix seconds", param="start_time")
    now_s = services.clock.now_ms() // 1000
    end_ms = min(now_s + 1 if query.end_time is None else query.end_time, _SECONDS_MAX) * 1000
    start_ms = query.start_time * 1000
    if query.end_time is not None and start_ms >= end_ms:
        raise BadRequest("end_time: this is not after start_time", param="end_time")
    count = width.usual if query.limit is None else query.limit
    if not 1 <= count <= width.maximum:
        raise BadRequest(f"limit: write 1 to {width.maximum} with bucket_width {query.bucket_width}", param="limit")
    from_ms = start_ms - start_ms % width.ms
    last_ms = max(from_ms, end_ms + -end_ms % width.ms)
    if query.page is not None:
        from_ms = _place(query.page, from_ms, last_ms, width)
    to_ms = min(last_ms, from_ms + count * width.ms)
    question = UsageQuestion(
        from_ms=from_ms,
        to_ms=to_ms,
        width_ms=width.ms,
        by=tuple(dict.fromkeys(_OURS[name] for name in group_by if name in _OURS)),
        narrowed={name: chosen for name, chosen in narrowed.items() if chosen},
    )
    return question, f"page_{to_ms // 1000}" if to_ms < last_ms else None


def _width(name: str, widths: Mapping[str, BucketWidth]) -> BucketWidth:
    if name in widths:
        return widths[name]
    offered = ", ".join(widths)
    raise BadRequest(f"bucket_width: write {offered}", param="bucket_width")


def _place(page: str, from_ms: int, last_ms: int, width: BucketWidth) -> int:
    written = _PAGE.fullmatch(page)
    place_ms = -1 if written is None else int(written[1]) * 1000
    if place_ms % width.ms or not from_ms <= place_ms < last_ms:
        raise BadRequest("page: give the next_page of the answer before, and ask for the same again", param="page")
    return place_ms


def _completions(used: Usage) -> Members:
    cache_writes = used.cache_write_5m + used.cache_write_1h
    return {
        "input_tokens": used.tokens_in(),
        "output_tokens": used.tokens_out(),
        "input_cached_tokens": used.cache_read,
        "input_audio_tokens": used.audio_in,
        "output_audio_tokens": used.audio_out,
        "input_uncached_tokens": used.tokens_in() - used.cache_read - cache_writes,
        "input_cache_write_tokens": cache_writes,
        "input_text_tokens": used.input,
        "input_image_tokens": used.image_in,
        "output_text_tokens": used.output + used.reasoning,
        "output_image_tokens": used.image_out,
    }


def _input(used: Usage) -> Members:
    return {"input_tokens": used.tokens_in()}


_USED: Final[Mapping[str, BillingHandler]] = {
    "completions": usage("completions", _completions, CompletionsAsked, ("service_tier",)),
    "embeddings": usage("embeddings", _input, OthersAsked, ()),
    "moderations": usage("moderations", _input, OthersAsked, ()),
    "images": usage("images", lambda used: {"images": used.images}, ImagesAsked, ("size", "source")),
    "audio_speeches": usage("audio_speeches", lambda used: {"characters": used.characters}, OthersAsked, ()),
    "audio_transcriptions": usage("audio_transcriptions", lambda used: {"seconds": used.seconds}, OthersAsked, ()),
    "vector_stores": unused(StoresAsked),
    "code_interpreter_sessions": unused(StoresAsked),
    "file_search_calls": unused(FileSearchesAsked),
    "web_search_calls": unused(WebSearchesAsked),
}

PAGES: Final[Mapping[str, BillingHandler]] = {
    "organization_costs": costs,
    **{f"organization_{kind}": page for kind, page in _USED.items()},
}
