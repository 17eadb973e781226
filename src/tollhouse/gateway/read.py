"""Stage 2: the body, read as far as the gateway needs it."""

from typing import Final

from tollhouse.core.failure import BadRequest
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.extent import extent
from tollhouse.protocols.openai.request import Request
from tollhouse.protocols.openai.request import read as read_openai

TAGS_MAX: Final = 16
TAG_CHARACTERS_MAX: Final = 64
SIMULATE: Final = b"x-tollhouse-simulate"


async def read(house: House, journey: Journey) -> Request:
    """Wait for the body and read it. Raises RequestTooLarge, BadRequest, UnsupportedParameter, ClientLeft."""
    call = journey.call
    body = await call.client.body()
    request = read_openai(call.operation, body)
    if request.dropped:
        journey.headers.append((b"x-tollhouse-dropped", ", ".join(request.dropped).encode()))
    journey.stream = request.stream
    journey.asked = extent(request)
    journey.output_cap = request.output_cap
    journey.tags = _tags(journey.identity.key.tags, call.header(b"x-tollhouse-tags"), request)
    if journey.identity.key.mode == "test":
        journey.script = call.header(SIMULATE).decode("latin-1")
    return request


def _text(header: bytes) -> str:
    """What clients write beyond ASCII is UTF-8 nearly always."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _tags(of_key: dict[str, str], header: bytes, request: Request) -> dict[str, str]:
    """What costs may be grouped by: the key's own tags, and the call's, which go before them."""
    tags = dict(list(request.metadata.items())[:TAGS_MAX])
    if request.user:
        tags["user"] = request.user
    if header:
        for pair in _text(header).split(","):
            name, found, value = pair.partition("=")
            if not found or not name.strip():
                raise BadRequest("x-tollhouse-tags must be written as a=b,c=d", param="x-tollhouse-tags")
            tags[name.strip()] = value.strip()
        if len(tags) > TAGS_MAX:
            raise BadRequest(f"a call carries at most {TAGS_MAX} tags", param="x-tollhouse-tags")
    if not tags:
        return of_key
    named = {name[:TAG_CHARACTERS_MAX]: value[:TAG_CHARACTERS_MAX] for name, value in tags.items()}
    return of_key | named if of_key else named
