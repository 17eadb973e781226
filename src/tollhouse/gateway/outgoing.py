"""A call as it is sent to a provider: which endpoint it goes to, in which format, and its head and body."""

from typing import NamedTuple

from tollhouse.core.codec import Codec
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.upstream import UpstreamRequest
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.translate import spoken, translate
from tollhouse.providers.kind import UpstreamTarget
from tollhouse.routing.choice import Choice


class Aim(NamedTuple):
    """stream: how the provider is to answer. outbound: the codec of its format, where that, or the format of the
    answer, is another than the caller's; None: they are all the same."""

    target: UpstreamTarget
    stream: bool
    outbound: Codec | None


def aim_at(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choice: Choice, destination: Destination
) -> Aim:
    """Where an attempt goes. Raises BadRequest, CannotSay."""
    stream = request.stream or (destination.provider.streams_only and context.codec.generates)
    asked = context.request_codec
    target = destination.target(context.call.operation, asked.wire, choice.offer.model, stream)
    same = target.format == asked.wire == context.codec.wire
    return Aim(target, stream, None if same else spoken(gateway, context, target.format))


def write_call(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    choice: Choice,
    destination: Destination,
    aim: Aim,
) -> UpstreamRequest:
    """Write a call for a provider, and note the codec that reads the answer. Raises CannotSay."""
    provider, call, model, target = destination.provider, context.call, choice.offer.model, aim.target
    operation = call.operation if aim.outbound is None else aim.outbound.operation
    own_caps = provider.output_caps if operation == "chat" else ()
    caps = own_caps or destination.kind.caps.get(operation, ())
    include_usage = aim.stream and provider.reports_stream_usage
    if aim.outbound is None:
        context.attempt_codec = context.codec
        body, *rest = context.codec.write(
            request,
            model=model,
            stream=aim.stream,
            include_usage=include_usage,
            caps=caps,
            others=not own_caps,
            added_cap=context.added_cap,
        )
    else:
        body, *rest = translate(
            gateway,
            context,
            request,
            aim.outbound,
            model=model,
            stream=aim.stream,
            include_usage=include_usage,
            caps=caps,
            others=not own_caps,
        )
    return UpstreamRequest(
        route=destination.route,
        method=target.method,
        target=(destination.path + target.path).encode(),
        headers=destination.headers(choice.slot, call.headers),
        body=bytes(body),
        rest=rest,
        deadlines=destination.deadlines,
        operation=operation,
        model=model,
        script=context.script,
        context_tokens=context.context_tokens,
        max_output_tokens=context.longest_answer,
        scripted_for=context.identity.key.id,
        account_id=context.identity.key.account_id,
    )
