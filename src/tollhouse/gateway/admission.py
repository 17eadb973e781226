"""Stage 3: limits. A call that is let in holds its place until the request context ends; a refused one leaves no
trace."""

from types import TracebackType
from typing import Final

from tollhouse.core.catalogue import Model
from tollhouse.core.failure import Failure
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.usage import Usage
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext

BYTES_PER_TOKEN: Final = 4  # what is reserved for input that nobody has counted; corrected at settlement
MEDIA_TOKENS: Final = 1_000  # for each part of media: about an image; a hold, which must be enough, counts on far more


class Admission:
    """`async with Admission(...)`: raises RateLimited on entering, frees the place on leaving."""

    __slots__ = ("_admission", "_context", "_gateway", "_model", "_tokens", "_units")

    def __init__(self, gateway: GatewayContext, context: RequestContext, request: ModelRequest, model: Model) -> None:
        self._gateway = gateway
        self._context = context
        self._model = model
        self._tokens = reserved(context, request)
        self._units = units_reserved(context)

    async def __aenter__(self) -> None:
        context = self._context
        if context.entry is not None:  # from here on the call has a place of its own
            entry, context.entry = context.entry, None
            await entry.release()
        now_ms, write = context.call.time_ms, context.codec.limit_headers
        self._admission = await self._gateway.limits.admit(
            context.identity, self._model, self._tokens, now_ms, write, self._units
        )
        context.headers += self._admission.headers(now_ms)
        context.limits = self._admission.passed
        context.admitted_ms = self._gateway.since_ms(context.call)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        refused = isinstance(error, Failure) and not self._context.dispatched
        await self._admission.release(self._context.usage, self._gateway.clock.now_ms(), refused=refused)


def reserved(context: RequestContext, request: ModelRequest) -> int:
    """Tokens that a call counts for until it is known what it used."""
    asked = context.asked
    tokens = asked.bytes // BYTES_PER_TOKEN + asked.parts * MEDIA_TOKENS
    return tokens if request.output_cap is None else tokens + request.output_cap * request.n


def units_reserved(context: RequestContext) -> Usage:
    """Other units that a call brings: parts of media, characters. What it is to be answered with is not known yet; the
    hold (`gateway.hold.units_of`) counts on the worst case, which would refuse calls that need nothing."""
    return Usage(requests=1, images=context.asked.parts, characters=context.asked.bytes)
