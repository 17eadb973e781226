"""A call whose provider is asked in another format than the caller's, or whose answer is asked for in another one."""

from typing import Final

from msgspec import structs

from tollhouse.core.body_pieces import in_pieces
from tollhouse.core.codec import Codec
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.half_pairs import restore_members
from tollhouse.core.model_request import BYTES_PER_TOKEN, ModelRequest
from tollhouse.core.translation import can_translate, translated, write_apart
from tollhouse.core.upstream import Buffer
from tollhouse.core.words import AnswerContext
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.refusal import AttemptFailed
from tollhouse.gateway.request_context import RequestContext
from tollhouse.providers import Fault

MILLI_PER_SECOND: Final = 1_000
THREAD_BYTES: Final = 8 * 1024
"""Beyond it a request is translated in a thread, and so are events: each message or event takes some 10 us, and may be
as short as 30 bytes."""
PROCESS_BYTES: Final = 64 * 1024
"""Beyond it a request is translated by another process."""


def spoken(gateway: GatewayContext, context: RequestContext, wire: str) -> Codec:
    """The codec of a provider's format. Raises AttemptFailed where it is not translated to and from the caller's."""
    for codec in gateway.codecs.values():
        if codec.wire == wire and can_translate(context.request_codec, codec, context.codec):
            return codec
    served = f"The providers of this model do not serve {context.call.operation}."
    raise _unsaid(UnsupportedParameter(served, param="model"))


def _unsaid(failure: UnsupportedParameter) -> AttemptFailed:
    """The format of this provider cannot say the request; that of another may."""
    return AttemptFailed(Fault(failure=failure, blame="format"))


def translate(
    gateway: GatewayContext,
    context: RequestContext,
    outbound: Codec,
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """Give the attempt its codec, and write the body: see `core.codec.WriteRequest`. For more than `THREAD_BYTES` it is
    called in a thread.

    Raises AttemptFailed.
    """
    asked, call, is_large = context.request_codec, context.call, request.length > PROCESS_BYTES
    told = AnswerContext(
        request_id=call.id,
        created=call.arrived_ms // MILLI_PER_SECOND,
        request=structs.replace(request, members={}) if is_large else request,
        input_tokens=_estimated(context),
    )
    request.renamed = {}
    codec = context.attempt_codec = translated(asked, outbound, context.codec, told)
    try:
        if not is_large or asked is outbound:
            written = codec.write(
                request,
                model=model,
                stream=stream,
                include_usage=include_usage,
                caps=caps,
                others=others,
                added_cap=added_cap,
            )
            told.request.renamed = request.renamed
            return written
        made = gateway.processes.call(
            write_apart,
            _as_it_came(request),
            asked,
            outbound,
            model=model,
            stream=stream,
            include_usage=include_usage,
            caps=caps,
            others=others,
            added_cap=added_cap,
            longest_answer=request.longest_answer,
        )
    except UnsupportedParameter as failure:
        raise _unsaid(failure) from None
    answered, request.untold = told.request, made.untold
    request.renamed = answered.renamed = made.renamed
    request.stand_ins = answered.stand_ins = made.stand_ins
    return [made.body]


def _as_it_came(request: ModelRequest) -> list[Buffer]:
    """The body of a request, to be read again: what its own format writes for a provider may be less."""
    return list(in_pieces(restore_members(request.members) if request.has_halves else request.members))


def _estimated(context: RequestContext) -> int:
    """About how many tokens the caller's input has."""
    asked = context.asked
    return asked.bytes // BYTES_PER_TOKEN + asked.image_tokens + asked.audio_tokens + asked.file_tokens
