"""A call whose provider is asked in another format than the caller's, or whose answer is asked for in another one."""

from tollhouse.core.codec import Codec
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.translation import can_translate, translated
from tollhouse.core.words import AnswerContext
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext

MILLI_PER_SECOND = 1_000


def translate(gateway: GatewayContext, context: RequestContext, request: ModelRequest, wire: str) -> Operation:
    """Give the attempt the codec that asks in the format `wire`, and the operation that is asked for there.

    Raises UnsupportedParameter where these formats are not translated.
    """
    outbound = spoken(gateway, wire)
    asked, answer = context.request_codec, context.codec
    if outbound is None or not can_translate(asked, outbound, answer):
        raise UnsupportedParameter(f"The providers of this model do not serve {context.call.operation}.", param="model")
    call = context.call
    told = AnswerContext(
        request_id=call.id,
        created=call.arrived_ms // MILLI_PER_SECOND,
        request=request,
        custom_tools={} if asked.words is None else asked.words.custom_tools(request),
    )
    context.attempt_codec = translated(asked, outbound, answer, told)
    return outbound.operation


def spoken(gateway: GatewayContext, wire: str) -> Codec | None:
    return next((codec for codec in gateway.codecs.values() if codec.wire == wire), None)
