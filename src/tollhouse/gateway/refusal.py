"""An answer of a provider that is not what was asked for: read as far as it is worth, and judged."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.cleaning import Known, nobodys
from tollhouse.core.codec import Codec
from tollhouse.core.failure import Failure, Overloaded, UpstreamError, UpstreamTimeout
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.upstream import UpstreamResponse
from tollhouse.gateway.blame import blame_of
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.large import LARGE_BYTES, worked
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.providers import Fault
from tollhouse.routing.choice import Choice

ERROR_BYTES_MAX: Final = 65_536


class AttemptFailed(Exception):
    """An attempt failed; `fault` says why, whose fault it was, and when trying there again makes sense."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.failure.code)
        self.fault = fault


def known_of(codec: Codec, destination: Destination, request: ModelRequest, choice: Choice) -> Known:
    """What of an attempt tells which words of its provider may be told. In a long request nothing is looked up on the
    way of its answer: it would keep others waiting."""
    return Known(
        is_callers=partial(codec.stands_in, request) if request.length <= LARGE_BYTES else nobodys,
        upstream_model=choice.offer.model,
        model=request.model,
        secrets=destination.secrets,
        hosts=(destination.route.host,),
    )


def hidden_refusal(
    context: RequestContext, choice: Choice, answer: UpstreamResponse, failure: Failure, body: bytes
) -> Fault:
    """What the body of a 200 means that is no answer: some vendors put their errors there, in a form of their own."""
    kind = context.destinations[choice.offer.provider].kind
    fault = kind.read_error(context.call.operation, answer.status, answer.headers, body, context.known)
    return Fault(failure=failure, blame="offer") if fault.blame == "offer" else fault


def begun_refusal(
    context: RequestContext, choice: Choice, answer: UpstreamResponse, failure: Failure, begun: bytes
) -> Fault:
    """What a stream means that begins with an error: its kind knows the vendor's own words, the format those of all."""
    kind = context.destinations[choice.offer.provider].kind
    fault = kind.read_error(context.call.operation, answer.status, answer.headers, begun, context.known)
    return Fault(failure=failure, blame=blame_of(failure)) if fault.blame == "offer" else fault


async def read_refusal(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choice: Choice, answer: UpstreamResponse
) -> Fault:
    """What an error answer means; its connection is not worth keeping for a body that breaks or never ends."""
    pieces: list[bytes] = []
    try:
        while sum(map(len, pieces)) <= ERROR_BYTES_MAX and (piece := await answer.read()):
            pieces.append(piece)
    except (UpstreamError, UpstreamTimeout):
        pass  # what came of it may say enough
    body = b"".join(pieces)[:ERROR_BYTES_MAX]
    destination, operation = context.destinations[choice.offer.provider], context.call.operation

    def read(is_callers: Callable[[str], bool]) -> Fault:
        known = structs.replace(context.known, is_callers=is_callers)
        return destination.kind.read_error(operation, answer.status, answer.headers, body, known)

    try:
        work = partial(read, partial(context.request_codec.stands_in, request))
        return await worked(gateway, context.identity.account.id, request.length, work)
    except Overloaded:  # the account's own work waits: then what it wrote itself is not looked for
        return read(nobodys)
