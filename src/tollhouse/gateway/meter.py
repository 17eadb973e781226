"""What a call used: as the provider reports it, or, where there is no report to believe, as we count it."""

from collections.abc import Awaitable, Callable

from msgspec import structs

from tollhouse.billing.bounds import LARGEST_CONTEXT
from tollhouse.core.catalogue import Model
from tollhouse.core.usage import Usage
from tollhouse.gateway.hold import GENERATES
from tollhouse.gateway.journey import NOTHING, Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.prompt import prompt, token_ids
from tollhouse.protocols.openai.request import Request


async def meter(
    house: House,
    journey: Journey,
    request: Request,
    model: Model,
    reported: Usage | None,
    raw: bytes | None,
    delivered: Callable[[], Awaitable[Usage]],
) -> None:
    """Note usage and where it comes from. `delivered` counts the output that went to the caller.

    A report that says nothing of what was read, or of what was written, is believed of an answer without a word only.
    """
    journey.raw_usage = raw
    if reported is None or not _possible(reported, request, model):
        await count(house, journey, request, await delivered())
    elif (written := await _unsaid(reported, request, delivered)) is not None:
        await count(house, journey, request, written)
    else:
        journey.usage = structs.replace(reported, requests=1)
        journey.usage_source = "drained" if journey.call.client.gone else "upstream"


async def count(house: House, journey: Journey, request: Request, delivered: Usage) -> None:
    """Note what nobody reported: the prompt as we count it, media by figures, and what went to the caller."""
    asked, text = journey.asked, prompt(request)
    read = min(await house.count.count_aside(text, journey.model), len(text.encode()))  # a token has a byte at least
    journey.usage = structs.replace(
        delivered,
        input=read + token_ids(request) + asked.looked_up,
        output=_within_cap(journey, request, delivered.output),
        image_in=asked.seen,
        audio_in=asked.heard,
        requests=1,
    )
    journey.usage_source = "counted"


def _within_cap(journey: Journey, request: Request, written: int) -> int:
    """Who named a cap pays no more for our being wrong by a third. More than that, and the provider has ignored it."""
    if journey.output_cap is None or request.thinks_beside:
        return written
    cap = journey.output_cap * request.n + request.uncapped
    return cap if cap < written <= cap * 3 // 2 else written


def _possible(usage: Usage, request: Request, model: Model) -> bool:
    """No model reads or writes more than its context holds, for each text and each answer that was asked for, and a
    second of sound is several tokens of it: such a report is a mistake, whoever made it."""
    context = model.context_tokens or LARGEST_CONTEXT
    read = max(usage.tokens_in(), usage.seconds)
    return read <= context * request.prompts and usage.tokens_out() <= context * request.n


async def _unsaid(usage: Usage, request: Request, delivered: Callable[[], Awaitable[Usage]]) -> Usage | None:
    """The output as we count it, where a report is silent of a side that was used; None where it may stand. A
    vector is no text, but something."""
    if request.operation not in GENERATES:
        return None if usage.tokens_in() else NOTHING
    if usage.tokens_in() and usage.tokens_out():
        return None
    written = await delivered()
    return None if written == NOTHING else written
