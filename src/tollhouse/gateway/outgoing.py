"""A call as it is sent to a provider: which endpoint it goes to, in which format, and its head and body."""

from tollhouse.core.codec import Codec
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.upstream import UpstreamRequest
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.fitted import fitted
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.translate import translate
from tollhouse.providers.kind import UpstreamTarget
from tollhouse.routing.choice import Choice

CONTENT_TYPE = b"content-type"


def write_call(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    choice: Choice,
    destination: Destination,
    target: UpstreamTarget,
    stream: bool,
    outbound: Codec | None,
) -> UpstreamRequest:
    """Write a call for a provider, and note the codec that reads the answer. Raises AttemptFailed.

    stream: how the provider is to answer. outbound: the codec of its format, where that, or the format of the answer,
    is another than the caller's; None: they are all the same.
    """
    provider, call, model = destination.provider, context.call, choice.offer.model
    operation = call.operation if outbound is None else outbound.operation
    own_caps = provider.output_caps if operation == "chat" else ()
    caps = own_caps or destination.kind.caps.get(operation, ())
    if outbound is None:
        context.attempt_codec = context.codec
        body, *rest = context.codec.write(
            request,
            model=model,
            stream=stream,
            include_usage=stream and provider.reports_stream_usage,
            caps=caps,
            others=not own_caps,
            added_cap=context.added_cap,
        )
    else:
        body, *rest = translate(
            gateway,
            context,
            request,
            outbound,
            model=model,
            stream=stream,
            include_usage=stream and provider.reports_stream_usage,
            caps=caps,
            others=not own_caps,
        )
    headers = destination.headers(choice.slot, call.headers)
    body, *rest = fitted(request, target, headers, body, rest) if target.members or target.refused else (body, *rest)
    return UpstreamRequest(
        route=destination.route,
        method=target.method,
        target=target.path.encode(),
        headers=headers,
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


def write_form_call(
    context: RequestContext,
    request: ModelRequest,
    choice: Choice,
    destination: Destination,
    target: UpstreamTarget,
    stream: bool,
) -> UpstreamRequest:
    """As `write_call` for a form, which is read from its spool while it is sent."""
    codec, form = context.codec, request.form
    assert codec.form is not None
    assert form is not None
    context.attempt_codec = codec
    headers = [field for field in destination.headers(choice.slot, context.call.headers) if field[0] != CONTENT_TYPE]
    return UpstreamRequest(
        route=destination.route,
        method=target.method,
        target=target.path.encode(),
        headers=[*headers, (CONTENT_TYPE, form.content_type)],
        body=b"",
        upload=codec.form.write(request, choice.offer.model, stream),
        deadlines=destination.deadlines,
        operation=context.call.operation,
        model=choice.offer.model,
        script=context.script,
        context_tokens=context.context_tokens,
        max_output_tokens=context.longest_answer,
        scripted_for=context.identity.key.id,
        account_id=context.identity.key.account_id,
    )
