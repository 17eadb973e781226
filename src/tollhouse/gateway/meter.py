"""What a call used: as the provider reports it, or, where there is no report to believe, as we count it."""

from collections.abc import Awaitable, Callable

from msgspec import structs

from tollhouse.core.catalogue import Model
from tollhouse.core.usage import Usage
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.prompt import prompt
from tollhouse.protocols.openai.request import Request


async def meter(
    house: House,
    journey: Journey,
    request: Request,
    model: Model,
    reported: Usage | None,
    raw: bytes | None,
    delivered: Callable[[], Awaitable[int]],
) -> None:
    """Note usage and where it comes from. `delivered` counts the output tokens that went to the caller."""
    journey.raw_usage = raw
    if reported is not None and _possible(reported, model):
        journey.usage = structs.replace(reported, requests=1)
        journey.usage_source = "drained" if journey.call.client.gone else "upstream"
    else:
        await count(house, journey, request, await delivered())


async def count(house: House, journey: Journey, request: Request, delivered: int) -> None:
    """Note what nobody reported: the prompt as we count it, and the output tokens that went to the caller."""
    read = await house.count.count_aside(prompt(request), journey.model)
    journey.usage = Usage(input=read, output=delivered, requests=1)
    journey.usage_source = "counted"


def _possible(usage: Usage, model: Model) -> bool:
    """No model reads more than its context holds: such a report is a mistake, whoever made it."""
    context = model.context_tokens
    return context is None or (usage.tokens_in() <= context and usage.tokens_out() <= context)
