"""The session of the console as a credential for the control API, of which the pages may make use, too."""

from tollhouse.access.roles import lacks_factor
from tollhouse.access.sessions import is_csrf_token
from tollhouse.console.context import Scope
from tollhouse.console.cookies import secret_in
from tollhouse.core.failure import BadRequest
from tollhouse.services import sessions
from tollhouse.services.context import ServiceContext
from tollhouse.services.sessions import Visitor

_ONLY_READ = ("GET", "HEAD")
CSRF_HEADER = b"x-csrf-token"


async def visitor_of(services: ServiceContext, scope: Scope) -> Visitor | None:
    """Who is signed in by the cookie of a request; nobody who has to set up a second factor first.

    Raises BadRequest for a change without the session's token: a page of another site can have a browser send the
    cookie, and does not know that.
    """
    headers = dict(scope["headers"])
    secret = secret_in(headers.get(b"cookie", b""), is_secure=scope.get("scheme") == "https")
    found = await sessions.visitor(services, secret) if secret else None
    if found is not None and lacks_factor(found.person):
        return None
    token = headers.get(CSRF_HEADER, b"").decode("latin-1")
    if found is not None and scope["method"] not in _ONLY_READ and not is_csrf_token(secret, token):
        raise BadRequest(
            "a change by a session needs its token in the header x-csrf-token; a page of the console has it in each of"
            " its forms",
            param="x-csrf-token",
        )
    return found
