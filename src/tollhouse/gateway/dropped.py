"""Members of a request that do not go on to a provider: the answer's head names them, and the record keeps them."""

from typing import Final
from urllib.parse import quote

from tollhouse.access.exposed import without_keys
from tollhouse.gateway.request_context import RequestContext

DROPPED: Final = b"x-tollhouse-dropped"
DROPPED_MAX: Final = 10
"""Names of members that a head tells; the caller wrote them, so each is cut and written as a head can carry it."""
_CHARACTERS_MAX: Final = 64
_IN_A_HEAD: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~ "


def note_dropped(context: RequestContext, members: tuple[str, ...]) -> None:
    """Say these members, instead of those that were said before."""
    text = _named(members)
    context.dropped = without_keys(text)
    told = [header for header in context.headers if header[0] != DROPPED]
    context.headers = [*told, (DROPPED, text.encode())]


def _named(members: tuple[str, ...]) -> str:
    shown = [quote(name[:_CHARACTERS_MAX], safe=_IN_A_HEAD, errors="replace") for name in members[:DROPPED_MAX]]
    return ", ".join([*shown, *(("...",) if len(members) > DROPPED_MAX else ())])
