"""How many tokens a request has, asked for without an answer: counted here, free, and without a provider.

It passes the stages of `gateway.flow` up to the limits. The count is that of our own tokenizer over the text of the
prompt, as in a hold: media count by a figure, and what lies elsewhere counts for nothing.
"""

from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.failure import PathNotFound
from tollhouse.core.model_request import BYTES_PER_TOKEN, COUNTED_BYTES_MAX, ModelRequest
from tollhouse.gateway.admission import admit
from tollhouse.gateway.authenticate import authenticate, reauthenticate_if_slow
from tollhouse.gateway.connection import Call
from tollhouse.gateway.large import worked
from tollhouse.gateway.ports import NANO_PER_MILLI, GatewayContext
from tollhouse.gateway.read import read
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.route import resolve
from tollhouse.gateway.settlement import Settlement

_JSON: Final = (b"content-type", b"application/json")


async def count_tokens(gateway: GatewayContext, call: Call) -> None:
    """Answer one call. Raises what `gateway.flow.serve` raises up to its limits."""
    context = authenticate(gateway, call)
    counting = context.codec.counting
    if counting is None:
        raise PathNotFound(f"Tokens of {call.operation} are not counted in this dialect.")
    context.request_codec = structs.replace(context.codec, read=counting.read)
    async with Settlement(gateway, context) as settlement:
        request = await read(gateway, context)
        reauthenticate_if_slow(gateway, context)
        model = resolve(gateway, context, request)
        settlement.admitted = await admit(gateway, context, request, model)
        body = counting.body(await _counted(gateway, context, request))
        since_ns = gateway.clock.ticks_ns() - call.ticks_ns
        context.first_byte_ms = context.last_byte_ms = since_ns // NANO_PER_MILLI
        settlement.finish_free()
        await call.client.send_response(200, [_JSON, *context.headers], body)


async def _counted(gateway: GatewayContext, context: RequestContext, request: ModelRequest) -> int:
    """A text so long that nobody counts it before a call is estimated by its bytes."""
    asked, account_id = context.asked, context.identity.account.id
    media = asked.image_tokens + asked.audio_tokens + asked.file_tokens
    if asked.bytes > COUNTED_BYTES_MAX:
        return asked.bytes // BYTES_PER_TOKEN + media
    prompt = context.prompt
    if prompt is None:
        prompt = await worked(
            gateway, account_id, context.body_bytes, partial(context.request_codec.prompt_of, request, asked)
        )
    tokens = await gateway.count.count_aside(prompt.text, context.model, account_id)
    return min(tokens, len(prompt.text.encode())) + prompt.ids + media
