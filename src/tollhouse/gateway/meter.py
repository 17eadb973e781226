"""What a call used: as the provider reports it, or, where there is no report to believe, as we count it.

A report is set aside only where that protects somebody: one that no provider can mean would bill what never was. What a
loop of tools on the provider's side reports is the sum of its turns, and may be above the context. Our own count is
bounded by what the model can read and by what was held: nobody owes money for our being wrong.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.billing.bounds import LARGEST_CONTEXT
from tollhouse.core.catalogue import Model
from tollhouse.core.codec import Codec
from tollhouse.core.model_request import BYTES_PER_TOKEN, ModelRequest, Prompt
from tollhouse.core.text_start import echoed
from tollhouse.core.usage import SEARCHES_MAX, Usage, at_most
from tollhouse.core.usage_record import Doubt
from tollhouse.core.workers import APART_BYTES
from tollhouse.gateway.large import counted_in_turn
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import NOTHING, RequestContext

TURNS_MAX: Final = 64
"""Of a loop on the provider's side: each may read and write as much as the context holds."""
TOKENS_A_BYTE_MAX: Final = 8
"""Of any text: above what a letter becomes that a vocabulary rewrites into many before it counts."""
TOKENS_BESIDE: Final = 4_096


async def meter(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    reported: Usage | None,
    raw: bytes | None,
    delivered: Callable[[], Awaitable[Usage]],
    beyond: Callable[[Usage], bool] | None,
) -> None:
    """Note usage and where it comes from. `delivered` counts the output that went to the caller; `beyond` says whether
    a usage would cost more than the caller allows.

    A report that says nothing of what was read, or of what was written, is believed of an answer without a word only.
    """
    context.raw_usage = raw
    if reported is None:
        context.doubt = _why(raw, context)
        await count(gateway, context, request, await delivered())
        return
    read, wrote = reported.tokens_in(), reported.tokens_out()
    if not _possible(max(read, reported.seconds), wrote, context, request, model):
        context.doubt = "impossible"
        await count(gateway, context, request, await delivered())
    elif beyond is not None and beyond(reported):
        context.doubt = "beyond the maximum"
        context.usage, context.usage_source = _as_held(reported, context), "counted"
        if beyond(context.usage):
            await count(gateway, context, request, await delivered())
    elif (
        (read and wrote)
        or (context.asked.units is not None and (reported.seconds or reported.requests))
        or (written := await _unsaid(read, context.codec, delivered)) is None
    ):
        units = context.asked.units
        context.usage = structs.replace(reported, requests=1) if units is None else _with_units(reported, context)
        if request.hosted or reported.searches:
            context.usage = _with_searches(context.usage, request)
        context.usage_source = "drained" if context.call.client.gone else "upstream"
    else:
        context.doubt = "one-sided"
        await count(gateway, context, request, written)


async def count(gateway: GatewayContext, context: RequestContext, request: ModelRequest, delivered: Usage) -> None:
    """Note what nobody reported: the prompt as we count it, media by figures, and what went to the caller.

    Input is at most what was held for, which is no more than the model can read. Of a body that was read apart, a text
    that is too long to be counted exactly is estimated by its bytes.
    """
    asked, account_id = context.asked, context.identity.account.id
    if context.prompt is not None:
        read = await _tokens(gateway, context, context.prompt)
    elif request.length > APART_BYTES:
        read = asked.bytes // BYTES_PER_TOKEN
    else:
        prompt = await counted_in_turn(
            gateway, account_id, request.length, partial(context.request_codec.prompt_of, request, asked)
        )
        read = await _tokens(gateway, context, prompt)
    maximum = LARGEST_CONTEXT * request.prompts if context.most_in is None else context.most_in
    seen = min(asked.image_tokens, maximum)
    heard = min(asked.audio_tokens, maximum - seen)
    context.usage = structs.replace(
        delivered,
        input=min(read + asked.file_tokens, maximum - seen - heard),
        output=_within_cap(context, request, max(0, delivered.output - _echoed(context, request, read))),
        image_in=seen,
        audio_in=heard,
        requests=1 if asked.units is None else delivered.requests,
    )
    if asked.units is not None:
        context.usage = _with_units(context.usage, context)
    if request.hosted or delivered.searches:
        context.usage = _with_searches(context.usage, request)
    context.usage_source = "counted"


