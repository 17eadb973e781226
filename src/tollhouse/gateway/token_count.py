"""How many tokens a request has, asked for without an answer: counted here, free, and without a provider.

It passes the first stages of `gateway.flow`, and counts at no limit, for editors ask for dozens of counts at once;
whoever asks for very many waits. The count is that of our own tokenizer over the text of the prompt, as in a hold:
media count by a figure, and what lies elsewhere counts for nothing.
"""

from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.failure import PathNotFound
from tollhouse.core.model_request import BYTES_PER_TOKEN, COUNTED_BYTES_MAX, ModelRequest
from tollhouse.gateway.authenticate import authenticate, reauthenticate_if_slow
from tollhouse.gateway.connection import Call
from tollhouse.gateway.large import worked
from tollhouse.gateway.ports import NANO_PER_MILLI, GatewayContext
from tollhouse.gateway.read import read
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.route import resolve
from tollhouse.gateway.settlement import Settlement

MILLI_PER_SECOND: Final = 1_000
_BYTES_A_WEIGHT: Final = 4 * 1024  # of text, which takes as long to count as a refusal is meant to take: 1 ms
_JSON: Final = (b"content-type", b"application/json")


async def count_tokens(gateway: GatewayContext, call: Call) -> None:
    """Answer one call. Raises what `gateway.flow.serve` raises before its limits."""
    context = authenticate(gateway, call)
    counting = context.codec.counting
    if counting is None:
        raise PathNotFound(f"Tokens of {call.operation} are not counted in this dialect.")
    context.request_codec = structs.replace(context.codec, read=counting.read)
    async with Settlement(gateway, context) as settlement:
        request = await read(gateway, context)
        reauthenticate_if_slow(gateway, context)
        resolve(gateway, context, request)
        weight = 1 + context.asked.bytes // _BYTES_A_WEIGHT
        if delay_ms := gateway.pace.account_delay_ms(context.identity.account.id, gateway.clock.now_ms(), weight):
            await gateway.sleep(delay_ms / MILLI_PER_SECOND)
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
