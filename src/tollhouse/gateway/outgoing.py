"""A call as it is sent to a provider: which endpoint it goes to, in which format, and its head and body."""

from collections.abc import Sequence
from functools import partial

from tollhouse.core.codec import Codec, WriteRequest
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.upstream import Buffer, Piece, UpstreamRequest
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
    is another than the caller's; None: they are all the same. A form is read from its spool while it is sent.
    """
    provider, call, model = destination.provider, context.call, choice.offer.model
    operation = call.operation if outbound is None else outbound.operation
    headers = destination.headers(choice.slot, call.headers)
    context.attempt_codec = context.codec  # of a translated call, `translate` notes its own
    body: Buffer = b""
    rest: list[Buffer] = []
    upload: Sequence[Piece] = ()
    if request.form is not None:
        assert context.codec.form is not None
        upload = context.codec.form.write(request, model, stream)
        headers = [field for field in headers if field[0] != CONTENT_TYPE]
        headers.append((CONTENT_TYPE, request.form.content_type))
    else:
        own_caps = provider.output_caps if operation == "chat" else ()
        write: WriteRequest = (
            context.codec.write if outbound is None else partial(translate, gateway, context, outbound)
        )
        body, *rest = write(
            request,
            model=model,
            stream=stream,
            include_usage=stream and provider.reports_stream_usage,
            caps=own_caps or destination.kind.caps.get(operation, ()),
            others=not own_caps,
            added_cap=context.added_cap,
        )
        if target.members or target.refused or target.filled:
            body, *rest = fitted(request, target, headers, body, rest)
    return UpstreamRequest(
        route=destination.route,
        method=target.method,
        target=target.path.encode(),
        headers=headers,
        body=bytes(body),
        rest=rest,
        upload=upload,
        deadlines=destination.deadlines,
        operation=operation,
        model=model,
        script=context.script,
        context_tokens=context.context_tokens,
        max_output_tokens=context.longest_answer,
        scripted_for=context.identity.key.id,
        account_id=context.identity.key.account_id,
    )
