"""/docs/api: the control API, for who writes programs against it."""

from typing import Final

from tollhouse.console.api_reference import operations
from tollhouse.console.route import EVERYBODY, Answer, Shown, page
from tollhouse.console.visit import Visit

_KEPT_MS: Final = 60_000


@page("GET /docs/api", may=EVERYBODY, kept_ms=_KEPT_MS)
async def reference(visit: Visit) -> Answer:
    document = visit.context.api_document()
    return Shown("api.html", {"nouns": operations(document), "rules": document["info"]["description"]})
