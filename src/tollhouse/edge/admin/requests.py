"""/api/v1/requests"""

from tollhouse.core.failure import Overloaded
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import ago_ms
from tollhouse.edge.admin.objects import Page, page_object
from tollhouse.edge.admin.receipts import ReceiptObject, RequestObject, receipt_object, request_object
from tollhouse.edge.admin.route import OWN, Asked, Nothing, Paging, Route
from tollhouse.office import pages, receipts


class Which(Paging, frozen=True, kw_only=True):
    """`status`: 429, or 4xx for a whole class. `since`: 2h (so long ago), a date, or a time with its offset."""

    account: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None  # its id, or those that begin so: gpt-4*
    status: str | None = None
    since: str | None = None


async def show(desk: Desk, asked: Asked[Nothing]) -> ReceiptObject:
    """An API key reads the receipts of its own calls; any other is, word for word, one of a call that never was."""
    receipt = await receipts.show(desk.office, asked.actor, asked.id, asked.own_key_id)
    return receipt_object(receipt, show_provider=may_see_provider(desk, asked.actor.account_id))


async def every(desk: Desk, asked: Asked[Which]) -> Page[RequestObject]:
    given = asked.given
    found = await receipts.list_page(desk.office, _wanted(desk, asked), after=given.after, count=given.limit)
    return page_object(found, lambda call: request_object(call, receipts.last4(desk.office, call)))


async def tail(desk: Desk, asked: Asked[Which]) -> Page[RequestObject]:
    given = asked.given
    if desk.recent is None:
        message = (
            "only a server that runs sees calls end: start `tollhouse serve`; `requests list` shows those that ended"
        )
        raise Overloaded(message)
    found = desk.recent.page(given.after, pages.limit(given.limit), _wanted(desk, asked).holds)
    return page_object(found, lambda call: request_object(call, receipts.last4(desk.office, call)))


def may_see_provider(desk: Desk, account_id: str | None) -> bool:
    """The operator may; others where the platform shows it."""
    return account_id is None or (desk.house is not None and desk.house.show_provider)


def _wanted(desk: Desk, asked: Asked[Which]) -> receipts.Wanted:
    given = asked.given
    return receipts.wanted_by(
        desk.office,
        asked.actor,
        account=given.account,
        project=given.project,
        key=asked.own_key_id or given.key,
        model=given.model,
        status=given.status,
        since_ms=None if given.since is None else ago_ms(given.since, "since", asked.now_ms),
    )


_PATH = "/api/v1/requests"
ROUTES = (
    Route("requests.list", "GET", _PATH, every, OWN, "Calls, newest first", Page[RequestObject], Which),
    Route(
        "requests.tail",
        "GET",
        _PATH + "/tail",
        tail,
        OWN,
        "Calls in the order of their ends; give back `next` as `after` to follow",
        Page[RequestObject],
        Which,
    ),
    Route("requests.show", "GET", _PATH + "/{id}", show, OWN, "The receipt of a call", ReceiptObject),
)
