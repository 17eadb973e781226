"""A buffered answer that passes what was held for: only what is paid for goes on.

Its text is counted only where its report is missing, or says more than may pass. One that reports more than it shows (a
model that thinks unseen) is passed on and charged as reported, unless its caller has set a maximum.
"""

from collections.abc import Callable
from functools import partial

from msgspec import structs

from tollhouse.core.usage import Usage
from tollhouse.gateway.large import counted_in_turn
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.response import BufferedResponse


async def cut_whole(
    gateway: GatewayContext, context: RequestContext, answer: BufferedResponse, beyond: Callable[[Usage], bool] | None
) -> Usage | None:
    """Cut the answer to what may pass, and note whether it was. Gives the output that is left, where it was counted.

    beyond: whether a report is above the maximum that the caller set; None: they set none.
    """
    codec, reported = context.codec, answer.reading.usage
    context.cut = answer.cut
    maximum = context.most_out
    if answer.cut or maximum is None or codec.cut is None or not codec.generates:
        return None
    if reported is not None and reported.tokens_out() <= maximum and not (beyond is not None and beyond(reported)):
        return None

    work = partial(codec.cut, answer.body, maximum, partial(gateway.count.count, model=context.model))
    found = await counted_in_turn(gateway, context.identity.account.id, len(answer.body), work)
    if found is None:
        return None
    answer.body, left = found
    context.cut = True
    return left


async def written(gateway: GatewayContext, context: RequestContext, body: bytes) -> Usage:
    """The output of a buffered answer, counted."""
    account_id = context.identity.account.id
    text, media = await counted_in_turn(gateway, account_id, len(body), partial(context.codec.response_text, body))
    tokens = await gateway.count.count_aside(text, context.model, account_id)
    return structs.replace(media, output=min(tokens, len(text.encode())))
