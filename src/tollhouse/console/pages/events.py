"""/console/events: calls of the account that end, as they end; no page, but what pages listen to."""

from functools import partial

from tollhouse.console import event_stream
from tollhouse.console.route import Answer, Events, page
from tollhouse.console.visit import Visit


@page("GET /console/events", may="requests.list")
async def events(visit: Visit) -> Answer:
    """A stream of server-sent events: `message` with what ended since the one before, `refresh` where what was missed
    is not kept any more, `bye` at the end of the session."""
    assert visit.visitor is not None
    return Events(partial(event_stream.run, visit, visit.visitor, visit.shown_account))
