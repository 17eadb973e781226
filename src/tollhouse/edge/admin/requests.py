"""/api/v1/requests"""

from tollhouse.core.failure import Overloaded
from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, page_object
from tollhouse.edge.admin.receipts import ReceiptObject, RequestObject, receipt_object, request_object
from tollhouse.edge.admin.route import OWN, AdminRequest, NoParameters, route
from tollhouse.services import pages, receipts
from tollhouse.services.given.requests import RequestQuery


@route("requests.list", "GET /api/v1/requests", OWN, "Calls, newest first, or the dearest")
async def list_all(context: AdminContext, request: AdminRequest[RequestQuery]) -> PageObject[RequestObject]:
    body = request.body
    reading = receipts.dearest if body.order == "dearest" else receipts.list_page
    found = await reading(context.services, _wanted(context, request), after=body.after, count=body.limit)
    return page_object(found, lambda call: _request(context, request, call))


@route(
    "requests.tail",
    "GET /api/v1/requests/tail",
    OWN,
    "Calls in the order of their ends; give back `next` as `after` to follow",
)
async def tail(context: AdminContext, request: AdminRequest[RequestQuery]) -> PageObject[RequestObject]:
    body = request.body
    if context.recent is None:
        message = (
            "only a server that runs sees calls end: start `tollhouse serve`; `requests list` shows those that ended"
        )
        raise Overloaded(message)
    found = context.recent.page(body.after, pages.limit(body.limit), _wanted(context, request).holds)
    return page_object(found, lambda call: _request(context, request, call))


@route("requests.show", "GET /api/v1/requests/{id}", OWN, "The receipt of a call")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> ReceiptObject:
    """An API key reads the receipts of its own calls; any other is, word for word, one of a call that never was."""
    receipt = await receipts.show(context.services, request.actor, request.id, request.own_key_id)
    return receipt_object(
        receipt,
        show_provider=may_see_provider(context, request.actor.account_id),
        is_operator=request.actor.account_id is None,
    )


def _request(context: AdminContext, request: AdminRequest[RequestQuery], call: UsageRecord) -> RequestObject:
    last4 = receipts.last4(context.services, call)
    return request_object(call, last4, is_operator=request.actor.account_id is None)


def may_see_provider(context: AdminContext, account_id: str | None) -> bool:
    """The operator may; others where the platform shows it."""
    return account_id is None or (context.gateway is not None and context.gateway.show_provider)


def _wanted(context: AdminContext, request: AdminRequest[RequestQuery]) -> receipts.ReceiptFilter:
    asked = {name: value for name, value in request.given.items() if name not in ("limit", "after", "order")}
    return receipts.wanted_by(context.services, request.actor, **asked)
