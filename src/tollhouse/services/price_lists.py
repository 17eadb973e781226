"""Price lists: a file of prices is a draft until it is activated; then its rows are added, and none is ever changed.

What platform.toml prices in the default list is the file's to say: a draft of that list may be looked at and tried
against the calls of the last days, but not put in force for such a model. Other lists take any model.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

from msgspec import Struct, structs

from tollhouse.billing.margin import losses, terms_in_use
from tollhouse.billing.price_list import DEFAULT, PriceLists, Terms
from tollhouse.billing.prices import Price, read_row, unlikely
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.core.price import PriceDraft, PriceRow, Written
from tollhouse.core.spelling import nearest
from tollhouse.services import audit, fields, margin, price_file, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.prices import PriceQuery
from tollhouse.services.pages import Page, read_page
from tollhouse.services.prices import new_row
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

_LIST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_TOLD_MAX = 100
_TOLD_FEW = 5
_AT_MS_MAX = 253_402_300_800_000  # the year 10000

State = Literal["in_force", "scheduled", "past"]


class PriceRowState(Struct, frozen=True):
    """A row and whether it holds now."""

    row: PriceRow
    state: State


class Drafted(Struct, frozen=True):
    """A draft, and what its operator should know before he activates it."""

    draft: PriceDraft
    warnings: tuple[str, ...] = ()
    owned_by_file: tuple[str, ...] = ()
    """Models of the default list that platform.toml prices: because of them it cannot be activated."""


class PriceChange(Struct, frozen=True, kw_only=True):
    """What a draft says of one model. `before`: what its list says now; None: nothing. `after` empty: it leaves the
    list."""

    model: str
    before: Mapping[str, object] | None
    after: Written

    @property
    def is_same(self) -> bool:
        return self.before == self.after


@WithFieldsOf(PriceQuery)
async def rows(services: ServiceContext, actor: Actor, given: PriceQuery) -> tuple[PriceRowState, ...]:
    """Rows by list and model, those that come last into force first; with `past`, those that are over as well."""
    reach.require_operator(actor, "see price lists")
    found = await services.rows.read(lambda tables: tables.prices.rows(price_list=given.list, model=given.model))
    now_ms = services.clock.now_ms()
    standing: list[PriceRowState] = []
    seen: set[tuple[object, ...]] = set()
    for row in reversed(found):  # of one instant, and of all that are not in the future, the first one seen holds
        waits = row.effective_from_ms > now_ms
        where = (row.price_list, row.model, row.effective_from_ms) if waits else (row.price_list, row.model)
        state: State = "past" if where in seen else "scheduled" if waits else "in_force"
        seen.add(where)
        if given.past or state != "past":
            standing.append(PriceRowState(row, state))
    return tuple(sorted(standing, key=lambda one: (one.row.price_list, one.row.model)))


async def bring(services: ServiceContext, actor: Actor, data: bytes, price_list: str = DEFAULT) -> Drafted:
    """Take a file of prices as a draft, all of it or nothing.

    Raises BadRequest with a line for each mistake, ScopeMissing.
    """
    reach.require_operator(actor, "bring prices")
    if _LIST.fullmatch(fields.without_key(price_list, "list")) is None:
        raise BadRequest("list: a price list's name is 1 to 64 of A-Z a-z 0-9 . _ -", param="list")
    file = await asyncio.to_thread(price_file.read, data)
    if file.mistakes:
        told = file.messages()
        more = [Phrase("and %(count)s more mistakes", count=len(told) - _TOLD_MAX)] if len(told) > _TOLD_MAX else []
        raise BadRequest(_lines([*told[:_TOLD_MAX], *more]), param="file")
    now_ms = services.clock.now_ms()
    draft = PriceDraft(id=services.new_id("draft"), price_list=price_list, written=file.written, created_at_ms=now_ms)
    row = audit.entry(services, actor, "price.import", draft.id, after=_told(draft))

    def transaction(tables: SqlRepositories) -> PriceDraft:
        tables.price_drafts.add(draft)
        tables.audit.add(row)
        return draft

    return await _warned(services, await services.rows.change(transaction))


def _lines(told: Sequence[Phrase]) -> Phrase:
    """One below the other, each in the language of its reader."""
    places = {f"line_{number}": one for number, one in enumerate(told)}
    return Phrase("\n".join(f"%({name})s" for name in places), **places)


@WithFieldsOf(Paging)
async def drafts(services: ServiceContext, actor: Actor, given: Paging) -> Page[PriceDraft]:
    """Every file that was brought, newest first."""
    reach.require_operator(actor, "see price lists")
    return await read_page(services, given, lambda tables: tables.price_drafts.page)


async def draft_of(services: ServiceContext, actor: Actor, draft_id: str) -> Drafted:
    """Raises PathNotFound, ScopeMissing."""
    reach.require_operator(actor, "see price lists")
    found = await services.rows.read(lambda tables: tables.price_drafts.get(draft_id))
    if found is None:
        raise PathNotFound(Phrase("no price draft %(draft)s", draft=reach.shown(draft_id)))
    return await _warned(services, found)


async def changes(services: ServiceContext, actor: Actor, draft: PriceDraft) -> tuple[PriceChange, ...]:
    """What a draft would change now, by model. Raises ScopeMissing."""
    standing = await rows(services, actor, list=draft.price_list)
    now = {one.row.model: one.row.written for one in standing if one.state == "in_force" and one.row.written}
    return tuple(
        PriceChange(model=model, before=now.get(model), after=written)
        for model, written in sorted(draft.written.items())
    )


async def activate(services: ServiceContext, actor: Actor, draft_id: str, at_ms: int | None = None) -> Drafted:
    """Put a draft in force from an instant on (Unix milliseconds; None: now). Calls that are admitted before it keep
    their price.

    Raises PathNotFound, BadRequest (an instant that is over; a model whose price is the file's), Conflict for a draft
    that is activated already, ScopeMissing.
    """
    drafted = await draft_of(services, actor, draft_id)
    if at_ms is not None and not services.clock.now_ms() <= at_ms < _AT_MS_MAX:
        raise BadRequest("at: this is not in the future, and what is charged is charged", param="at")
    row = audit.entry(services, actor, "price.activate", draft_id)

    def transaction(tables: SqlRepositories) -> tuple[PriceDraft, PriceLists]:
        draft = tables.price_drafts.get(draft_id)
        if draft is None or draft.activated_at_ms is not None:
            raise Conflict(
                Phrase(
                    "%(draft)s is activated already: import the file again to put it in force once more", draft=draft_id
                )
            )
        _require_not_owned(draft, tables.catalogue.load().models)
        now_ms = services.clock.now_ms()
        since_ms = max(now_ms, at_ms or 0)
        active = structs.replace(draft, activated_at_ms=now_ms, effective_from_ms=since_ms)
        for model, written in draft.written.items():
            before = tables.prices.rows(price_list=draft.price_list, model=model)
            tables.prices.add(new_row(services, draft.price_list, model, written, since_ms, before, draft.id))
        tables.price_drafts.save(active)
        tables.audit.add(structs.replace(row, after=_told(active)))
        return active, PriceLists(tables.prices.list_all())

    def follow(done: tuple[PriceDraft, PriceLists]) -> None:
        services.prices = done[1]

    active, _ = await services.rows.change(transaction, follow)
    return structs.replace(drafted, draft=active)


def proposed(draft: PriceDraft) -> dict[str, Price]:
    """What a draft says each of its models costs; a model that is to leave the list has no tiers."""
    rows = [
        PriceRow(id=f"{draft.id} {model}", price_list=draft.price_list, model=model, effective_from_ms=0, written=one)
        for model, one in draft.written.items()
    ]
    return {row.model: read_row(row) for row in rows}


async def _warned(services: ServiceContext, draft: PriceDraft) -> Drafted:
    """In a thread: a large file is compared with a large catalogue."""
    warnings = await asyncio.to_thread(lambda: tuple(_warnings(services, draft)))
    return Drafted(draft, warnings, tuple(_owned_by_file(draft, services.catalogue.models)))


def _warnings(services: ServiceContext, draft: PriceDraft) -> Iterator[str]:
    models = services.catalogue.models
    unknown = [name for name in draft.written if name not in models]
    for name in unknown[:_TOLD_FEW]:
        hint = f"; the nearest is {nearest(name, models)}" if models else ""
        yield f"{name}: there is no such model yet{hint}"
    if len(unknown) > _TOLD_FEW:
        yield f"{_some(unknown[_TOLD_FEW:])}: there are no such models yet"
    if owned := _owned_by_file(draft, models):
        yield (
            f"{_some(owned)}: platform.toml says the price: this can be previewed, not activated; change the file, or"
            " import this as a list of its own (--list NAME)"
        )
    if free := [name for name in draft.written if name in models and models[name].free]:
        yield f"{_some(free)}: free, as platform.toml says, and so it stays"
    odd = (f"{name}: {words}" for name, written in draft.written.items() for words in unlikely(written))
    yield from islice(odd, _TOLD_FEW)
    lists, used = PriceLists(proposed(draft).values()), terms_in_use(services.prices, _accounts(services))
    buying = {one for one in used if draft.price_list in (DEFAULT, one.price_list)} | {Terms(draft.price_list)}
    told = {
        f"{loss.model}: below cost: {margin.as_text(loss)}" for loss in losses(services.catalogue, lists, buying, 0)
    }
    yield from sorted(told)


def _accounts(services: ServiceContext) -> list[Account]:
    """As they are at this moment: other threads may add some."""
    return list(services.directory.accounts.values())


def _require_not_owned(draft: PriceDraft, models: Mapping[str, Model]) -> None:
    owned = _owned_by_file(draft, models)
    if owned:
        raise BadRequest(
            Phrase(
                "platform.toml prices %(models)s: change that there, or import this as a list of its own (--list NAME)"
                " and let accounts buy by it",
                models=_some(owned),
            ),
            param="list",
        )


def _owned_by_file(draft: PriceDraft, models: Mapping[str, Model]) -> list[str]:
    if draft.price_list != DEFAULT:
        return []
    return [name for name in draft.written if name in models and models[name].price]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_TOLD_FEW]) + (f" and {len(names) - _TOLD_FEW} more" if len(names) > _TOLD_FEW else "")


def _told(draft: PriceDraft) -> dict[str, object]:
    told: dict[str, object] = {"list": draft.price_list, "models": len(draft.written)}
    if draft.effective_from_ms is not None:
        told["effective_from_ms"] = draft.effective_from_ms
    return told
