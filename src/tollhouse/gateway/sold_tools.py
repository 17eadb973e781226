"""Stage 5, before the hold: tools that the provider would run, and bill beside tokens, are sold, left out or refused.

What has no price is not sold. It is left out where the caller offers it beside tools of their own, as agents do in each
call whether their user wants it or not, and the answer's head names it; it is refused where nothing else is offered, or
where it must be used.
"""

from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.billing.hosted_tools import sold_by
from tollhouse.billing.prices import Price
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.hosted_tools import HostedTool, leave_out
from tollhouse.core.model_request import ModelRequest
from tollhouse.gateway.dropped import note_dropped
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext

LOOP_BYTES_MAX: Final = 64 * 1024
"""Of tools that the event loop writes anew itself."""


async def sell_tools(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model, price: Price | None
) -> None:
    """Leave in a request the tools that `price` sells; the tier of one that has its own is the call's.

    Raises UnsupportedParameter for a tool that is not sold and cannot be left out, and for two tiers at once.
    """
    kept, unsold = [], []
    for tool in request.hosted:
        tier = sold_by(price, tool)
        if tier is None:
            unsold.append(tool)
            continue
        kept.append(tool)
        if tier and tier != request.tier:
            if request.tier:
                raise UnsupportedParameter(
                    f"'{tool.param}' beside '{request.tier_param}': a call has one price, so name one of them.",
                    param=tool.param,
                )
            request.tier, request.tier_param = tier, tool.param
    for tool in unsold:
        if tool.place is None:
            raise _unsold(tool, model)
    if unsold:
        await _leave_out(gateway, context, request, unsold)
        request.hosted = tuple(kept)


async def _leave_out(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, tools: list[HostedTool]
) -> None:
    work = partial(leave_out, request.members, tools)
    if len(request.members["tools"]) > LOOP_BYTES_MAX:
        await gateway.threads.run(context.identity.key.account_id, work)
    else:
        work()
    asked = context.asked
    if asked.remote_tools == len(tools):  # all that was not here is gone
        context.asked = structs.replace(asked, has_remote_input=False, remote_tools=0)
    request.dropped = (*request.dropped, *(tool.param for tool in tools))
    note_dropped(context, request.dropped)


def _unsold(tool: HostedTool, model: Model) -> UnsupportedParameter:
    tier = f"service_tiers.{tool.name}"
    lacks = f"per_search or {tier}" if tool.is_search else tier
    return UnsupportedParameter(
        f"'{tool.param}' has the provider run '{tool.name}', which it bills by its use, and the model {model.id} has no"
        f" price for that here ({lacks}): leave it out.",
        param=tool.param,
    )
