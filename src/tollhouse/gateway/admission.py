"""Stage 3: limits. A call that is let in holds its place until it is settled; a refused one leaves no trace."""

from msgspec import structs

from tollhouse.core.catalogue import Model
from tollhouse.core.model_request import ModelRequest, tokens_reserved
from tollhouse.core.usage import Usage
from tollhouse.gateway.ports import NANO_PER_MILLI, AdmittedCall, GatewayContext
from tollhouse.gateway.request_context import RequestContext


async def admit(gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model) -> AdmittedCall:
    """Let a call in at the limits of its caller and model. Raises RateLimited."""
    if context.entry is not None:  # from here on the call has a place of its own
        entry, context.entry = context.entry, None
        await entry.release()
    call = context.call
    admitted = await gateway.limits.admit(
        context.identity,
        model,
        tokens_reserved(request, context.asked),
        call.time_ms,
        context.codec.limit_headers,
        units_reserved(context),
    )
    context.limits = admitted.passed
    context.headers += admitted.headers(call.time_ms)
    context.admitted_ms = (gateway.clock.ticks_ns() - call.ticks_ns) // NANO_PER_MILLI
    return admitted


def units_reserved(context: RequestContext) -> Usage:
    """Other units that a call brings: parts of media, characters. What it is to be answered with is not known yet; the
    hold (`gateway.hold.units_of`) counts on the worst case, which would refuse calls that need nothing."""
    if context.asked.units is not None:
        return structs.replace(context.asked.units, seconds=context.asked.known_units.seconds)
    return Usage(requests=1, images=context.asked.parts, characters=context.asked.bytes)