def _with_searches(used: Usage, request: ModelRequest) -> Usage:
    """Usage with as many searches as are believed: those that a member asks for are made, whether they are told or
    not, and no answer takes more than `SEARCHES_MAX`."""
    least = request.n * sum(tool.least for tool in request.hosted)
    return structs.replace(used, searches=min(max(used.searches, least), request.n * SEARCHES_MAX))


def _with_units(used: Usage, context: RequestContext) -> Usage:
    """Usage with the units that follow from the request, and stand in no report."""
    known = context.asked.known_units
    return structs.replace(
        used,
        requests=used.requests or known.requests or 1,
        characters=known.characters,
        seconds=used.seconds or known.seconds,
    )


def _echoed(context: RequestContext, request: ModelRequest, read: int) -> int:
    """Tokens of the prompts that a completion was asked to repeat, and did: they are in its text, and no output."""
    if not request.echoes:
        return 0
    said, given = echoed(request.echoes, context.heads, request.choices // request.prompts)
    return read * said // given if given else 0


async def _tokens(gateway: GatewayContext, context: RequestContext, prompt: Prompt) -> int:
    tokens = await gateway.count.count_aside(prompt.text, context.model, context.identity.account.id)
    return min(tokens, len(prompt.text.encode())) + prompt.ids


def _as_held(reported: Usage, context: RequestContext) -> Usage:
    """So much of a report as the call was held for, which is no more than its maximum: a maximum bounds a bill, and
    does not make what a provider read and thought free."""
    assert context.most_in is not None
    assert context.most_out is not None
    return structs.replace(at_most(reported, context.most_in, context.most_out, context.most_units), requests=1)


def _within_cap(context: RequestContext, request: ModelRequest, written: int) -> int:
    """Who named a cap pays no more for our being wrong by a third. More than that, and the provider has ignored it: an
    answer that was cut is paid as far as it went."""
    if context.output_cap is None or request.thinks_beside or context.cut:
        return written
    cap = context.output_cap * request.n + request.uncapped
    return cap if cap < written <= max(cap * 3 // 2, context.most_out or 0) else written


def _possible(read: int, wrote: int, context: RequestContext, request: ModelRequest, model: Model) -> bool:
    """No model reads or writes more than its context holds, for each text and each answer that was asked for, and a
    second of sound is several tokens of it: such a report is a mistake, whoever made it. Who has the provider look
    elsewhere, or run tools, is billed for each turn of that."""
    most, asked, codec = model.context_tokens or LARGEST_CONTEXT, context.asked, context.codec
    if asked.has_remote_input:
        most *= TURNS_MAX
    readable = most * request.prompts
    if not (codec.generates or codec.draws or asked.has_remote_input or asked.parts) and asked.units is None:
        readable = min(readable, TOKENS_BESIDE + asked.bytes * TOKENS_A_BYTE_MAX)  # a vector is of what was sent
    return read <= readable and wrote <= most * request.n


def _why(raw: bytes | None, context: RequestContext) -> Doubt | None:
    """Why there is no report to look at. Where none came, or the answer did not end, there is nothing to doubt."""
    unfinished = context.cut or context.error is not None or context.call.client.gone
    return None if raw is None or unfinished else "unreadable"


async def _unsaid(read: int, codec: Codec, delivered: Callable[[], Awaitable[Usage]]) -> Usage | None:
    """The output as we count it, where a report says nothing of what was read or written; None where it may stand. A
    vector is no text, but something."""
    if not (codec.generates or codec.draws):
        return None if read else NOTHING
    written = await delivered()
    return None if written == NOTHING else written
