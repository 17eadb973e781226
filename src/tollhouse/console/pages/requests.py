"""/console/requests: the calls of an account, newest first or dearest first; and of all, for the platform's people."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from msgspec import structs

from tollhouse.console.call_formats import DIALECT_TITLES
from tollhouse.console.local_time import instant_ms
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Overloaded, PathNotFound
from tollhouse.core.ids import time_of
from tollhouse.core.usage_record import UsageRecord
from tollhouse.formats import dialects
from tollhouse.services import keys, receipts
from tollhouse.services.choices import OPERATIONS, require_one_of
from tollhouse.services.pages import Page, parse_cursor
from tollhouse.services.receipts import ReceiptFilter

_FILTERS: Final = ("status", "error", "model", "key", "project", "client", "mode", "dialect", "operation")
_KEPT: Final = (*_FILTERS, "account", "from", "to", "order")
OF_NOBODY: Final = "nobody"
"""In place of an account: calls of which nobody knew whose they were."""
_SHOWN: Final = 50
LOOKED_AT_MAX: Final = 1_500
"""Records of one page: where few fit, it says how far back it has looked."""


@page("GET /console/requests", may="requests.list")
async def listing(visit: Visit) -> Answer:
    return await _listing(visit, "/console/requests")


@page("GET /console/platform/requests", may="requests.list")
async def of_all(visit: Visit) -> Answer:
    return await _listing(visit, "/console/platform/requests")


async def _listing(visit: Visit, path: str) -> Answer:
    if (wanted_id := visit.asked("id")) and time_of(wanted_id) is not None:
        return Elsewhere(f"{path}/{wanted_id}")
    services, trouble = visit.context.services, None
    asked = {name: visit.asked(name) for name in _KEPT}
    is_dearest = asked["order"] == "dearest"
    found: Page[UsageRecord] = Page(())
    try:
        if wanted_id:
            raise BadRequest("id: this is no id of a request; one begins with req_", param="id")
        wanted = _wanted(visit, asked)
        after = visit.asked("after") or None
        if is_dearest:
            found = await receipts.dearest(services, wanted, after=after)
        else:
            found = await receipts.list_page(services, wanted, after=after, count=_SHOWN, most_looked_at=LOOKED_AT_MAX)
    except (BadRequest, PathNotFound, Overloaded) as failure:
        trouble = failure
    directory, accounts = services.directory.keys, services.directory.accounts
    account_id = accounts[asked["account"]].id if asked["account"] in accounts else None
    place = None if found.next is None else parse_cursor(found.next)
    values: dict[str, object] = {
        "calls": found.records,
        "next": found.next,
        "looked_to_ms": None if place is None or (len(found.records) == _SHOWN and not is_dearest) else place[0],
        "asked": asked,
        "wanted_id": wanted_id,
        "is_dearest": is_dearest,
        "is_filtered": any(asked.values()),
        "is_first": not visit.asked("after"),
        "path": path,
        "with_address": lambda **changed: _address(path, asked | changed),
        "accounts": accounts if visit.account is None else None,
        "of_nobody": OF_NOBODY,
        "names": {one.key_id: directory[one.key_id].name for one in found.records if one.key_id in directory},
        "key_choices": await _key_choices(visit, account_id),
        "model_choices": sorted(services.catalogue.models),
        "dialects": sorted(dialects()),
        "dialect_titles": DIALECT_TITLES,
        "operations": OPERATIONS,
        "trouble": trouble,
    }
    return Shown("requests.html", values, 200 if trouble is None else trouble.status)


def _wanted(visit: Visit, asked: Mapping[str, str]) -> ReceiptFilter:
    """Raises BadRequest, PathNotFound."""
    mode = asked["mode"] or None
    require_one_of("mode", mode, ("live", "test"))
    since, until, zone = asked["from"], asked["to"], visit.zone
    account = asked["account"] if visit.account is None else ""
    wanted = receipts.wanted_by(
        visit.context.services,
        visit.actor,
        status=asked["status"] or None,
        error=asked["error"] or None,
        model=asked["model"] or None,
        key=asked["key"] or None,
        project=asked["project"] or None,
        client=asked["client"] or None,
        mode="live" if mode == "live" else "test" if mode == "test" else None,
        dialect=asked["dialect"] or None,
        operation=asked["operation"] or None,
        since_ms=instant_ms(since, "from", zone) if since else None,
        until_ms=instant_ms(until, "to", zone, end=True) if until else None,
        account=account if account not in ("", OF_NOBODY) else None,
    )
    return structs.replace(wanted, account_id="") if account == OF_NOBODY else wanted


async def _key_choices(visit: Visit, account_id: str | None) -> Sequence[ApiKey]:
    """Those of one account: the keys of all are too many to choose from."""
    if visit.account is None and account_id is None:
        return ()
    return (await keys.list_page(visit.context.services, visit.actor, account=account_id, limit=100)).records


def _address(path: str, asked: Mapping[str, str]) -> str:
    kept = {name: asked[name] for name in (*_KEPT, "after") if asked.get(name)}
    return f"{path}?{urlencode(kept)}" if kept else path
