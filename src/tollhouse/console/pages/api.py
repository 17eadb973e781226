"""/docs/api: the control API, for who writes programs against it."""

from tollhouse.console.api_reference import operations
from tollhouse.console.route import EVERYBODY, Answer, Shown, page
from tollhouse.console.visit import Visit


@page("GET /docs/api", may=EVERYBODY)
async def reference(visit: Visit) -> Answer:
    document = visit.context.api_document()
    return Shown("api.html", {"nouns": operations(document), "rules": document["info"]["description"]})
