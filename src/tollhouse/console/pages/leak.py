"""/console/leak: where the mail about a found key leads. Whoever reads it lets the key go on, or gives it a new secret.

The page that the link opens changes nothing: mail programs follow links before people do. Its form does.
"""

from typing import Final

from tollhouse.console.route import EVERYBODY, Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import Conflict
from tollhouse.services import leaks

_TOKEN_MAX: Final = 100


@page("GET /console/leak", may=EVERYBODY)
async def show(visit: Visit) -> Answer:
    services, token = visit.context.services, visit.asked("token")[:_TOKEN_MAX]
    services.admit_confirmation(visit.address, visit.now_ms)
    _, key = await leaks.look_up(services, token)
    return Shown("leak.html", {"key": key, "token": token, "is_done": False, "trouble": None})


@page("POST /console/leak", may=EVERYBODY)
async def resume(visit: Visit) -> Answer:
    services, token = visit.context.services, visit.given("token")[:_TOKEN_MAX]
    services.admit_confirmation(visit.address, visit.now_ms)
    _, key = await leaks.look_up(services, token)
    try:
        key = await leaks.resume(services, token, visit.address)
    except Conflict as trouble:
        values: dict[str, object] = {"key": key, "token": token, "is_done": False, "trouble": trouble}
        return Shown("leak.html", values, trouble.status)
    return Shown("leak.html", {"key": key, "token": "", "is_done": True, "trouble": None})
