"""/api/v1/platform: the configuration, what platform.toml would change, and changing it."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, structs

from tollhouse.billing.price_list import DEFAULT
from tollhouse.core.failure import BadRequest
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.route import PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import platform, prices
from tollhouse.services.platform_file import PlatformFile, keys_of, read
from tollhouse.settings import Mistake, Settings, table


class PlatformObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="platform"):
    generation: int
    providers: int
    models: int
    plans: int
    version: str


class ChangeObject(Struct, frozen=True, kw_only=True):
    change: Literal["create", "update", "delete"]
    kind: Literal["provider", "model", "plan"]
    id: str
    before: dict[str, Any]
    after: dict[str, Any]


class PlanObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="plan"):
    """`generation`: of the configuration in force. Sections such as [server] take effect with the next start.
    `reloads`: providers of which the keys that `env:` or `file:` name have changed; `apply` reads them anew."""

    generation: int
    changes: tuple[ChangeObject, ...]
    warnings: tuple[str, ...]
    reloads: tuple[str, ...] = ()


@route("platform.show", "GET /api/v1/platform", PLATFORM, "The configuration in force")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> PlatformObject:
    catalogue = context.services.catalogue
    return PlatformObject(
        generation=catalogue.generation,
        providers=len(catalogue.providers),
        models=len(catalogue.models),
        plans=len(catalogue.plans),
        version=context.version,
    )


@route("platform.plan", "POST /api/v1/platform/plan", PLATFORM, "What a platform.toml would change", takes_file=True)
async def plan(context: AdminContext, request: AdminRequest[NoParameters]) -> PlanObject:
    reading = _read(context, request.file)
    changes = await platform.plan(context.services, request.actor, reading.catalogue)
    return _plan_object(context, context.services.catalogue.generation, changes, reading, _reloads(context, reading))


@route(
    "platform.apply",
    "POST /api/v1/platform/apply",
    PLATFORM,
    "Make the platform what a platform.toml says",
    takes_file=True,
)
async def apply(context: AdminContext, request: AdminRequest[NoParameters]) -> PlanObject:
    reading = _read(context, request.file)
    reloads = _reloads(context, reading)
    applied = await platform.apply(context.services, request.actor, reading.catalogue)
    return _plan_object(context, applied.generation, applied.changes, reading, reloads)


def _read(context: AdminContext, file: bytes) -> PlatformFile:
    """Raises BadRequest with a line for each mistake."""
    reading = read(file, context.environment)
    if reading.mistakes:
        raise BadRequest("\n".join(map(str, reading.mistakes)), param=reading.mistakes[0].where)
    return reading


def _reloads(context: AdminContext, reading: PlatformFile) -> tuple[str, ...]:
    """Providers whose keys were named alike before, and are others now."""
    running, wanted = context.destinations(), reading.catalogue.providers
    return tuple(
        name
        for name, one in running.items()
        if name in wanted
        and not one.kind.in_process
        and wanted[name].api_keys == one.provider.api_keys
        and keys_of(wanted[name], context.environment) != one.keys
    )


def _plan_object(
    context: AdminContext,
    generation: int,
    changes: tuple[platform.Change, ...],
    reading: PlatformFile,
    reloads: tuple[str, ...],
) -> PlanObject:
    return PlanObject(
        reloads=reloads,
        generation=generation,
        changes=tuple(
            ChangeObject(change=one.action, kind=one.kind, id=one.id, before=one.before, after=one.after)
            for one in changes
        ),
        warnings=(
            *map(str, (*reading.warnings, *_without_price(context, reading))),
            *_with_next_start(context.settings, reading.settings),
        ),
    )


def _without_price(context: AdminContext, reading: PlatformFile) -> Iterator[Mistake]:
    priced = prices.imported(context.services)
    for model, words in reading.unpriced.items():
        lists = priced.get(model, ())
        if not lists:
            yield words
        elif DEFAULT not in lists:
            yield structs.replace(words, message=prices.sold_by(lists))


def _with_next_start(running: Settings | None, wanted: Settings) -> Iterator[str]:
    """Which settings the file has otherwise than the server that runs. An address that the file does not name may have
    come from a flag."""
    for row in table() if running is not None else ():
        now, then = (getattr(getattr(one, row.section), row.attribute) for one in (running, wanted))
        if now != then and not (row.name in ("listen", "metrics_address") and then == row.default):
            yield f"{row.section}.{row.name}: takes effect when the server is started again"
