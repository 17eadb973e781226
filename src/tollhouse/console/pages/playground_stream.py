"""/console/playground/stream: the answer of a call as it comes; and what became of a call, once it is over."""

from functools import partial
from typing import Final

from tollhouse.billing.endings import explained
from tollhouse.console import page_stream
from tollhouse.console.call_money import money_of
from tollhouse.console.pages.playground import planned_call, running
from tollhouse.console.route import Answer, Events, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.services import receipts

OVER_SECONDS_MAX: Final = 5.0
"""A stream that was left is settled at once, or after the 2 s that its report of usage may take."""


@page("POST /console/playground/stream", may="playground.call", waits=True)
async def stream(visit: Visit) -> Answer:
    planned = planned_call(visit)
    return Events(partial(page_stream.run, visit, running(visit).gateway, planned))


@page("GET /console/playground/calls/{id}", may="playground.call", waits=True)
async def outcome(visit: Visit) -> Answer:
    """What a call was held for and charged, and how it ended. Waits for one that is being settled."""
    values: dict[str, object] = {"request_id": visit.id, "call": None}
    if await visit.context.calls.over(visit.shown_account.id, visit.id, OVER_SECONDS_MAX):
        call = (await receipts.show(visit.context.services, visit.actor, visit.id)).call
        values |= {"call": call, "money": money_of(call), "explained": explained(call)}
    return Shown("playground_call.html", values)
